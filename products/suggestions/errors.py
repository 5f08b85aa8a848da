"""Why a service of suggestions refuses. One handler makes answers of these (docs/errors.md)."""

from django.utils.translation import gettext_lazy as _

from marketplace.rest.errors import DomainError


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
