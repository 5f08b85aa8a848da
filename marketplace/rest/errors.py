"""Refusals: how a service says no, and the one format in which the API says it.

The format is that of drf-standardized-errors. The codes are stable; docs/errors.md lists them.
Nothing of the framework's views is imported here, because they import what raises these errors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import csrf, defaults

from marketplace.rest.encoding import encode_json
from marketplace.rest.naming import camel_case

API_PREFIX = "/api/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorItem:
    """One reason among several.

    code: stable, for programs; detail: for people; attr: the field in the request's body that it
    is about ("lines.2"); extra: further fields, given in snake_case ({"product_id": 7}).
    """

    code: str
    detail: str | Promise
    attr: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """The item as it stands in an answer."""
        extra = {camel_case(name): value for name, value in self.extra.items()}
        return {"code": self.code, "detail": str(self.detail), "attr": self.attr, **extra}


def error_body(status: int, items: Sequence[ErrorItem]) -> dict[str, Any]:
    """The body of an answer with this status (400 or above)."""
    kind = "validation_error" if status == 400 else "client_error"
    return {
        "type": "server_error" if status >= 500 else kind,
        "errors": [item.to_wire() for item in items],
    }


class DomainError(Exception):
    """A service refuses. Subclasses name the rule, and state their status, code and detail.

    `raise StaleVersion(stock_version=7)` gives one error with the further field stockVersion.
    `raise InsufficientStock(errors=[ErrorItem(…), …])` gives several in its place, one for each
    line, say. retry_after: seconds, becomes the header Retry-After.
    """

    status: int = 409
    code: str = "conflict"
    detail: str | Promise = _("This is not possible in the present state.")

    def __init__(
        self,
        detail: str | Promise | None = None,
        *,
        attr: str | None = None,
        errors: Sequence[ErrorItem] = (),
        retry_after: int | None = None,
        **extra: Any,
    ) -> None:
        if detail is not None:
            self.detail = detail
        super().__init__(self.detail)
        self.retry_after = retry_after
        own = ErrorItem(code=self.code, detail=self.detail, attr=attr, extra=extra)
        self.errors: Sequence[ErrorItem] = errors or [own]

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


# What an answer says that no view of the API gave: by its status.
BY_STATUS: Mapping[int, ErrorItem] = {
    400: ErrorItem(code="bad_request", detail=_("The request is malformed.")),
    401: ErrorItem(code="not_authenticated", detail=_("You are not logged in.")),
    403: ErrorItem(code="permission_denied", detail=_("You may not do this.")),
    404: ErrorItem(code="not_found", detail=_("There is nothing here.")),
    405: ErrorItem(code="method_not_allowed", detail=_("This method is not allowed here.")),
    413: ErrorItem(code="too_large", detail=_("The request's body is too large.")),
    500: ErrorItem(code="error", detail=_("Something went wrong here. It has been logged.")),
    503: ErrorItem(code="unavailable", detail=_("The service cannot answer now.")),
}


def is_api_path(path: str) -> bool:
    """Whether answers at this path have the API's error format."""
    return path.startswith(API_PREFIX)


def error_response(status: int, item: ErrorItem | None = None) -> HttpResponse:
    """An answer in the API's error format; without an item it says what the status says."""
    fallback = BY_STATUS[500 if status >= 500 else 400]
    body = {**error_body(status, [item or BY_STATUS.get(status, fallback)])}
    if status == 400:
        body["type"] = "client_error"  # nothing of a body was validated
    return HttpResponse(encode_json(body), status=status, content_type="application/json")


CSRF_FAILED = ErrorItem(code="csrf_failed", detail=_("The CSRF token is missing or incorrect."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What a request without a valid CSRF token gets: the error format, or Django's page."""
    if is_api_path(request.path_info):
        return error_response(403, CSRF_FAILED)
    return csrf.csrf_failure(request, reason=reason)


# The handlers of the URLconf: no page is rendered for a program.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    if is_api_path(request.path_info):
        return error_response(413 if isinstance(exception, RequestDataTooBig) else 400)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    if is_api_path(request.path_info):
        return error_response(403)
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    if is_api_path(request.path_info):
        return error_response(404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500."""
    if is_api_path(request.path_info):
        return error_response(500)
    return defaults.server_error(request)
