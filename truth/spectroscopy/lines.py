"""Read directories of 160-column line files into one record of lines with its origin."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

MOLECULES = {"H2O": 1, "CO2": 2, "O2": 7}  # HITRAN numbers
RECORD_LENGTH = 160  # characters, HITRAN 2004 layout


@dataclass(frozen=True)
class LineSource:
    """Line records by molecule, where they came from and the hash of the files."""

    directory: Path
    files: tuple[str, ...]
    sha256: str
    records: dict[str, tuple[str, ...]]  # molecule -> records in order of wavenumber

    def within(self, molecule: str, low_cm1: float, high_cm1: float) -> tuple[str, ...]:
        """Give the records of one molecule with low <= line centre <= high."""
        return tuple(r for r in self.records[molecule] if low_cm1 <= centre_cm1(r) <= high_cm1)


def centre_cm1(record: str) -> float:
    return float(record[3:15])


def read_lines(directory: Path) -> LineSource:
    """Read every *.par file of a directory; molecules other than those in MOLECULES are skipped."""
    paths = sorted(Path(directory).glob("*.par"))
    if not paths:
        raise ValueError(f"{directory}: expected at least one 160-column *.par file, found none")
    digest = hashlib.sha256()
    found: dict[str, list[str]] = {name: [] for name in MOLECULES}
    name_of = {f"{number:2d}": name for name, number in MOLECULES.items()}
    for path in paths:
        text = path.read_text(encoding="ascii")
        digest.update(text.encode())
        for number, record in enumerate(text.splitlines(), 1):
            if len(record) != RECORD_LENGTH:
                raise ValueError(f"{path}:{number}: expected {RECORD_LENGTH} characters, got {len(record)}")
            if record[:2] in name_of:
                found[name_of[record[:2]]].append(record)
    records = {name: tuple(sorted(lines, key=centre_cm1)) for name, lines in found.items()}
    return LineSource(Path(directory), tuple(p.name for p in paths), digest.hexdigest(), records)
