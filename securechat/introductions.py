"""Who knows whom: a seller may open a channel only with a buyer who has dealt with them.

Orders stand beside this app, not below it: whoever knows of dealings registers here.
"""

from collections.abc import Callable

# (buyer's id, seller's id) -> whether they have dealt with one another; may use the database.
Introduction = Callable[[int, int], bool]

_introductions: list[Introduction] = []


def register_introduction(introduction: Introduction) -> None:
    """Add one more way of having dealt with one another; called in an app's ready()."""
    _introductions.append(introduction)


def have_dealt(*, buyer_id: int, seller_id: int) -> bool:
    """Whether any registered way says so."""
    return any(introduction(buyer_id, seller_id) for introduction in _introductions)
