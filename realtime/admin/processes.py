"""The server processes in the admin, and who is connected to them."""

from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from realtime.admin.read_only import ReadOnlyAdmin
from realtime.events import iso_milliseconds
from realtime.limits import living_leases
from realtime.log import head_position
from realtime.models import ProcessLease
from realtime.roll_call import MOST, RollCall, StreamFacts, call_the_roll, end_stream


class FindForm(forms.Form):
    """Whose streams to show."""

    user = forms.CharField(label=_("User"), required=False)

    def clean_user(self) -> int | None:
        """The id of the user of that name."""
        name: str = self.cleaned_data["user"]
        if not name:
            return None
        user = get_user_model().objects.filter(username__iexact=name).first()
        if user is None:
            raise forms.ValidationError(_("There is no such user."), code="unknown")
        return int(user.pk)


@admin.register(ProcessLease)
class ProcessLeaseAdmin(ReadOnlyAdmin):
    """The processes that live, and what each counted."""

    list_display = ("name", "time", "streams", "reached", "counted")
    list_display_links = None
    sortable_by = ()
    ordering = ("started_at",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Those that live."""
        return living_leases()

    @admin.display(description=_("started at"))
    def time(self, lease: ProcessLease) -> str:
        """As times stand on the wire."""
        return format_html('<span class="nowrap">{}</span>', iso_milliseconds(lease.started_at))

    @admin.display(description=_("open streams"))
    def streams(self, lease: ProcessLease) -> int:
        """All of them, with and without a login."""
        counts = [*lease.by_user.values(), *lease.by_address.values()]
        return sum(int(count) for count in counts)

    @admin.display(description=_("position"))
    def reached(self, lease: ProcessLease) -> int:
        """Up to where it has handed out the log."""
        return lease.position

    @admin.display(description=_("counted since"))
    def counted(self, lease: ProcessLease) -> str:
        """What is not 0, each on a line."""
        counts = ((name.replace("_", " "), count) for name, count in lease.tallies.items() if count)
        return format_html_join("", '<div class="nowrap">{}: {}</div>', counts)

    def get_urls(self) -> list[Any]:
        """The pages about streams beside the usual ones."""
        view = self.admin_site.admin_view
        return [
            path("streams/", view(self.streams_view), name="realtime_streams"),
            path("streams/end/", view(require_POST(self.end_view)), name="realtime_stream_end"),
            *super().get_urls(),
        ]

    def streams_view(self, request: HttpRequest) -> HttpResponse:
        """Who is connected, at which position; all processes are asked now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = FindForm(request.GET)
        found = None
        if form.is_valid():
            found = call_the_roll(user_id=form.cleaned_data["user"])
        context = {
            **self.admin_site.each_context(request),
            "form": form,
            "found": found,
            "rows": _rows(found),
            "head": head_position(),
            "most": MOST,
            "media": self.media,
            "opts": self.opts,
            "title": _("Open streams"),
            "may_end": _may_end(request),
        }
        return TemplateResponse(request, "realtime/streams.html", context)

    def end_view(self, request: HttpRequest) -> HttpResponse:
        """End one stream, for those who have the permission for it."""
        if not _may_end(request):
            raise PermissionDenied
        field = forms.UUIDField()
        try:
            client_id: UUID = field.clean(request.POST.get("client"))
        except forms.ValidationError:
            self.message_user(request, _("There is no such stream."), messages.ERROR)
        else:
            end_stream(client_id=client_id, by=cast(AbstractUser, request.user))
            text = _("The stream is being ended. Its client does not come back by itself.")
            self.message_user(request, text, messages.SUCCESS)
        back = reverse("admin:realtime_streams")
        query = request.POST.get("query", "")
        return HttpResponseRedirect(f"{back}?{query}" if query else back)


def _may_end(request: HttpRequest) -> bool:
    return cast(AbstractUser, request.user).has_perm("realtime.end_stream")


def _rows(found: RollCall | None) -> list[dict[str, Any]]:
    streams: Iterable[StreamFacts] = found.streams if found else ()
    names = get_user_model().objects.in_bulk(
        {facts["userId"] for facts in streams if facts["userId"] is not None}
    )
    return [
        {
            "facts": facts,
            "user": names.get(facts["userId"]) if facts["userId"] else None,
            "opened_at": parse_datetime(facts["openedAt"]),
        }
        for facts in streams
    ]
