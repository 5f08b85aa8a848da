"""The pages of suggestions: rendered once, then patched by their script from events."""

from typing import Any, cast

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from rest_framework.exceptions import ValidationError

from marketplace.accounts.models import User
from products.errors import ProductNotFound
from products.suggestions.errors import SuggestionNotFound
from products.suggestions.listing import PAGE_SIZE, Row, named_products, read_one, read_sheet
from products.suggestions.models import MAX_TEXT, MAX_TITLE, Suggestion

# What a <template> is rendered from; the page's script puts a real suggestion's values in.
BLANK = Row(Suggestion(pk=0, author=User()), product=None, voted=False, may_answer=True)

ORDERINGS = {"-createdAt": _("Newest"), "-votes": _("Most votes")}


class SuggestionsPage(LoginRequiredMixin, TemplateView):
    """What people suggest, page by page, as the address asks for it.

    Context: sheet (None where the address is not understood), named (what can be named of products,
    by id), blank, orderings, page_size, max_title, max_text.
    """

    template_name = "suggestions/suggestions.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = cast(User, request.user)
        try:
            sheet = read_sheet(user, params=request.GET)
        except ProductNotFound as error:
            raise Http404 from error
        except ValidationError as error:
            context = self.get_context_data(sheet=None)
            return self.render_to_response(context, status=error.status_code)
        named = named_products(user, sheet)
        return self.render_to_response(self.get_context_data(sheet=sheet, named=named))

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(
            blank=BLANK,
            orderings=ORDERINGS,
            page_size=PAGE_SIZE,
            max_title=MAX_TITLE,
            max_text=MAX_TEXT,
            **context,
        )


class SuggestionPage(LoginRequiredMixin, TemplateView):
    """One suggestion alone, where a notification leads to.

    Context: row, named (see SuggestionsPage), max_text.
    """

    template_name = "suggestions/suggestion.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        user = cast(User, self.request.user)
        try:
            sheet = read_one(user, suggestion_id=context["suggestion_id"])
        except SuggestionNotFound as error:
            raise Http404 from error
        named = named_products(user, sheet)
        return super().get_context_data(
            row=sheet.rows[0], named=named, max_text=MAX_TEXT, **context
        )
