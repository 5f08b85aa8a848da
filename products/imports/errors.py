"""Why a service of imports refuses. One handler makes answers of these (docs/errors.md)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.rest.errors import DomainError


class ImportNotFound(DomainError):
    """There is no such import, or it is somebody else's."""

    status = 404
    code = "not_found"
    detail = _("There is no such import.")


class ImportFinished(DomainError):
    """What is over cannot be cancelled."""

    status = 409
    code = "import_finished"
    detail = _("This import is over already.")


class TooManyImports(DomainError):
    """So many of one seller wait already."""

    status = 409
    code = "too_many_imports"
    detail = _("Too many of your imports are waiting. Try again when one of them is over.")


class FileTooLarge(DomainError):
    """The file has more bytes than are taken."""

    status = 413
    code = "too_large"
    detail = _("A file has at most 50 MB.")


class InvalidFile(DomainError):
    """The file is not what is taken, whatever it is called."""

    status = 400
    code = "invalid_file"
    detail = _("Send one file: CSV as UTF-8, or XLSX.")


class UnreadableFile(Exception):
    """The file cannot be read any further: nothing of it is imported.

    row: where, as a spreadsheet counts; 0 for the file as a whole. message: for its owner, lazily
    translated.
    """

    def __init__(self, message: str | Promise, *, row: int = 0) -> None:
        self.row = row
        self.message = message
        super().__init__(str(message))
