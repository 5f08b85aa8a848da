"""How money, times and stock levels are written for people, in the active language.

static/realtime/format.js writes the same texts with the browser's Intl: a page that patches itself
must not change its spelling. tests/pages/test_formats.py holds the two together.
"""

import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from babel import dates, numbers
from django.utils import timezone
from django.utils.translation import get_language, pgettext

# English pages are written for Europe: 21 Nov 2026, 14:03.
_LOCALES = {"en": "en_GB", "fr": "fr"}
_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"

# A bar is full at so many times the threshold under which a stock is low.
FULL_BAR_THRESHOLDS = 4

# recent: the time of what was today, and date and time of what was before.
Style = Literal["date", "time", "datetime", "recent"]


def active_locale() -> str:
    """The locale, as Babel names it, in which the active language is written."""
    return _LOCALES.get((get_language() or "en").partition("-")[0], "en_GB")


def format_money(amount: Decimal | str, currency: str) -> str:
    """An amount with its currency: "€12.50", "12,50 €"."""
    digits = numbers.get_currency_precision(currency)
    # Babel would round half to even; browsers round half up.
    rounded = Decimal(amount).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    text = numbers.format_currency(rounded, currency, locale=active_locale())
    # CLDR's currency spacing, which Babel leaves out: "CHF 12.50".
    return _LETTER_BESIDE_DIGIT.sub(_NO_BREAK_SPACE, text)


def format_number(number: float) -> str:
    """A number: "1,204", "3.5"."""
    text: str = numbers.format_decimal(number, locale=active_locale())
    return text


def format_moment(
    moment: datetime, style: Style = "datetime", *, now: datetime | None = None
) -> str:
    """A point in time in the active time zone; the browser writes it again in the reader's."""
    local = timezone.localtime(moment)
    if style == "recent":
        is_today = local.date() == timezone.localtime(now).date()
        style = "time" if is_today else "datetime"
    locale = active_locale()
    day = dates.format_date(local, "medium", locale=locale)
    time = dates.format_time(local, "short", locale=locale)
    return {"date": day, "time": time, "datetime": f"{day}, {time}"}[style]


def format_ago(moment: datetime, *, now: datetime | None = None) -> str:
    """How long ago a moment was: "now", "4 min ago", and from a week on its date."""
    passed = (now or timezone.now()) - moment
    if passed < timedelta(seconds=60):
        return pgettext("moment", "now")
    if passed >= timedelta(days=7):
        return format_moment(moment, "date")
    unit = (
        timedelta(minutes=1)
        if passed < timedelta(hours=1)
        else timedelta(hours=1)
        if passed < timedelta(days=1)
        else timedelta(days=1)
    )
    return dates.format_timedelta(
        -(passed // unit) * unit,
        add_direction=True,
        format="short",
        threshold=1,
        locale=active_locale(),
    )


def level_word(level: str) -> str:
    """The word of a stock level (products.availability)."""
    return {
        "ok": pgettext("stock", "In stock"),
        "few": pgettext("stock", "Few left"),
        "low": pgettext("stock", "Almost gone"),
        "out": pgettext("stock", "Sold out"),
    }[level]


def level_share(*, stock: int, low_stock_threshold: int, max_group_size: int | None) -> int:
    """How full a stock's bar is, in percent: of a tour's places, else of four thresholds."""
    full = max_group_size or low_stock_threshold * FULL_BAR_THRESHOLDS
    if stock <= 0:
        return 0
    # A bar that is not empty shows at least a stroke.
    return 100 if stock >= full else max(3, stock * 100 // full)
