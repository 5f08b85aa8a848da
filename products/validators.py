"""What a product's single values must look like, wherever they come from."""

import re
from functools import cache

from babel.core import get_global
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

# A browser reads "//host" and "/\host" as another site, and drops tabs and line ends in between.
_PATH_OF_THIS_SITE = re.compile(r"/(?![/\\])[^\s\\\x00-\x1f\x7f]*")
_absolute_https = URLValidator(schemes=["https"])


@cache
def current_currencies() -> frozenset[str]:
    """The ISO 4217 codes that are legal tender somewhere today."""
    return frozenset(
        code
        for used in get_global("territory_currencies").values()
        for code, _start, end, is_tender in used
        if is_tender and end is None
    )


def validate_currency(code: str) -> None:
    """Raises ValidationError unless the code is a current ISO 4217 currency in capitals."""
    if code not in current_currencies():
        raise ValidationError(
            _("“%(code)s” is not a current ISO 4217 currency code."),
            code="unknown_currency",
            params={"code": code},
        )


def validate_image_url(url: str) -> None:
    """Raises ValidationError unless the URL is a path of this site or absolute https."""
    if _PATH_OF_THIS_SITE.fullmatch(url):
        return
    try:
        _absolute_https(url)
    except ValidationError as error:
        raise ValidationError(
            _("Enter a path of this site that begins with “/”, or an https URL."),
            code="invalid_image_url",
        ) from error
