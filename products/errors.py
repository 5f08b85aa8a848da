"""Why a service of products refuses. One handler turns these into answers."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from marketplace.rest.errors import DomainError, ErrorItem


class ProductNotFound(DomainError):
    """There is no such product, or none that this person may know of."""

    status = 404
    code = "not_found"
    detail = _("There is no such product.")


class NotYourProduct(DomainError):
    """Only its seller and staff may change a product."""

    status = 403
    code = "not_your_product"
    detail = _("This product is another seller's.")


class SellersOnly(DomainError):
    """Only sellers offer products."""

    status = 403
    code = "sellers_only"
    detail = _("Only sellers may offer products.")


class StaleVersion(DomainError):
    """Somebody changed the product, or its stock, since the caller read it.

    Says the present version and stock_version.
    """

    status = 409
    code = "stale_version"
    detail = _("The product was changed meanwhile: load it again.")

    def __init__(self, *, version: int, stock_version: int) -> None:
        super().__init__(version=version, stock_version=stock_version)


@dataclass(frozen=True, slots=True)
class Shortage:
    """One product of which less is there than was asked for, in pieces."""

    product_id: int
    asked: int
    available: int


class InsufficientStock(DomainError):
    """Less is there than was asked for; nothing was taken."""

    status = 409
    code = "insufficient_stock"
    detail = _("There is not enough in stock.")

    def __init__(self, shortages: Iterable[Shortage]) -> None:
        self.shortages = tuple(shortages)
        super().__init__(
            errors=[
                ErrorItem(
                    code=self.code,
                    detail=self.detail,
                    extra={"product_id": shortage.product_id, "available": shortage.available},
                )
                for shortage in self.shortages
            ]
        )


class ProductUnavailable(DomainError):
    """Products that this person cannot buy now: unknown, off sale, their own, a tour gone by."""

    status = 409
    code = "product_unavailable"
    detail = _("This product cannot be bought.")

    def __init__(self, product_ids: Iterable[int]) -> None:
        self.product_ids = tuple(product_ids)
        super().__init__(
            errors=[
                ErrorItem(code=self.code, detail=self.detail, extra={"product_id": product_id})
                for product_id in self.product_ids
            ]
        )


class ImageTooLarge(DomainError):
    """The uploaded picture has more bytes than are taken."""

    status = 413
    code = "too_large"
    detail = _("A picture has at most 5 MB.")


class InvalidImage(DomainError):
    """The uploaded file is no picture that is taken, or is broken."""

    status = 400
    code = "invalid_image"
    detail = _("Send one file: a JPEG, PNG or WebP picture of at most 24 megapixels.")
