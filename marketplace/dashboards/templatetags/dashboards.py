"""{% load dashboards %}: sparklines, the bars of the day, and times as scripts compare them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone

from marketplace.dashboards.figures import Figures, bar_heights, spark_area, spark_line
from realtime.api import iso_milliseconds

register = template.Library()


@dataclass(frozen=True, slots=True)
class Hour:
    """One bar of the day; height: in percent of the highest."""

    begins: datetime
    count: int
    height: int
    is_now: bool

    @property
    def top(self) -> int:
        """How far down the bar begins, in percent."""
        return 100 - self.height


@register.inclusion_tag("dashboards/_sparkline.html")
def sparkline(values: Sequence[int], label: str) -> dict[str, str]:
    """The line of values by day; label: what it shows, for those who do not see it."""
    return {"line": spark_line(values), "area": spark_area(values), "label": label}


@register.simple_tag
def day_hours(book: Mapping[str, Any], figures: Figures) -> list[Hour]:
    """The bars of the book's day."""
    today, now = datetime.fromisoformat(book["today"]), timezone.now()
    begins = [today + timedelta(hours=number) for number in range(len(figures.hours))]
    return [
        Hour(begin, count, height, is_now=begin <= now < begin + timedelta(hours=1))
        for begin, count, height in zip(
            begins, figures.hours, bar_heights(figures.hours), strict=True
        )
    ]


@register.filter
def value_of(values: Mapping[str, str], name: str) -> str:
    """What a mapping has under a name."""
    return values[name]


@register.filter
def wire_time(moment: datetime) -> str:
    """A time as payloads have it."""
    return iso_milliseconds(moment)
