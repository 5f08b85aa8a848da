"""The requests about suggestions: read what was sent, call one service, show the result."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts.models import User
from products.suggestions import services
from products.suggestions.filters import (
    SuggestionFilter,
    filter_suggestions,
    product_asked_for,
    read_filter,
)
from products.suggestions.models import Suggestion, SuggestionQuerySet
from products.suggestions.selectors import shown_suggestions
from products.suggestions.serializers import (
    AnswerInput,
    SuggestionInput,
    SuggestionSerializer,
    VoteInput,
)


class SuggestionsView(ListAPIView[Suggestion]):
    """The list of suggestions, and where one is made."""

    serializer_class = SuggestionSerializer

    def get_queryset(self) -> SuggestionQuerySet:
        wanted = read_filter(self.request.query_params)
        product = product_asked_for(wanted, by=_user(self.request))
        return filter_suggestions(wanted, product=product)

    @extend_schema(parameters=[SuggestionFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All suggestions, or those of one product, newest first."""
        page = self.paginate_queryset(self.get_queryset()) or []
        shown = shown_suggestions(page, to=_user(request))
        return self.get_paginated_response(SuggestionSerializer(shown, many=True).data)

    @extend_schema(request=SuggestionInput, responses={201: SuggestionSerializer})
    def post(self, request: Request) -> Response:
        """Suggest something of one product, or of the shop as a whole."""
        fields = SuggestionInput(data=request.data).read()
        suggestion = services.create_suggestion(author=_user(request), **fields)
        return _shown(request, suggestion, status=201)


class VoteView(APIView):
    """One's own vote for one suggestion."""

    @extend_schema(request=None, responses=SuggestionSerializer)
    def post(self, request: Request, suggestion_id: int) -> Response:
        """Vote for it. Whoever has voted already changes nothing."""
        VoteInput(data=request.data).read()
        return _shown(request, services.cast_vote(suggestion_id=suggestion_id, by=_user(request)))

    @extend_schema(request=None, responses={200: SuggestionSerializer})
    def delete(self, request: Request, suggestion_id: int) -> Response:
        """Withdraw the vote. Where there is none, nothing changes."""
        VoteInput(data=request.data).read()
        return _shown(
            request, services.withdraw_vote(suggestion_id=suggestion_id, by=_user(request))
        )


class AnswerView(APIView):
    """The answer to one suggestion."""

    @extend_schema(request=AnswerInput, responses=SuggestionSerializer)
    def post(self, request: Request, suggestion_id: int) -> Response:
        """Answer it (the product's seller, staff), in place of the answer that it has."""
        # Asked first, so that a stranger learns that it is not theirs, not what a body needs.
        services.require_answerable(suggestion_id=suggestion_id, by=_user(request))
        answer = AnswerInput(data=request.data).read()
        return _shown(
            request,
            services.answer_suggestion(suggestion_id=suggestion_id, by=_user(request), **answer),
        )


def _user(request: Request) -> User:
    """Who asks: the permissions of these views let nobody else through."""
    return cast(User, request.user)


def _shown(request: Request, suggestion: Suggestion, *, status: int = 200) -> Response:
    shown = shown_suggestions([suggestion], to=_user(request))[0]
    return Response(SuggestionSerializer(shown).data, status=status)
