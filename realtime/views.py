"""What can be asked about the event path over plain HTTP."""

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from realtime.events import iso_milliseconds
from realtime.limits import Counts, counts_of_others
from realtime.reference import asyncapi_document
from realtime.station import running_stations


def all_counts() -> Counts:
    """The open streams of all server processes: this one's now, the others' a second ago."""
    stations = running_stations()
    counts = counts_of_others({station.streams.counts.process for station in stations})
    for station in stations:
        counts.add(station.streams.counts)
    return counts


class StatsView(APIView):
    """Who is connected, summed over all server processes."""

    permission_classes = [IsAdminUser]

    @extend_schema(responses=OpenApiTypes.OBJECT, summary="Open streams by user")
    def get(self, request: Request) -> Response:
        """Users with their open streams; anonymous streams count in totalConnections alone."""
        counts = all_counts()
        users = [
            {"userId": user_id, "connections": count}
            for user_id, count in sorted(counts.by_user.items())
        ]
        data = {"totalUsers": len(users), "totalConnections": counts.total, "users": users}
        return Response({"success": True, "data": data})


class AsyncApiView(APIView):
    """The AsyncAPI document of the events."""

    permission_classes = [AllowAny]

    @extend_schema(responses=OpenApiTypes.OBJECT, summary="AsyncAPI document of the events")
    def get(self, request: Request) -> Response:
        """The document, made from the declarations."""
        return Response(asyncapi_document())


class StreamView(APIView):
    """The event stream, for its place in the OpenAPI document and for methods other than GET.

    A GET is answered by realtime.sse, which is routed ahead of Django; it comes here only on a
    server that does not speak ASGI.
    """

    permission_classes = [AllowAny]
    http_method_names = ["get", "options"]  # a HEAD of what never ends has no answer

    @extend_schema(
        summary="Live events (Server-Sent Events)",
        parameters=[
            OpenApiParameter("channels", description="Channels to hear, separated by commas."),
            OpenApiParameter("lastEventId", int, description="The last id that was seen."),
            OpenApiParameter("ticket", description="A single-use ticket in place of a token."),
        ],
        responses={(200, "text/event-stream"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Say that this server cannot stream."""
        raise StreamsNeedAsgi


class StreamsNeedAsgi(APIException):
    """The request did not come through ASGI."""

    status_code = 501
    default_code = "streams_need_asgi"
    default_detail = "Streams are served over ASGI only."


# --- Health ---------------------------------------------------------------------------------


def _database_state() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unavailable"
    return "ok"


def _channel_layer_state() -> str:
    if not settings.REDIS_URL:
        return "in-memory"
    # Loaded where there is one alone: it takes 10 MB.
    import redis

    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5) as client:
            client.ping()
    except redis.RedisError:
        # Events still arrive, through the log: no reason not to serve.
        return "unavailable"
    return "ok"


def health(request: HttpRequest) -> JsonResponse:
    """Whether this process can serve, and what it depends on."""
    checks = {"database": _database_state(), "channelLayer": _channel_layer_state()}
    serves = checks["database"] == "ok"
    body = {
        "status": "ok" if serves else "unavailable",
        "service": "marketplace",
        "connectedClients": all_counts().total if serves else 0,
        "timestamp": iso_milliseconds(timezone.now()),
        "checks": checks,
    }
    return JsonResponse(body, status=200 if serves else 503)


def health_live(request: HttpRequest) -> JsonResponse:
    """Whether this process answers at all."""
    return JsonResponse({"status": "ok"})


def health_ready(request: HttpRequest) -> JsonResponse:
    """Whether new clients should be sent here: not while it drains or has no database."""
    draining = any(station.streams.draining for station in running_stations())
    ready = not draining and _database_state() == "ok"
    return JsonResponse({"status": "ok" if ready else "unavailable"}, status=200 if ready else 503)
