"""What is asked of an XLSX file before anything of it is unpacked into memory.

An XLSX file is a ZIP archive of XML (ECMA-376). A few kilobytes of it can unpack to gigabytes, so
the sizes that it declares are added up, and Python's zipfile unpacks no more of a part than that.
What is refused here is refused at once; what comes through is read in a process with limits (xlsx).
"""

import struct
import zipfile
import zlib
from typing import IO

from django.utils.translation import gettext_lazy as _

from products.imports.errors import UnreadableFile

MAX_PARTS = 1_000
MAX_UNPACKED_BYTES = 400 * 1024 * 1024
# All texts of the sheets, which are in memory at once.
MAX_SHARED_BYTES = 64 * 1024 * 1024
# So much longer than packed a part may be, if it is long.
MAX_RATIO = 100
SHORT_BYTES = 1024 * 1024

_NEEDED = {"[Content_Types].xml", "xl/workbook.xml"}
_SHARED = "xl/sharedStrings.xml"

# The end of an archive (APPNOTE.TXT 4.3.16): disks, entries, the directory's size and place.
_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_ZIP64_MARK = b"PK\x06\x07"
_ZIP64_BYTES = 20
_MAX_COMMENT = 65_535
_MAX_DIRECTORY_BYTES = 256 * 1024


# What zipfile raises for archives that are broken, or built to break it.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
)


def check_archive(file: IO[bytes]) -> None:
    """Raises UnreadableFile unless it is an XLSX file that unpacks to something bearable.

    Only the archive's directory is read.
    """
    _refuse_large_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except _BROKEN as error:
        raise UnreadableFile(_("The file is no XLSX file, or is broken.")) from error
    if not {part.filename for part in parts} >= _NEEDED:
        raise UnreadableFile(_("The file is no XLSX file, or is broken."))
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableFile(_("The file is protected by a password."))
    if len(parts) > MAX_PARTS or not all(_is_bearable(part) for part in parts):
        raise UnreadableFile(_("The file unpacks to more than is taken."))
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise UnreadableFile(_("The file unpacks to more than is taken."))


def _refuse_large_directory(file: IO[bytes]) -> None:
    """zipfile reads an archive's whole directory, which may have a million lines."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - _MAX_COMMENT - _ZIP64_BYTES))
    tail = file.read()
    at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) - at < _END.size:
        raise UnreadableFile(_("The file is no XLSX file, or is broken."))
    *_disks, directory_bytes, _offset, _comment = _END.unpack_from(tail, at)
    is_zip64 = tail[max(0, at - _ZIP64_BYTES) : at].startswith(_ZIP64_MARK)
    if is_zip64 or directory_bytes > _MAX_DIRECTORY_BYTES:
        raise UnreadableFile(_("The file unpacks to more than is taken."))


def _is_bearable(part: zipfile.ZipInfo) -> bool:
    if part.filename == _SHARED and part.file_size > MAX_SHARED_BYTES:
        return False
    return part.file_size <= max(SHORT_BYTES, MAX_RATIO * part.compress_size)
