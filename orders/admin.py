"""Orders in the admin: to be read, and to take their steps through the same service as all."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from marketplace.accounts.models import User
from marketplace.rest.errors import DomainError
from orders.events import OrderCreated, OrderUpdated
from orders.models import Order, OrderLine, OrderQuerySet, OrderStep
from orders.services import transition_order
from realtime.api import LiveListAdmin

Status = Order.Status


class ReadOnly:
    """A mixin of admin classes whose rows are looked at only."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Services alone write orders."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Services alone write orders."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders are never deleted."""
        return False


class LineInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg] # no generic at run time
    """What was ordered."""

    model = OrderLine
    fields = ("product", "title", "quantity", "unit_price")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        """With the products, whose names are shown."""
        return super().get_queryset(request).select_related("product")


class StepInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg] # no generic at run time
    """The order's history."""

    model = OrderStep
    fields = ("at", "from_status", "to_status", "by", "reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderStep]:
        """With the users, whose names are shown."""
        return super().get_queryset(request).select_related("by")


@admin.register(Order)
class OrderAdmin(ReadOnly, LiveListAdmin):
    """All orders. Their steps are the list's actions, for staff who may change orders."""

    list_display = ("id", "buyer", "seller", "status", "total", "currency", "created_at")
    list_select_related = ("buyer", "seller")
    list_filter = ("status", "currency", "created_at")
    search_fields = ("=id", "buyer__username", "seller__username")
    show_full_result_count = False
    fields = ("buyer", "seller", "status", "total", "currency", "shipping_address", "note",
              "version", "created_at", "updated_at")  # fmt: skip
    inlines = (LineInline, StepInline)
    actions = ("confirm", "ship", "deliver", "cancel")
    live_events = {OrderCreated: "order.id", OrderUpdated: "order.id"}

    def has_step_permission(self, request: HttpRequest) -> bool:
        """Whether this member of staff may take orders' steps."""
        return request.user.has_perm("orders.change_order")

    @admin.action(description=_("Confirm"), permissions=["step"])
    def confirm(self, request: HttpRequest, orders: OrderQuerySet) -> None:
        """Confirm the selected orders."""
        self._take_step(request, orders, Status.CONFIRMED)

    @admin.action(description=_("Mark as shipped"), permissions=["step"])
    def ship(self, request: HttpRequest, orders: OrderQuerySet) -> None:
        """Say that the selected orders are on their way."""
        self._take_step(request, orders, Status.SHIPPED)

    @admin.action(description=_("Mark as delivered"), permissions=["step"])
    def deliver(self, request: HttpRequest, orders: OrderQuerySet) -> None:
        """Say that the selected orders arrived."""
        self._take_step(request, orders, Status.DELIVERED)

    @admin.action(description=_("Cancel"), permissions=["step"])
    def cancel(self, request: HttpRequest, orders: OrderQuerySet) -> None:
        """Cancel the selected orders; their stock goes back."""
        self._take_step(request, orders, Status.CANCELLED)

    def _take_step(self, request: HttpRequest, orders: OrderQuerySet, to: Status) -> None:
        """Take the step with each order by itself: one that is refused does not hold the others."""
        by = cast(User, request.user)
        done = 0
        for order in orders.order_by("pk"):
            try:
                transition_order(order_id=order.pk, to=to, by=by)
                done += 1
            except DomainError as refusal:
                text = f"{order}: {refusal.detail}"
                self.message_user(request, text, messages.WARNING)
        if done:
            text = ngettext(
                "%(done)d order is %(status)s.", "%(done)d orders are %(status)s.", done
            )
            self.message_user(request, text % {"done": done, "status": to.label})
