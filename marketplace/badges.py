"""How a status looks on a page, whatever it is the status of (components/status.html)."""

from typing import Any, NamedTuple


class Badge(NamedTuple):
    """A status as word, tone and shape."""

    word: Any  # translated when it is written
    tone: str
    icon: str

    def context(self, status: str) -> dict[str, Any]:
        """What the template is rendered with."""
        return {"status": str(status), **self._asdict()}
