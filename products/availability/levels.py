"""How scarce a stock is, in one word."""

from typing import Literal

Level = Literal["out", "low", "few", "ok"]


def level_of(*, stock: int, low_stock_threshold: int) -> Level:
    """The level of a stock: out at none, low up to the threshold, few up to twice that, else ok."""
    if stock <= 0:
        return "out"
    if stock <= low_stock_threshold:
        return "low"
    if stock <= 2 * low_stock_threshold:
        return "few"
    return "ok"
