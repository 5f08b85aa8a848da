"""Why a service of suggestions refuses. One handler makes answers of these (docs/errors.md)."""

import msgspec
from django.utils.translation import gettext_lazy as _

from marketplace.rest.errors import DomainError
from products.suggestions.events import AnswerData


class SuggestionNotFound(DomainError):
    """There is no such suggestion."""

    status = 404
    code = "not_found"
    detail = _("There is no such suggestion.")


class NotYoursToAnswer(DomainError):
    """Only the product's seller and staff answer; what is said to the shop, staff alone."""

    status = 403
    code = "not_yours_to_answer"
    detail = _("The product's seller and staff answer this.")


class StaleAnswer(DomainError):
    """Somebody answered since the caller read it, or the answer was taken back.

    Says the present answer, null where there is none.
    """

    status = 409
    code = "stale_version"
    detail = _("The answer was changed meanwhile: read it again.")

    def __init__(self, present: AnswerData | None) -> None:
        super().__init__(answer=msgspec.to_builtins(present))
