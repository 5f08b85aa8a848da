"""The requests about orders: read what was sent, call one service, show the order."""

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts.models import User
from marketplace.rest.encoding import encode_json
from orders import idempotency, services
from orders.idempotency import Answer
from orders.models import Order, OrderQuerySet
from orders.selectors import orders_visible_to
from orders.serializers import (
    OrderFilter,
    OrderInput,
    OrderSerializer,
    OrdersPlacedSerializer,
    TransitionInput,
    filter_orders,
)

IDEMPOTENCY_KEY = OpenApiParameter(
    idempotency.HEADER,
    location=OpenApiParameter.HEADER,
    description="1 to 255 visible ASCII characters of your own: within 24 hours the same request "
    "with the same key is done once and answered alike (Idempotent-Replayed: true).",
)


class OrdersView(ListAPIView[Order]):
    """The list of one's orders, and where new ones are placed."""

    serializer_class = OrderSerializer

    def get_queryset(self) -> OrderQuerySet:
        orders = orders_visible_to(_user(self.request))
        return filter_orders(orders, self.request.query_params).whole()

    @extend_schema(parameters=[OrderFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The orders that one gave or got, newest first; for staff all."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=OrderInput, responses={201: OrdersPlacedSerializer}, parameters=[IDEMPOTENCY_KEY]
    )
    def post(self, request: Request) -> HttpResponse:
        """Order all lines, or nothing (buyers): one order for each seller and currency."""

        def place() -> Answer:
            buyer = _user(request)
            services.require_buyer(buyer)
            cart = OrderInput(data=request.data).read()
            orders = services.place_orders(buyer=buyer, **cart)
            return Answer(status=201, body=encode_json(OrdersPlacedSerializer(orders).data))

        return _answered_once(request, place)


class OrderView(RetrieveAPIView[Order]):
    """One order."""

    serializer_class = OrderSerializer
    lookup_url_kwarg = "order_id"

    def get_queryset(self) -> OrderQuerySet:
        return orders_visible_to(_user(self.request)).whole()


class TransitionView(APIView):
    """The steps of one order."""

    @extend_schema(request=TransitionInput, responses=OrderSerializer, parameters=[IDEMPOTENCY_KEY])
    def post(self, request: Request, order_id: int) -> HttpResponse:
        """Bring the order to another status (its buyer, its seller, staff)."""

        def take_step() -> Answer:
            step = TransitionInput(data=request.data).read()
            order = services.transition_order(order_id=order_id, by=_user(request), **step)
            return Answer(status=200, body=encode_json(OrderSerializer(order).data))

        return _answered_once(request, take_step)


def _user(request: Request) -> User:
    """Who asks: the permissions of these views let nobody else through."""
    return cast(User, request.user)


def _answered_once(request: Request, perform: Callable[[], Answer]) -> HttpResponse:
    """The response to the request, which is performed once where it has an Idempotency-Key."""
    key = idempotency.read_key(request)
    if key is None:
        answer = perform()
    else:
        answer = idempotency.answer_once(
            user=_user(request),
            key=key,
            fingerprint=idempotency.fingerprint(request),
            perform=perform,
        )
    response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
    if answer.replayed:
        response["Idempotent-Replayed"] = "true"
    return response
