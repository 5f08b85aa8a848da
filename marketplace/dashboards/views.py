"""The working pages of sellers and buyers: rendered once, then patched from events alone."""

from typing import Any, cast

import msgspec
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.generic import TemplateView

from marketplace.accounts.models import User
from marketplace.dashboards.book import Book, read_book
from marketplace.dashboards.charts import BLANK_ROW, CHARTS, table_rows
from marketplace.dashboards.figures import reckon, write_figures
from marketplace.dashboards.lists import (
    Lane,
    read_lanes,
    read_new_products,
    read_number,
    read_own_orders,
    read_own_products,
    read_status,
    read_status_page,
)
from marketplace.dashboards.operations import read_metrics
from orders.pages import BLANK as BLANK_ORDER
from products.pages import BLANK as BLANK_PRODUCT


class RolePage(LoginRequiredMixin, TemplateView):
    """A page for one role. Who is not logged in goes to the login, the other role is told where
    its own page is."""

    role: User.Role

    @property
    def user(self) -> User:
        """Who is logged in."""
        return cast(User, self.request.user)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.user.role == self.role:
            return super().get(request, *args, **kwargs)
        self.template_name = "dashboards/other_role.html"
        return self.render_to_response({}, status=403)


class SellerDashboard(RolePage):
    """A seller's day: four figures, the hours of today, orders by state, and the stock.

    What the figures count, each of this seller's own orders and products:

    - orders today: orders placed since 00:00 UTC, whatever became of them;
    - revenue today: the totals of those of them that are not cancelled, by currency: that of most
      orders in 14 days large, the others where they are not zero;
    - open orders: pending, confirmed or shipped now, whenever they were placed;
    - low stock: products on sale whose stock is at or under their threshold, sold out ones
      included.

    Beside them stand the last 14 days: orders placed, revenue, open at the end of the day, and
    pieces ordered (without cancelled orders). book.js reckons all of it anew from each event.

    `?status=` shows the orders of one state alone, page by page (`page`); `products` is the page
    of the stock. Context: book, figures, texts, lanes, one_status, products,
    currency (for a new one), the blank_ ones.
    """

    role = User.Role.SELLER
    template_name = "dashboards/seller.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        query = self.request.GET
        products = read_own_products(self.user, number=read_number(query.get("products")))
        return super().get_context_data(
            **shown_figures(read_book(self.user, now=timezone.now())),
            lanes=self.read_lanes(),
            one_status=query.get("status"),
            products=products,
            currency=products.items[0].currency if products.items else "EUR",
            blank_order=BLANK_ORDER,
            blank_product=BLANK_PRODUCT,
            **context,
        )

    def read_lanes(self) -> list[Lane]:
        """All lanes, or the one that the address asks for."""
        query = self.request.GET
        if "status" not in query:
            return read_lanes(self.user)
        status, number = read_status(query["status"]), read_number(query.get("page"))
        return [read_status_page(self.user, status=status, number=number)]


def shown_figures(book: Book) -> dict[str, Any]:
    """What the page shows of the book, and the book itself for its script."""
    figures = reckon(book)
    return {
        "book": msgspec.to_builtins(book),
        "figures": figures,
        "texts": write_figures(figures),
    }


class BuyerDashboard(RolePage):
    """What a buyer ordered, newest first and `page` by page, and what is new in the catalogue.

    Context: orders, new_products, reserve (what moves up when one of them leaves), the blank_ ones.
    """

    role = User.Role.BUYER
    template_name = "dashboards/buyer.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        number = read_number(self.request.GET.get("page"))
        new_products, reserve = read_new_products()
        return super().get_context_data(
            orders=read_own_orders(self.user, number=number),
            new_products=new_products,
            reserve=reserve,
            blank_order=BLANK_ORDER,
            blank_product=BLANK_PRODUCT,
            **context,
        )


class OperationsPage(LoginRequiredMixin, TemplateView):
    """How the whole shop is doing, for the staff: charts that begin when the page is opened.

    Context: charts, rows (of the table), blank_row, metrics (the first figures, as
    their event would tell them).
    """

    template_name = "dashboards/operations.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        metrics = read_metrics()
        return super().get_context_data(
            charts=CHARTS,
            rows=table_rows(metrics),
            blank_row=BLANK_ROW,
            metrics={"timestamp": timezone.now(), "data": msgspec.to_builtins(metrics)},
            **context,
        )
