"""Suggestions in the admin: staff correct words and answer; nothing is added or deleted here."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from products.suggestions.events import SuggestionCreated, SuggestionUpdated, SuggestionVoted
from products.suggestions.models import Suggestion
from products.suggestions.services import answer_suggestion
from realtime.api import LiveListAdmin


class SuggestionForm(forms.ModelForm):  # type: ignore[type-arg] # no generic at run time
    """The words of a suggestion, and of its answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            # Sent back with the form, so that what nobody touched here is not written over.
            field.show_hidden_initial = True


class IsAnswered(admin.SimpleListFilter):
    """Those that have an answer, and those that wait for one."""

    title = _("answered")
    parameter_name = "answered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The two choices."""
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The rows of the choice."""
        if self.value() is None:
            return queryset
        return queryset.filter(answered_at__isnull=self.value() == "no")


@admin.register(Suggestion)
class SuggestionAdmin(LiveListAdmin):
    """All suggestions. They stay: no event would tell open pages of a deletion."""

    form = SuggestionForm
    list_display = ("title", "author", "product", "votes", "answered_at", "created_at")
    list_select_related = ("author", "product")
    list_filter = (IsAnswered, "created_at")
    search_fields = ("title", "text", "author__username", "product__title")
    show_full_result_count = False
    fields = ("author", "product", "title", "text", "votes", "answer", "answered_by",
              "answered_at", "created_at")  # fmt: skip
    readonly_fields = ("author", "product", "votes", "answered_by", "answered_at", "created_at")
    live_channels = ("suggestions",)
    live_events = {
        SuggestionCreated: "suggestion.id",
        SuggestionUpdated: "suggestion.id",
        SuggestionVoted: "suggestionId",
    }

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever suggests something does so on the site, under their own name."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Suggestion | None = None) -> bool:
        """Suggestions are never deleted."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Suggestion, form: SuggestionForm, change: bool
    ) -> None:
        """Write what was touched. An answer is given as everywhere, by whoever wrote it here."""
        touched = set(form.changed_data)
        answer = obj.answer if "answer" in touched else ""
        if "answer" in touched and not answer:
            obj.answered_by = obj.answered_at = None
            touched |= {"answered_by", "answered_at"}
        elif answer:
            touched.remove("answer")
        obj.save(update_fields=touched)
        if answer:
            by = cast(User, request.user)
            answer_suggestion(suggestion_id=obj.pk, by=by, text=answer)
