"""A small API for the tests of the conventions, with everything that can go wrong in one."""

from typing import Any

import msgspec
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts.models import User
from marketplace.rest.errors import DomainError, ErrorItem
from marketplace.rest.serializers import InputSerializer, StructSerializer
from marketplace.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


class ThingData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A thing, as it is shown."""

    id: int
    some_text: str
    inner: "InnerData | None" = None


class InnerData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is inside a thing."""

    deep_number: int


def thing_data(text: str) -> ThingData:
    """The thing with this text."""
    return ThingData(id=1, some_text=text)


class ThingSerializer(StructSerializer):
    struct = ThingData
    build = staticmethod(thing_data)


class InnerInput(InputSerializer):
    deep_number = serializers.IntegerField()


class ThingInput(InputSerializer):
    representation = ThingData

    some_text = serializers.CharField(max_length=10)
    count = serializers.IntegerField(required=False)
    small = serializers.IntegerField(required=False, min_value=1, max_value=9)
    inner = InnerInput(required=False)


class TooFewThings(DomainError):
    """A refusal with several reasons."""

    status = 409
    code = "too_few_things"
    detail = "There are too few things."


class StaleThing(DomainError):
    """A refusal with a further field."""

    status = 409
    code = "stale_thing"
    detail = "The thing was changed."


class NotKnown(DomainError):
    """A refusal that asks for a login."""

    status = 401
    code = "not_known"
    detail = "Who are you?"


class Later(DomainError):
    """A refusal that says when to come back."""

    status = 429
    code = "later"
    detail = "Not now."


RAISED: dict[str, Exception] = {
    "stale": StaleThing(stock_version=7),
    "several": TooFewThings(
        errors=[
            ErrorItem(
                code="too_few_things",
                detail="Only 2 are left.",
                attr="lines.0",
                extra={"product_id": 7, "available": 2},
            ),
            ErrorItem(code="too_few_things", detail="None are left.", attr="lines.3"),
        ]
    ),
    "unknown": NotKnown(),
    "later": Later(retry_after=12),
    "suspicious": SuspiciousOperation("no"),
    "bad": BadRequest("no"),
    "denied": PermissionDenied("no"),
    "missing": Http404("no"),
    "invalid": DjangoValidationError({"some_text": DjangoValidationError("No.", code="ugly")}),
    "broken": ZeroDivisionError("the secret reason"),
}


class OpenView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)


class ThingView(OpenView):
    @extend_schema(request=ThingInput, responses={201: ThingSerializer})
    def post(self, request: Request) -> Response:
        values = ThingInput(data=request.data).read()
        return Response({"read": values}, status=201)

    @extend_schema(responses=ThingSerializer)
    def get(self, request: Request) -> Response:
        return Response(ThingSerializer("text").data)


class FailingView(OpenView):
    def get(self, request: Request, why: str) -> Response:
        raise RAISED[why]


class WriteView(APIView):
    def get(self, request: Request) -> Response:
        return Response({"done": True})

    post = put = patch = delete = get


class UserSerializer(StructSerializer):
    struct = ThingData

    @staticmethod
    def build(instance: Any, /) -> ThingData:
        return ThingData(id=instance.pk, some_text=instance.username)


class UsersView(ListAPIView[User]):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = UserSerializer
    queryset = User.objects.order_by("pk")


def plain_view(request: HttpRequest, why: str) -> HttpResponse:
    """A view that is none of the framework's."""
    if why == "teapot":
        answer = HttpResponse("<h1>No</h1>", status=418, headers={"Retry-After": "9"})
        answer.set_cookie("kept", "yes")
        return answer
    raise RAISED[why]


urlpatterns = [
    path("api/schema", SpectacularAPIView.as_view()),
    path("api/things", ThingView.as_view()),
    path("api/users", UsersView.as_view()),
    path("api/writes", WriteView.as_view()),
    path("api/fails/<why>", FailingView.as_view()),
    path("api/plain/<why>", plain_view),
    path("page/<why>", plain_view),
]
