"""The ids that trackers have for a search: a file in its save directory, `trackers.json`.

So a search that goes on goes on in the tracker, too, and one in an emptied directory is a new one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from pyshac.core.basics import files
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.storage.layout import Layout

# Ids become parts of paths and requests: no separators, dots or quotes.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)


class RunIds:
    """The ids that a tracker has for a search, the latest one last.

    There are several if the search was logged to several servers.

    Args:
        save_dir: The save directory.
        tracker: The tracker's key in the file.
    """

    def __init__(self, save_dir: str, tracker: str) -> None:
        self._path = Layout(Path(save_dir)).trackers
        self._tracker = tracker

    def known(self) -> list[str]:
        """Returns the ids; raises `SaveDirectoryError` if the file is corrupt."""
        return self._read().get(self._tracker, [])

    def add(self, id: str) -> None:
        """Adds an id, or makes it the latest one.

        Raises:
            OSError: If the file cannot be written.
            SaveDirectoryError: If it is corrupt.
        """
        content = self._read()
        known = content.get(self._tracker, [])
        if known[-1:] == [id]:
            return
        content[self._tracker] = [*(each for each in known if each != id), id]
        files.make_folder(self._path.parent)
        files.write_atomically(self._path, f"{json.dumps(content)}\n".encode("ascii"))

    def _read(self) -> dict[str, list[str]]:
        files.refuse_link(self._path)
        try:
            content = json.loads(files.read_bounded(self._path, files.MAX_JSON_BYTES))
            if all(_is_list_of_ids(ids) for ids in content.values()):
                return dict(content)
        except FileNotFoundError:
            return {}
        except (ValueError, AttributeError, RecursionError):
            pass
        raise SaveDirectoryError(
            f"{str(self._path)!r} is corrupt. Remove it: trackers then begin anew with the search."
        )


def _is_list_of_ids(ids: object) -> bool:
    return isinstance(ids, list) and all(isinstance(id, str) and _ID.fullmatch(id) for id in ids)
