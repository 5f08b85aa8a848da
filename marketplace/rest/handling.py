"""How exceptions become answers: one handler, so that no view catches an error of a service."""

from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_lazy as _
from drf_standardized_errors import formatter, handler
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.serializers import as_serializer_error

from marketplace.rest.errors import DomainError, error_body
from marketplace.rest.naming import camel_case

# An answer tells of so many errors; a body may hold many more.
MAX_ERRORS = 100
CHALLENGE = 'Bearer realm="api"'


class MalformedRequest(APIException):
    """The request cannot be read as HTTP, or breaks a limit of form."""

    status_code = 400
    default_code = "bad_request"
    default_detail = _("The request is malformed.")


class TooLarge(APIException):
    """The body is larger than the API reads."""

    status_code = 413
    default_code = "too_large"
    default_detail = _("The request's body is too large.")


class Refusal(APIException):
    """The shape that a DomainError takes on its way through the framework."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(detail=str(error.detail), code=error.code)
        self.status_code = error.status
        self.wait = error.retry_after
        self.auth_header = CHALLENGE if error.status == 401 else None


class ExceptionHandler(handler.ExceptionHandler):
    """Turns what views and services raise into answers: no view catches a domain error."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, DomainError):
            return Refusal(exc)
        if isinstance(exc, RequestDataTooBig):
            return TooLarge()
        if isinstance(exc, (SuspiciousOperation, BadRequest, MultiPartParserError)):
            return MalformedRequest()
        if isinstance(exc, UnreadablePostError):
            return MalformedRequest(_("The request's body ended early."))
        if isinstance(exc, DjangoValidationError):
            # A model's full_clean() names its fields in snake_case.
            errors = as_serializer_error(exc)
            return ValidationError({_wire_attr(name): value for name, value in errors.items()})
        return super().convert_known_exceptions(exc)


def _wire_attr(name: str) -> str:
    return "non_field_errors" if name == "__all__" else camel_case(name)


class ExceptionFormatter(formatter.ExceptionFormatter):
    """The library's format; a domain error may have further fields and several items."""

    def run(self) -> Any:
        if isinstance(self.original_exc, DomainError):
            return error_body(self.original_exc.status, self.original_exc.errors)
        body = super().run()
        body["errors"] = body["errors"][:MAX_ERRORS]
        return body
