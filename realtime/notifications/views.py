"""The requests about notifications. Everybody reads and marks their own, staff as well."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.rest.pagination import Pagination
from realtime.notifications import services
from realtime.notifications.models import Notification
from realtime.notifications.selectors import preferences_of, unread_count
from realtime.notifications.serializers import (
    AllMarkedSerializer,
    NotificationFilter,
    NotificationMarkedSerializer,
    NotificationSerializer,
    PreferencesSerializer,
    ReadAllInput,
    ReadInput,
    read_filter,
)


class NotificationPagination(Pagination):
    """As every list, with the count of what is unread beside it."""

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        response.data["unread"] = unread_count(_user_id(cast(Request, self.request)))
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        described["properties"]["unread"] = {"type": "integer", "example": 3}
        described["required"] = [*described["required"], "unread"]
        return described


class NotificationsView(ListAPIView[Notification]):
    """The list of one's notifications."""

    serializer_class = NotificationSerializer
    pagination_class = NotificationPagination

    def get_queryset(self) -> QuerySet[Notification]:
        own = Notification.objects.filter(user_id=_user_id(self.request)).newest_first()
        unread = read_filter(self.request.query_params)
        return own if unread is None else own.filter(read_at__isnull=unread)

    @extend_schema(parameters=[NotificationFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One's notifications, newest first, and how many of all of them are unread."""
        return super().get(request, *args, **kwargs)


class ReadView(APIView):
    """The reading of one notification."""

    @extend_schema(request=None, responses=NotificationMarkedSerializer)
    def post(self, request: Request, notification_id: int) -> Response:
        """Note that it was read; a second time nothing changes."""
        ReadInput(data=request.data).read()
        marked = services.mark_read(user_id=_user_id(request), notification_id=notification_id)
        return Response(NotificationMarkedSerializer(marked).data)


class ReadAllView(APIView):
    """The reading of all notifications."""

    @extend_schema(request=ReadAllInput, responses=AllMarkedSerializer)
    def post(self, request: Request) -> Response:
        """Note that all were read, or all that lead to one page."""
        which = ReadAllInput(data=request.data).read()
        unread = services.mark_all_read(user_id=_user_id(request), **which)
        return Response(AllMarkedSerializer(unread).data)


class PreferencesView(APIView):
    """Which kinds of notifications one gets."""

    @extend_schema(responses=PreferencesSerializer)
    def get(self, request: Request) -> Response:
        """Every kind, and whether one gets it."""
        return Response(preferences_of(_user_id(request)))

    @extend_schema(request=PreferencesSerializer, responses=PreferencesSerializer)
    def put(self, request: Request) -> Response:
        """Switch kinds on or off; those that are left out stay as they are."""
        wanted = PreferencesSerializer(data=request.data).read()
        services.set_preferences(user_id=_user_id(request), wanted=wanted)
        return Response(preferences_of(_user_id(request)))


def _user_id(request: Request) -> int:
    """Who asks: the permissions of these views let nobody else through."""
    return cast(int, request.user.pk)
