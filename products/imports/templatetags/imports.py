"""{% load imports %}: what pages show of an import.

static/imports/standing.js and shown.js patch what these render.
"""

from typing import Any

from django import template
from django.template.defaultfilters import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from marketplace.badges import Badge
from marketplace.formats import format_number
from products.imports.models import Import

register = template.Library()

_MEGABYTE = 1_000_000
_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"

Status = Import.Status
Step = Import.Step


BADGES = {
    Status.QUEUED: Badge(pgettext_lazy("import", "Waiting"), "", "clock"),
    Status.RUNNING: Badge(pgettext_lazy("import", "Running"), "accent", "refresh-cw"),
    Status.DONE: Badge(pgettext_lazy("import", "Done"), "positive", "circle-check"),
    Status.FAILED: Badge(pgettext_lazy("import", "Failed"), "critical", "circle-alert"),
    Status.CANCELLED: Badge(pgettext_lazy("import", "Cancelled"), "", "circle-x"),
}


@register.inclusion_tag("components/status.html")
def import_status(status: str) -> dict[str, Any]:
    """The badge of a status."""
    return BADGES[Status(status)].context(status)


@register.simple_tag
def import_statuses() -> list[str]:
    """Every status, in the order in which they come."""
    return list(Status.values)


@register.filter
def percent(value: int) -> str:
    """How much of a step is done: "43 %"."""
    return f"{value}{_NO_BREAK_SPACE}%"


@register.filter
def stage(job: Import) -> str:
    """What is done at the moment: "Writing 43 %"; "" unless it runs."""
    if job.status != Status.RUNNING or not job.step:
        return ""
    word = capfirst(job.get_step_display())
    return f"{word} {percent(job.percent)}" if is_measured(job, job.format) else word


@register.filter
def counts(job: Import) -> list[str]:
    """What it came to: "12 created", "3 updated", "1 bad row"; "" for none and before the end."""
    if job.finished_at is None:
        return ["", "", ""]
    return [text % {"n": format_number(count)} if count else "" for count, text in _counted(job)]


def _counted(job: Import) -> list[tuple[int, str]]:
    created, updated, failed = job.created, job.updated, job.failed
    bad = (failed, ngettext("%(n)s bad row", "%(n)s bad rows", failed))
    if job.dry_run:
        return [
            (created, ngettext("%(n)s to create", "%(n)s to create", created)),
            (updated, ngettext("%(n)s to update", "%(n)s to update", updated)),
            bad,
        ]
    return [
        (created, ngettext("%(n)s created", "%(n)s created", created)),
        (updated, ngettext("%(n)s updated", "%(n)s updated", updated)),
        bad,
    ]


@register.filter
def amount(job: Any, file_format: str) -> str:
    """How far the present step is: "12,400 of 100,000 rows · 12 %", "12,400 rows so far".

    "" while nobody can say. job: a row or its ImportData.
    """
    if not is_measured(job, file_format):
        text = ngettext("%(n)s row so far", "%(n)s rows so far", job.current)
        return text % {"n": format_number(job.current)} if job.current else ""
    is_bytes = job.step == Step.READING and file_format == Import.Format.CSV
    counted = _bytes if is_bytes else _products if job.step == Step.PUBLISHING else _rows
    return f"{counted(job.current, job.total)} · {percent(job.percent)}"


@register.filter
def is_measured(job: Any, file_format: str) -> bool:
    """Whether it is known how much there is to do in the present step.

    A spreadsheet is unpacked before its rows are read, and need not say how many it has: then as
    many as were read are told.
    """
    is_open = job.step == Step.READING and file_format == Import.Format.XLSX
    return job.total > 0 and not (is_open and job.current in {0, job.total})


def _bytes(done: int, total: int) -> str:
    if total < _MEGABYTE:
        return _("%(done)s of %(total)s kB") % {
            "done": format_number(-(-done // 1_000)),
            "total": format_number(-(-total // 1_000)),
        }
    return _("%(done)s of %(total)s MB") % {
        "done": format_number(_tenths(done)),
        "total": format_number(_tenths(total)),
    }


def _tenths(size: int) -> float:
    return (size + _MEGABYTE // 20) // (_MEGABYTE // 10) / 10


def _rows(done: int, total: int) -> str:
    text = ngettext("%(done)s of %(total)s row", "%(done)s of %(total)s rows", total)
    return text % {"done": format_number(done), "total": format_number(total)}


def _products(done: int, total: int) -> str:
    text = ngettext("%(done)s of %(total)s product", "%(done)s of %(total)s products", total)
    return text % {"done": format_number(done), "total": format_number(total)}
