"""How often a client may do something."""

from realtime.limits import Rate


def test_it_allows_so_many_in_any_stretch_of_time() -> None:
    rate = Rate(most=3, seconds=60)
    # Over the turn of a minute of the clock, too.
    assert [rate.allows(now) for now in (58.0, 59.0, 59.5, 60.0, 61.0)] == [True] * 3 + [False] * 2
    assert not rate.allows(117.9)
    assert rate.allows(118.0)
    assert not rate.allows(118.5)
    assert rate.allows(119.0)


def test_it_does_not_count_what_it_refused() -> None:
    rate = Rate(most=1, seconds=10)
    assert rate.allows(0)
    assert not any(rate.allows(now) for now in (1, 5, 9))
    assert rate.allows(10)
