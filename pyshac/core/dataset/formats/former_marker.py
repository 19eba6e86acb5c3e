"""`former.json`: names the subfolder of a save directory that holds the valid run, if any."""

from __future__ import annotations

import re
from pathlib import Path

from pyshac.core.basics import files
from pyshac.core.errors import SaveDirectoryError

_NAME = re.compile(r"former-[1-9][0-9]{0,8}")
_MAX_BYTES = 4096


def former_name(marker: Path) -> str | None:
    """Returns the folder name in a marker; None if there is no marker.

    Raises:
        SaveDirectoryError: If the marker is corrupt.
    """
    try:
        text = files.decode_text(files.read_bounded(marker, _MAX_BYTES), marker)
    except (FileNotFoundError, NotADirectoryError):
        return None
    content = files.parse_json(text, repr(str(marker)))
    name = content.get("former") if isinstance(content, dict) else None
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise SaveDirectoryError(f"{str(marker)!r} is corrupt: it names no folder.")
    return name
