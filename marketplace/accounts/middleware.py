"""The session's login, on every request that comes with a session cookie."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation

from marketplace.accounts.errors import InvalidLogin
from marketplace.accounts.proofs import Proof, prove_by_session


def login_id(request: HttpRequest) -> dict[str, str]:
    """Template context: login_id, by which tabs of different logins know one another apart."""
    proof: Proof | None = getattr(request, "login_proof", None)
    return {} if proof is None else {"login_id": str(proof.login.pk)}


class LoginMiddleware:
    """Sets request.login_proof (None for nobody), logs out a session whose login ended, and
    speaks the user's language.

    Without a cookie nothing is read: an anonymous visitor costs no query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        proof = self._prove(request)
        request.login_proof = proof  # type: ignore[attr-defined]
        if proof is not None:
            translation.activate(proof.user.language)
        return self.get_response(request)

    def _prove(self, request: HttpRequest) -> Proof | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        try:
            proof = prove_by_session(request.session)
        except InvalidLogin:
            proof = None
        if proof is not None:
            request.user = proof.user
        elif request.user.is_authenticated:
            logout(request)
        return proof
