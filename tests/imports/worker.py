"""python -m tests.imports.worker TASK [PLACE CALL]: work on an import in a process of its own.

PLACE and CALL: the process is killed when it calls this function so often, before the call.
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

# So slowly that most of it is left to a step of its own.
FRAMES_PER_SECOND = 20


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


def main(task_id: str, place: str = "", call: str = "") -> None:
    """Work, or die."""
    django.setup()
    # Their models need Django.
    from products.imports import announcing
    from products.imports.running import run_import

    if place:
        announcing.FRAMES_PER_SECOND = FRAMES_PER_SECOND
        die_at(place, int(call))
    if not run_import(UUID(task_id), stop=Event()):
        sys.exit("It was not its turn.")


if __name__ == "__main__":
    main(*sys.argv[1:])
