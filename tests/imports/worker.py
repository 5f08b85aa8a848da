"""python -m tests.imports.worker TASK [PLACE CALL PACE]: work on an import in its own process.

PLACE and CALL: the process is killed when it calls this function so often, before the call. PACE:
whether what it writes is told of at once, or owed and told of in the step that follows.
"""

import os
import signal
import sys
from importlib import import_module
from itertools import count
from threading import Event
from typing import Any
from uuid import UUID

import django

# In seconds, until the next frame may go: asked before each lot of rows.
WAITS = {"at-once": 0.0, "owed": 0.001}


def die_at(place: str, call: int) -> None:
    """Have this process killed by that call of the function."""
    module_name, _, name = place.rpartition(".")
    module = import_module(module_name)
    real, calls = getattr(module, name), count(1)

    def die_or_call(*args: Any, **options: Any) -> Any:
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **options)

    setattr(module, name, die_or_call)


def main(task_id: str, place: str = "", call: str = "", pace: str = "at-once") -> None:
    """Work, or die."""
    django.setup()
    # Their models need Django.
    from products.imports.announcing import Pace
    from products.imports.running import run_import

    setattr(Pace, "wait_seconds", lambda _pace: WAITS[pace])  # noqa: B010 a method is replaced
    if place:
        die_at(place, int(call))
    if not run_import(UUID(task_id), stop=Event()):
        sys.exit("It was not its turn.")


if __name__ == "__main__":
    main(*sys.argv[1:])
