"""The files of an import: what is taken, where it is kept, and what is refused at once.

Nothing here is served: the folder of imports lies beside the one of uploads that are.
"""

import codecs
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import IO
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from products.imports.archive import check_archive
from products.imports.errors import FileTooLarge, InvalidFile, UnreadableFile
from products.imports.models import MAX_FILE_NAME, Import

MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_REQUEST_BYTES = MAX_FILE_BYTES + 64 * 1024  # with what a form has around its file

_HEAD_BYTES = 64 * 1024
_ZIP = b"PK\x03\x04"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UNFIT = re.compile(r"[\x00-\x1f\x7f]")
# Whatever else stands in the folder is not ours to delete.
_OURS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A folder without an import is left alone so long: its import may be about to be written.
_YOUNG_SECONDS = 3600


class ImportFiles:
    """The folder of one import: the upload, and what the steps make of it."""

    def __init__(self, task_id: UUID) -> None:
        self.folder = settings.IMPORTS_ROOT / str(task_id)
        self.upload = self.folder / "upload"
        self.rows = self.folder / "rows"  # as they were read
        self.checked = self.folder / "checked"  # those that are valid

    def keep(self, upload: IO[bytes]) -> None:
        """Copy the uploaded file."""
        self.folder.mkdir(mode=0o700, parents=True)
        with self.upload.open("xb") as copy:
            upload.seek(0)
            shutil.copyfileobj(upload, copy)

    def discard(self) -> None:
        """Delete all of them; what is not there, or cannot be deleted, is left to tidy()."""
        shutil.rmtree(self.folder, ignore_errors=True)


def recognise(upload: IO[bytes], *, name: str) -> Import.Format:
    """What the file is, by its name and its content, which must agree.

    Raises FileTooLarge, InvalidFile. Of the content only the beginning is read, and what an
    archive says of its parts.
    """
    size = upload.seek(0, 2)
    if size > MAX_FILE_BYTES:
        raise FileTooLarge
    upload.seek(0)
    head = upload.read(_HEAD_BYTES)
    if not head:
        raise InvalidFile(_("The file is empty."))
    ending = PurePath(name).suffix.lower()
    if ending == ".xlsx" and head.startswith(_ZIP):
        try:
            check_archive(upload)
        except UnreadableFile as error:
            raise InvalidFile(error.message) from error
        return Import.Format.XLSX
    if ending == ".csv" and not head.startswith(_ZIP):
        _refuse_other_text(head, is_all=size == len(head))
        return Import.Format.CSV
    raise InvalidFile(_("Send a CSV or XLSX file, with the ending of what it is."))


def display_name(name: str) -> str:
    """The file's own name, without folders and what cannot be shown."""
    return _UNFIT.sub("", PurePath(name.replace("\\", "/")).name)[-MAX_FILE_NAME:]


def tidy() -> None:
    """Delete the folders that no unfinished import needs: of processes that died at the end."""
    needed = {str(pk) for pk in Import.objects.unfinished().values_list("pk", flat=True)}
    for folder in _folders():
        if folder.name not in needed and folder.stat().st_mtime < time.time() - _YOUNG_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _folders() -> Iterator[Path]:
    if settings.IMPORTS_ROOT.is_dir():
        folders = (path for path in settings.IMPORTS_ROOT.iterdir() if path.is_dir())
        yield from (path for path in folders if _OURS.fullmatch(path.name))


def _refuse_other_text(head: bytes, *, is_all: bool) -> None:
    if head.startswith(_UTF_16):
        raise InvalidFile(_("The file is UTF-16. Save it as “CSV UTF-8”."))
    if b"\0" in head:
        raise InvalidFile(_("The file is no text: save it as “CSV UTF-8”."))
    try:
        # A character may be cut in two where the head ends.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=is_all)
    except UnicodeDecodeError as error:
        raise InvalidFile(_("The file is not UTF-8. Save it as “CSV UTF-8”.")) from error
