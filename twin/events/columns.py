"""Hold the columns of a long table of whole numbers: the newest rows in memory, older ones in a folder."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np

TYPES = ("q", "H", "q", "q")  # time, kind, id, value
SPILL_ROWS = 1_000_000  # 26 MB


class Columns:
    """Append to `newest`; call `spill` now and then where a folder is given."""

    def __init__(self, folder: Path | None = None) -> None:
        self.newest = tuple(array(kind) for kind in TYPES)
        self._folder, self._older = folder, 0

    def __len__(self) -> int:
        return self._older + len(self.newest[0])

    def spill(self) -> None:
        """Move the newest rows to the folder's files, if there is one and they are many."""
        if self._folder is None or len(self.newest[0]) < SPILL_ROWS:
            return
        for number, column in enumerate(self.newest):
            with self._file(number).open("ab") as stream:
                column.tofile(stream)
        self._older += len(self.newest[0])
        for column in self.newest:
            del column[:]

    def whole(self, number: int) -> np.ndarray:
        """Return a copy of a column."""
        return np.concatenate([self._mapped(number), np.array(self.newest[number])])

    def take(self, number: int, places: np.ndarray) -> np.ndarray:
        """Return the values of a column at places in rising order."""
        old = np.searchsorted(places, self._older)
        recent = np.array(self.newest[number])[places[old:] - self._older]
        return np.concatenate([self._mapped(number)[places[:old]], recent])

    def _mapped(self, number: int) -> np.ndarray:
        if not self._older:
            return np.empty(0, TYPES[number])
        return np.memmap(self._file(number), TYPES[number], "r")

    def _file(self, number: int) -> Path:
        assert self._folder is not None
        return self._folder / f"column_{number}.bin"
