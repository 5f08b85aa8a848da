"""The log and the outbox in the admin: looked at by what their indexes find, and tried by hand."""

import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from realtime.admin.read_only import ReadOnlyAdmin
from realtime.control import INTERNAL_TYPES, is_internal, user_audience
from realtime.events import AUDIENCE_PATTERN, Event, iso_milliseconds
from realtime.models import LogAudience, LogEvent, OutboxEvent
from realtime.trial import MAX_TEXT, send_test_event

# How far back a list reaches; what is older is found by its time.
REACH = 10_000

_POSITION = re.compile(r"[0-9]{1,18}")


class ReachPaginator(Paginator):  # type: ignore[type-arg] # no generic at run time
    """Counts no further than REACH: a million rows are not counted to show a hundred."""

    @cached_property
    def count(self) -> int:
        """How many rows there are to show."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment] # the admin gives no other
        return rows.order_by()[:REACH].count()

    @property
    def is_cut(self) -> bool:
        """Whether there may be more rows than are shown."""
        return self.count == REACH


class TypeFilter(admin.SimpleListFilter):
    """By type: those that are declared, and the internal ones."""

    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every type, without asking the log."""
        return [(name, name) for name in (*sorted(Event.declared), *INTERNAL_TYPES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The events of the chosen type."""
        return queryset.filter(type=self.value()) if self.value() else queryset


class TimeForm(forms.Form):
    """From when to when."""

    since = forms.DateTimeField(label=_("From"), required=False)
    until = forms.DateTimeField(label=_("To"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = forms.DateTimeInput(
                format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": 1}
            )


class TimeFilter(admin.ListFilter):
    """By the time of publishing: a form in the place of choices.

    Django's date hierarchy would look at every row to offer its days.
    """

    title = _("time")
    template = "realtime/time_filter.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        given = {name: params.pop(name)[-1] for name in TimeForm.base_fields if name in params}
        self.used_parameters = {name: value for name, value in given.items() if value}
        self.form = TimeForm(given)

    def expected_parameters(self) -> list[str | None]:
        """The form's fields."""
        return [*TimeForm.base_fields]

    def has_output(self) -> bool:
        """There is always a form."""
        return True

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        """One: the form, with what else the list is asked for."""
        params = changelist.params.items()
        others = {name: value for name, value in params if name not in TimeForm.base_fields}
        yield {"form": self.form, "others": others}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The events from the one moment to before the other; none where one is no moment."""
        if not self.form.is_valid():
            return queryset.none()
        since, until = self.form.cleaned_data["since"], self.form.cleaned_data["until"]
        if since is not None:
            queryset = queryset.filter(published_at__gte=since)
        return queryset if until is None else queryset.filter(published_at__lt=until)


class TestEventForm(forms.Form):
    """A test event: to whom, and what it says."""

    channel = forms.CharField(
        label=_("Channel"),
        help_text=_("Who listens to it hears the event: user.7, staff, all."),
        widget=AdminTextInputWidget,
    )
    text = forms.CharField(label=_("Text"), max_length=MAX_TEXT, widget=AdminTextInputWidget)

    def clean_channel(self) -> str:
        """What publish() would not take is refused at its field."""
        channel: str = self.cleaned_data["channel"]
        if not AUDIENCE_PATTERN.fullmatch(channel):
            raise forms.ValidationError(_("This is no name of a channel."), code="invalid")
        return channel


class EventRowAdmin(ReadOnlyAdmin):
    """Events as rows, which publish() alone adds and retention alone deletes."""

    list_per_page = 100
    show_facets = admin.ShowFacets.NEVER
    paginator = ReachPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the payloads, which one page alone shows."""
        return super().get_queryset(request).defer("payload")

    @admin.display(description=_("type"))
    def kind(self, row: LogEvent | OutboxEvent) -> str:
        """The type, and whether it is for servers only."""
        if is_internal(row.type):
            return format_html('{} <span class="internal">{}</span>', row.type, _("internal"))
        return row.type

    @admin.display(description=_("audiences"))
    def channels(self, row: LogEvent | OutboxEvent) -> str:
        """The channels whose listeners get the event."""
        return row.audiences

    @admin.display(description=_("published at"))
    def time(self, row: LogEvent | OutboxEvent) -> str:
        """The time as it stands on the wire: a minute is long in a log."""
        return format_html('<span class="nowrap">{}</span>', iso_milliseconds(row.published_at))

    @admin.display(description=_("payload"))
    def pretty(self, row: LogEvent | OutboxEvent) -> str:
        """The payload, a line for each field."""
        return format_html('<pre class="payload">{}</pre>', msgspec.json.format(row.payload))


@admin.register(LogEvent)
class LogEventAdmin(EventRowAdmin):
    """The log, newest first."""

    list_display = ("position", "kind", "channels", "time")
    sortable_by = ("position",)
    list_filter = (TimeFilter, TypeFilter)
    search_fields = ("position",)
    search_help_text = _("A channel (user.7, staff) or a position.")
    fields = ("position", "kind", "channels", "time", "pretty")

    def get_urls(self) -> list[Any]:
        """The page of the test event beside the usual ones."""
        test = path(
            "test/", self.admin_site.admin_view(self.test_view), name="realtime_logevent_test"
        )
        return [test, *super().get_urls()]

    def test_view(self, request: HttpRequest) -> HttpResponse:
        """Send a test event, for those who have the permission for it."""
        user = cast(AbstractUser, request.user)
        if not user.has_perm("realtime.send_test_event"):
            raise PermissionDenied
        form = TestEventForm(
            request.POST if request.method == "POST" else None,
            initial={"channel": user_audience(user.pk)},
        )
        if form.is_valid():
            send_test_event(by=user, **form.cleaned_data)
            text = _("The test event was sent to %(channel)s.") % form.cleaned_data
            self.message_user(request, text, messages.SUCCESS)
            return HttpResponseRedirect(request.path)
        fieldsets: list[Any] = [(None, {"fields": ["channel", "text"]})]
        context = {
            **self.admin_site.each_context(request),
            "adminform": AdminForm(form, fieldsets, {}),  # type: ignore[arg-type] # takes any form
            "has_view_permission": self.has_view_permission(request),
            "opts": self.opts,
            "title": _("Send a test event"),
        }
        return TemplateResponse(request, "realtime/test_event.html", context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LogEvent], search_term: str
    ) -> tuple[QuerySet[LogEvent], bool]:
        """The event at a position, or those of a channel by its index: no text is searched."""
        if not search_term:
            return queryset, False
        if _POSITION.fullmatch(search_term):
            return queryset.filter(position=search_term), False
        if not AUDIENCE_PATTERN.fullmatch(search_term):
            return queryset.none(), False
        heard = LogAudience.objects.filter(audience=search_term)
        return queryset.filter(position__in=heard.values("position")), False


@admin.register(OutboxEvent)
class OutboxEventAdmin(EventRowAdmin):
    """What waits to be numbered, in its order; empty while a server runs."""

    list_display = ("id", "kind", "channels", "time")
    sortable_by = ()
    ordering = ("id",)
    fields = ("id", "kind", "channels", "time", "pretty")
