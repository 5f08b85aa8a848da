"""The pages of imports: rendered once, then patched by their scripts from events."""

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404
from django.views.generic import ListView, TemplateView

from marketplace.accounts.models import User
from products.imports.columns import FIELDS
from products.imports.errors import ImportNotFound
from products.imports.events import import_data
from products.imports.files import MAX_FILE_BYTES
from products.imports.models import Import, ImportQuerySet
from products.imports.selectors import find_import, visible_imports

PAGE_SIZE = 20


class ImportsPage(LoginRequiredMixin, ListView):  # type: ignore[type-arg] # no generic at run time
    """Where a seller hands a file in, and what became of those before, newest first.

    Context: imports (ImportData), may_import, fields (the columns that a file may have), max_bytes,
    and what Django's ListView says of pages.
    """

    template_name = "imports/imports.html"
    paginate_by = PAGE_SIZE

    def get_queryset(self) -> ImportQuerySet:
        return visible_imports(_user(self)).select_related("seller")

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        context = super().get_context_data(**context)
        return {
            **context,
            "imports": [import_data(job) for job in context["object_list"]],
            "may_import": _user(self).role == User.Role.SELLER,
            "fields": FIELDS,
            "max_bytes": MAX_FILE_BYTES,
        }


class ImportPage(LoginRequiredMixin, TemplateView):
    """One import: how far it is, and what is wrong with its rows.

    Context: job (ImportData), owner_name (of another's import), steps.
    """

    template_name = "imports/import.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        job = self._find(context["task_id"])
        return super().get_context_data(
            job=import_data(job),
            owner_name="" if job.seller_id == _user(self).pk else job.seller.get_username(),
            steps=_steps(job),
            **context,
        )

    def _find(self, task_id: UUID) -> Import:
        try:
            return find_import(task_id, by=_user(self))
        except ImportNotFound as error:
            raise Http404 from error


def _steps(job: Import) -> list[tuple[str, str]]:
    """Value and label of the steps that this import has: a trial writes nothing."""
    steps = list(Import.Step)
    return [(step.value, str(step.label)) for step in (steps[:2] if job.dry_run else steps)]


def _user(view: Any) -> User:
    return cast(User, view.request.user)
