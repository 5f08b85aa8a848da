"""The position of the log at which a page's or an answer's data was read."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from realtime.models import LogHead

# Health must have an answer without a database, too.
_WITHOUT_POSITION = ("/static/", "/media/", "/admin/", "/health", "/metrics")


def head_position() -> int:
    """The position of the last event in the log; one query."""
    return LogHead.objects.filter(id=1).values_list("position", flat=True).first() or 0


class EventPositionMiddleware:
    """Reads the log's position before the view reads its data, so that a client which streams
    from there misses nothing. Answers under /api/ carry it as Event-Position, pages as a meta
    element (see event_position)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "GET" or request.path.startswith(_WITHOUT_POSITION):
            return self.get_response(request)
        request.event_position = position = head_position()  # type: ignore[attr-defined]
        response = self.get_response(request)
        if request.path.startswith("/api/"):
            response["Event-Position"] = str(position)
        return response


def event_position(request: HttpRequest) -> dict[str, int]:
    """Template context: event_position, the log's position before the view ran."""
    position: int | None = getattr(request, "event_position", None)
    return {} if position is None else {"event_position": position}
