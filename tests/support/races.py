"""Many at once: works that are let go together, each in a thread of its own."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

from marketplace.rest.errors import DomainError

Work = Callable[[], Any]


def at_once(works: list[Work]) -> Counter[Any]:
    """Run each in a thread of its own, all let go together; count what they returned or raised.

    A refusal counts by the code of its first error; another exception fails the test.
    """
    gate = Barrier(len(works))

    def run(work: Work) -> Any:
        try:
            gate.wait(60)
            return work()
        except DomainError as refusal:
            return refusal.errors[0].code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return Counter(threads.map(run, works))
