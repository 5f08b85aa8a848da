"""Why a service of orders refuses. One handler makes answers of these (docs/errors.md)."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from marketplace.rest.errors import DomainError, ErrorItem


class OrderNotFound(DomainError):
    """There is no such order, or none that this person may know of."""

    status = 404
    code = "not_found"
    detail = _("There is no such order.")


class BuyersOnly(DomainError):
    """Only buyers place orders."""

    status = 403
    code = "buyers_only"
    detail = _("Only buyers may place orders.")


class CartRefused(DomainError):
    """Lines of the cart cannot be had as they were asked for; nothing was taken.

    Names each of them, by insufficient_stock, price_changed or product_unavailable.
    """

    status = 409
    detail = _("This cannot be ordered as it is.")

    def __init__(self, errors: Sequence[ErrorItem]) -> None:
        super().__init__(errors=errors)


class AddressRequired(DomainError):
    """Goods need an address to be sent to."""

    status = 400
    code = "required"
    detail = _("Goods need a shipping address: send one, or store one with your account.")

    def __init__(self) -> None:
        super().__init__(attr="shippingAddress")


class TotalTooLarge(DomainError):
    """The orders' sum is beyond what is reckoned with here."""

    status = 400
    code = "total_too_large"
    detail = _("This is too much for one order.")

    def __init__(self) -> None:
        super().__init__(attr="lines")


class NotYourStep(DomainError):
    """A step that this participant may never take, whatever the order's status."""

    status = 403
    code = "not_your_step"
    detail = _("This step is not yours to take.")


class IllegalTransition(DomainError):
    """A step of this participant's, but not from the present status, which it says."""

    status = 409
    code = "illegal_transition"
    detail = _("The order's present status does not allow this step.")

    def __init__(self, *, present: str) -> None:
        super().__init__(present_status=present)


class StaleOrder(DomainError):
    """The order was changed since the caller loaded it."""

    status = 409
    code = "stale_version"
    detail = _("The order was changed meanwhile: load it again.")


class InvalidIdempotencyKey(DomainError):
    """The header is not of its form."""

    status = 400
    code = "invalid_idempotency_key"
    detail = _("Idempotency-Key has 1 to 255 visible ASCII characters.")


class IdempotencyMismatch(DomainError):
    """The user's key stands for another request already."""

    status = 422
    code = "idempotency_mismatch"
    detail = _("This Idempotency-Key was used for another request.")


class IdempotencyInFlight(DomainError):
    """The request with this key is still running."""

    status = 409
    code = "idempotency_in_flight"
    detail = _("The request with this Idempotency-Key is still running.")

    def __init__(self) -> None:
        super().__init__(retry_after=1)
