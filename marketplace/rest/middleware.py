"""The two ends of every request: who asks, and in which form the API says no."""

import os
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from marketplace.rest import addresses
from marketplace.rest.errors import bad_request, error_response, is_api_path

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# What a framework said in a header beside an error stays true when its body is replaced.
KEPT_HEADERS = ("Allow", "Retry-After", "Vary", "WWW-Authenticate")


class ClientAddressMiddleware:
    """Sets request.client_address; what others than trusted proxies forward is dropped."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        peer = request.META.get("REMOTE_ADDR", "")
        request.client_address = addresses.client_address(  # type: ignore[attr-defined]
            peer=peer,
            forwarded_for=request.META.get("HTTP_X_FORWARDED_FOR", ""),
            trusted=settings.TRUSTED_PROXIES,
        )
        if not addresses.is_trusted_proxy(peer):
            # SECURE_PROXY_SSL_HEADER would believe it: a client could call itself secure.
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        return self.get_response(request)


class PrivateAnswersMiddleware:
    """Answers that were made for a login are kept by no cache, unless they say otherwise: who
    uses the machine next would be shown them by the browser's way back."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if has_login(request):
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


def has_login(request: HttpRequest) -> bool:
    """Whether it came with a token, or in a session whose login was found good on the way in."""
    # Not by request.user: that may ask the database, which may be why this answer is a 500.
    return bool("Authorization" in request.headers or getattr(request, "login_proof", None))


class ApiErrorMiddleware:
    """Every answer of 400 or above under /api/ has the error format, whoever gave it.

    It also refuses what no view should have to think of: NUL characters, which PostgreSQL cannot
    store or compare, more parameters than Django reads, and JSON bodies over the limit, before
    anything reads them.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if has_nul(request) or has_too_many_parameters(request):
            # Answered, not raised: Django's debugging page would read the parameters again.
            return bad_request(request, BadRequest())
        if not is_api_path(request.path_info):
            return self.get_response(request)
        state_body_length(request)
        if has_large_json(request):
            return error_response(413)
        return with_error_format(self.get_response(request))


def has_nul(request: HttpRequest) -> bool:
    """Whether path, query or cookies hold a NUL; in a cookie it can be written as \\000."""
    return (
        "\0" in request.path_info
        or "%00" in request.META["QUERY_STRING"]
        or any("\0" in value for value in request.COOKIES.values())
    )


def has_too_many_parameters(request: HttpRequest) -> bool:
    """Whether the query has more than DATA_UPLOAD_MAX_NUMBER_FIELDS, counted as Django does."""
    most: int = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    return int(request.META["QUERY_STRING"].count("&")) >= most


def state_body_length(request: HttpRequest) -> None:
    """Give a body that came in chunks its length, which Django and the parsers go by."""
    if isinstance(request, ASGIRequest) and "HTTP_TRANSFER_ENCODING" in request.META:
        body = request._stream
        request.META["CONTENT_LENGTH"] = str(body.seek(0, os.SEEK_END))
        body.seek(0)


def has_large_json(request: HttpRequest) -> bool:
    """Whether the body is JSON of more than DATA_UPLOAD_MAX_MEMORY_SIZE bytes."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return (
        request.content_type == "application/json"
        and length.isdecimal()
        and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    )


def with_error_format(response: HttpResponseBase) -> HttpResponseBase:
    """The response itself, or one in the error format in place of an error that has none."""
    if response.status_code < 400 or _is_json(response):
        return response
    formatted = error_response(response.status_code)
    for name in KEPT_HEADERS:
        if name in response.headers:
            formatted[name] = response.headers[name]
    formatted.cookies = response.cookies
    return formatted


def _is_json(response: HttpResponseBase) -> bool:
    return (
        isinstance(response, HttpResponse)
        and response.headers.get("Content-Type", "").partition(";")[0] == "application/json"
    )
