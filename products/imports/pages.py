"""The pages of imports: rendered once, then patched by their scripts from events."""

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404
from django.views.generic import ListView, TemplateView

from marketplace.accounts.models import User
from products.imports.errors import ImportNotFound
from products.imports.events import ImportData, import_data
from products.imports.files import MAX_FILE_BYTES
from products.imports.guide import COLUMNS
from products.imports.models import Import, ImportQuerySet
from products.imports.selectors import find_import, visible_imports

PAGE_SIZE = 20


class ImportsPage(LoginRequiredMixin, ListView):  # type: ignore[type-arg] # no generic at run time
    """Where a seller hands a file in, and what became of those before, newest first.

    Context: imports (rows with their seller), may_import, columns (that a file may have),
    max_bytes, unfinished (the ids of one's own that wait or run, on whatever page), steps, and what
    Django's ListView says of pages.
    """

    template_name = "imports/imports.html"
    context_object_name = "imports"
    paginate_by = PAGE_SIZE

    def get_queryset(self) -> ImportQuerySet:
        return visible_imports(_user(self)).select_related("seller")

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        user = _user(self)
        return super().get_context_data(
            may_import=user.role == User.Role.SELLER,
            columns=COLUMNS,
            max_bytes=MAX_FILE_BYTES,
            unfinished=user.imports.unfinished().values_list("pk", flat=True),
            steps=steps_of(dry_run=False),
            **context,
        )


class ImportPage(LoginRequiredMixin, TemplateView):
    """One import: how far it is, and what is wrong with its rows.

    Context: job (ImportData), format, owner_name (of another's import), steps, facts (facts_of),
    reason (why it failed, None if it did not), complaints (what is wrong with its rows).
    """

    template_name = "imports/import.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        row = self._find(context["task_id"])
        job = import_data(row)
        has_reason = job.status == "failed"
        return super().get_context_data(
            job=job,
            format=row.format,
            owner_name="" if row.seller_id == _user(self).pk else row.seller.get_username(),
            steps=steps_of(dry_run=row.dry_run),
            facts=facts_of(job),
            # What ended it stands before what is wrong with single rows.
            reason=job.errors[0] if has_reason else None,
            complaints=job.errors[has_reason:],
            **context,
        )

    def _find(self, task_id: UUID) -> Import:
        try:
            return find_import(task_id, by=_user(self))
        except ImportNotFound as error:
            raise Http404 from error


def steps_of(*, dry_run: bool) -> list[tuple[str, str]]:
    """Value and label of the steps that an import has: a trial writes nothing."""
    steps = list(Import.Step)
    return [(step.value, str(step.label)) for step in (steps[:2] if dry_run else steps)]


def facts_of(job: ImportData) -> set[str]:
    """What is true of it: the page's parts are shown by it (static/imports/standing.js)."""
    is_over = job.finished_at is not None
    is_done = job.status == "done"
    has_good = bool(job.created or job.updated)
    wrote = has_good and not job.dry_run
    facts = {
        "unfinished": not is_over,
        "cancellable": not is_over and job.step != "publishing",
        "over": is_over,
        # Done, with good rows or without; cancelled or failed, with products written or without.
        "useful": is_done and has_good,
        "useless": is_done and not has_good,
        "broken-off": is_over and not is_done and wrote,
        "untouched": is_over and not is_done and not wrote,
        "counted": is_over and (is_done or wrote),
        "complaints": is_over and len(job.errors) > (job.status == "failed"),
        "ignored": is_over and bool(job.ignored_columns),
    }
    return {job.status, *(fact for fact, is_true in facts.items() if is_true)}


def _user(view: Any) -> User:
    return cast(User, view.request.user)
