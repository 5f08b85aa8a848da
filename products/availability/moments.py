"""Moments as messages tell them: in milliseconds, and a later one for each change."""

from datetime import datetime, timedelta

MILLISECOND = timedelta(milliseconds=1)


def in_milliseconds(moment: datetime) -> datetime:
    """The moment as it stands on the wire: what is finer is dropped."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def next_moment(before: datetime, *, now: datetime) -> datetime:
    """Now, in milliseconds, or the first one after `before` where that is not earlier.

    Two changes within one millisecond, or on two machines whose clocks differ, would else carry one
    moment, or the later change the earlier one: whoever takes the later value takes the wrong one.
    """
    return max(in_milliseconds(now), in_milliseconds(before) + MILLISECOND)
