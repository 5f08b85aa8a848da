"""The requests about accounts: read what was sent, call one service, show the outcome."""

from typing import cast

from django.contrib.auth import update_session_auth_hash
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts import serializers, services
from marketplace.accounts.models import User
from marketplace.accounts.proofs import Proof
from marketplace.rest.addresses import address_of


class OpenView(APIView):
    """A view that needs no login, and looks at none: a dead token must not stand in its way."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class RegisterView(OpenView):
    @extend_schema(
        request=serializers.RegistrationInput,
        responses={201: serializers.RegisteredUserSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make an account."""
        fields = serializers.RegistrationInput(data=request.data).read()
        user = services.register_user(**fields, address=address_of(request._request))
        return Response(serializers.RegisteredUserSerializer(user).data, status=201)


class TokenView(OpenView):
    @extend_schema(request=serializers.CredentialsInput, responses=serializers.TokenPairSerializer)
    def post(self, request: Request) -> Response:
        """Log in: an access token for 15 minutes and a refresh token for 14 days."""
        credentials = serializers.CredentialsInput(data=request.data).read()
        tokens = services.log_in(**credentials, address=address_of(request._request))
        return Response(serializers.TokenPairSerializer(tokens).data)


class RefreshView(OpenView):
    @extend_schema(request=serializers.RefreshInput, responses=serializers.TokenPairSerializer)
    def post(self, request: Request) -> Response:
        """Spend a refresh token for new ones. Spending it twice ends the login."""
        tokens = services.rotate_refresh(**serializers.RefreshInput(data=request.data).read())
        return Response(serializers.TokenPairSerializer(tokens).data)


class LogoutView(OpenView):
    @extend_schema(request=serializers.RefreshInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the login of a refresh token, with all its tokens and streams."""
        services.log_out(**serializers.RefreshInput(data=request.data).read())
        return Response(status=204)


class PasswordView(APIView):
    @extend_schema(request=serializers.PasswordInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """Change one's password. One's other logins end."""
        passwords = serializers.PasswordInput(data=request.data).read()
        user, proof = who_asks(request)
        services.change_password(
            user=user,
            keep=proof.login.pk,
            address=address_of(request._request),
            **passwords,
        )
        keep_session(request, user)
        return Response(status=204)


class AccountView(APIView):
    @extend_schema(responses=serializers.OwnAccountSerializer)
    def get(self, request: Request) -> Response:
        """One's own account."""
        return Response(serializers.OwnAccountSerializer(request.user).data)

    @extend_schema(request=serializers.AccountInput, responses=serializers.OwnAccountSerializer)
    def patch(self, request: Request) -> Response:
        """Change one's address or language."""
        changes = serializers.AccountInput(data=request.data).read()
        user, _proof = who_asks(request)
        services.update_account(user=user, changes=changes)
        return Response(serializers.OwnAccountSerializer(user).data)


class TicketView(APIView):
    @extend_schema(request=None, responses={201: serializers.TicketSerializer})
    def post(self, request: Request) -> Response:
        """A ticket that opens one stream in place of a token, so that none stands in a URL."""
        _user, proof = who_asks(request)
        ticket = services.issue_ticket(proof=proof)
        return Response(serializers.TicketSerializer(ticket).data, status=201)


def who_asks(request: Request) -> tuple[User, Proof]:
    """The user and what proved it; the permissions of these views let nobody else through."""
    return cast(User, request.user), cast(Proof, request.auth)


def keep_session(request: Request, user: User) -> None:
    """A session is bound to the password's hash: let the one that changed it go on."""
    if getattr(request._request, "login_proof", None) == request.auth:
        update_session_auth_hash(request._request, user)
