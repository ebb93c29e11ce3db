"""Read directories of 160-column line files into one record of lines with its origin."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

MOLECULES = {"H2O": 1, "CO2": 2, "O2": 7}  # HITRAN numbers
ISOTOPOLOGUES = {code: number for number, code in enumerate("1234567890AB", 1)}  # HITRAN's single character
RECORD_LENGTH = 160  # characters, HITRAN 2004 layout
NUMBERS = {  # columns that must hold one
    "position": slice(3, 15),
    "intensity": slice(15, 25),
    "air width": slice(35, 40),
    "lower energy": slice(45, 55),
    "temperature exponent": slice(55, 59),
    "air shift": slice(59, 67),
}


@dataclass(frozen=True)
class LineSource:
    """Line records by molecule, where they came from and the hash of the files."""

    directory: Path
    files: tuple[str, ...]
    sha256: str
    records: dict[str, tuple[str, ...]]  # molecule -> records in order of wavenumber
    skipped: int = 0  # records of other molecules
    name: str = ""  # as the scenario names it

    def within(self, molecule: str, low_cm1: float, high_cm1: float) -> tuple[str, ...]:
        """Give the records of one molecule with low <= line centre <= high."""
        return tuple(r for r in self.records[molecule] if low_cm1 <= centre_cm1(r) <= high_cm1)

    @property
    def attributes(self) -> dict[str, str | int]:
        """Say in a product where the lines came from."""
        return {
            "line_source": self.name or str(self.directory),
            "line_files": " ".join(self.files),
            "line_list_sha256": self.sha256,
            "line_records_skipped": self.skipped,
        }


def centre_cm1(record: str) -> float:
    return float(record[3:15])


def list_sha256(paths: list[Path]) -> str:
    """Hash the contents of line files in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def line_files(directory: Path) -> list[Path]:
    """List the *.par files of a directory in the order of their names."""
    paths = sorted(Path(directory).glob("*.par"), key=lambda path: path.name)
    if not paths:
        raise ValueError(f"{directory}: expected at least one 160-column *.par file, found none")
    return paths


def read_lines(directory: Path, name: str = "") -> LineSource:
    """Read every *.par file of a directory; molecules other than those in MOLECULES are counted only."""
    paths = line_files(directory)
    found: dict[str, list[str]] = {molecule: [] for molecule in MOLECULES}
    name_of = {f"{number:2d}": molecule for molecule, number in MOLECULES.items()}
    skipped = 0
    for path in paths:
        for number, record in enumerate(_text(path).splitlines(), 1):
            if fault := _fault(record):
                raise ValueError(f"{path}:{number}: {fault}")
            if record[:2] in name_of:
                found[name_of[record[:2]]].append(record)
            else:
                skipped += 1
    records = {molecule: tuple(sorted(lines, key=centre_cm1)) for molecule, lines in found.items()}
    files = tuple(path.name for path in paths)
    return LineSource(Path(directory), files, list_sha256(paths), records, skipped, name)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except UnicodeDecodeError as error:
        number = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path}:{number}: expected ASCII text, got byte {error.object[error.start]:#x}"
        ) from None


def _fault(record: str) -> str:
    """Say what is wrong with a record, nothing when it is whole."""
    if len(record) != RECORD_LENGTH:
        return f"expected {RECORD_LENGTH} characters, got {len(record)}"
    if not record[:2].strip().isdigit():
        return f"expected a molecule number in columns 1-2, got {record[:2]!r}"
    if record[2] not in ISOTOPOLOGUES:
        return f"expected an isotopologue of {''.join(ISOTOPOLOGUES)} in column 3, got {record[2]!r}"
    for name, columns in NUMBERS.items():
        try:
            good = math.isfinite(float(record[columns]))
        except ValueError:
            good = False
        if not good:
            where = f"columns {columns.start + 1}-{columns.stop}"
            return f"expected a number as {name} in {where}, got {record[columns]!r}"
    return ""
