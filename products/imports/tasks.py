"""The Celery task; marketplace.celery is the application."""

from threading import Event
from uuid import UUID

from celery import shared_task

from products.imports.running import run_import


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def import_catalogue(task_id: str) -> None:
    """Work on an import if it is its turn; a message that comes twice does nothing."""
    # Celery stops a worker when its tasks are over, or kills it: then another takes the import up.
    run_import(UUID(task_id), stop=Event())
