"""How a request to the API says who asks: a Bearer token, or the session cookie with CSRF."""

from django.utils.translation import gettext_lazy as _
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from marketplace.accounts.errors import InvalidLogin
from marketplace.accounts.models import User
from marketplace.accounts.proofs import Proof, prove_by_access_token


def bearer_token(header: str) -> str | None:
    """The token in an Authorization header; None for another scheme, "" for Bearer alone."""
    scheme, _blank, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class BearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <access token>`; request.auth is the Proof.

    The first class: its challenge makes DRF answer 401, not 403, where nobody is logged in.
    """

    def authenticate(self, request: Request) -> tuple[User, Proof] | None:
        token = bearer_token(request.META.get("HTTP_AUTHORIZATION", ""))
        if token is None:
            return None
        try:
            proof = prove_by_access_token(token)
        except InvalidLogin as error:
            raise AuthenticationFailed(error.detail, code=error.code) from error
        return proof.user, proof

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The session cookie, as LoginMiddleware checked it; unsafe methods need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Proof] | None:
        proof: Proof | None = getattr(request._request, "login_proof", None)
        if proof is None:
            return None
        self.enforce_csrf(request)
        return proof.user, proof

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(
                _("The CSRF token is missing or incorrect."), code="csrf_failed"
            ) from error
