"""Turn the name of a line source (lines-v1, hapi or a directory) into a directory of 160-column files."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import io
import os
import shutil
import tempfile
from functools import cache as cached
from pathlib import Path
from typing import Any

from truth.spectroscopy.lines import MOLECULES, LineSource, read_lines

PACKAGE_DATA = Path(__file__).parents[1] / "data"
OWN = "lines-v1"
ONLINE = "hapi"
# The four bands with the wings' reach, 25 cm-1, and the whole 1.27 um band, which normalises the airglow
A_BAND, AIRGLOW, WEAK_CO2, STRONG_CO2 = (
    (12950.0, 13225.0),
    (7700.0, 8000.0),
    (6140.0, 6300.0),
    (4840.0, 4980.0),
)
WINDOWS_CM1 = {  # in which a molecule has lines: an empty answer of the server counts as a failure
    "H2O": (A_BAND, AIRGLOW, WEAK_CO2, STRONG_CO2),
    "CO2": (AIRGLOW, WEAK_CO2, STRONG_CO2),
    "O2": (A_BAND, AIRGLOW),
}
ISOTOPOLOGUES = {"H2O": 7, "CO2": 12, "O2": 3}  # how many of each HITRAN has


@cached
def open_source(name: str) -> LineSource:
    """Read the lines of a source once a process; see `directory`."""
    return read_lines(directory(name), name)


def directory(name: str, cache: Path | None = None) -> Path:
    """Find the line files of a source; `hapi` is downloaded once into the cache (default: the user's)."""
    if name == OWN:
        return PACKAGE_DATA
    if name == ONLINE:
        return _downloaded(cache or user_cache())
    if not Path(name).is_dir():
        raise ValueError(f"expected {OWN}, {ONLINE} or a directory of *.par files as line source, got {name}")
    return Path(name)


def user_cache() -> Path:
    """Give the folder that keeps downloads between runs."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "co2-twin" / "hitran"


def _downloaded(cache: Path) -> Path:
    """Fetch all lines unless the cache holds them whole; delete the folder to fetch again."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    with cache.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if cache.is_dir():
            return cache
        partial = Path(tempfile.mkdtemp(dir=cache.parent))
        try:
            _fetch(partial)
            os.replace(partial, cache)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return cache


def _fetch(folder: Path) -> None:
    """Fill the folder with one file a molecule and window."""
    with contextlib.redirect_stdout(io.StringIO()):  # the package greets at import and talks while it loads
        hapi = _hapi()
        with tempfile.TemporaryDirectory() as database:
            hapi.db_begin(database)
            for molecule, number in MOLECULES.items():
                identifiers = [hapi.ISO[number, i][0] for i in range(1, ISOTOPOLOGUES[molecule] + 1)]
                for low_cm1, high_cm1 in WINDOWS_CM1[molecule]:
                    table = f"{molecule.lower()}_{low_cm1:.0f}"
                    try:
                        hapi.fetch_by_ids(table, identifiers, low_cm1, high_cm1)
                    except Exception as error:  # hapi raises bare exceptions, offline even a NameError
                        raise ValueError(_advice(f"the download of {molecule} failed ({error})")) from error
                    shutil.copyfile(Path(database, f"{table}.data"), folder / f"{table}.par")
    try:
        read_lines(folder)
    except ValueError as error:  # the server's error page is no line file
        raise ValueError(_advice(f"the download holds no lines ({error})")) from error


def _hapi() -> Any:
    try:
        return importlib.import_module("hapi")
    except ImportError as error:
        raise ValueError(_advice("the package hitran-api is not installed")) from error


def _advice(reason: str) -> str:
    return (
        f"lines: {ONLINE}: {reason}: pip install hitran-api and go online once, or give a directory of "
        f"160-column *.par files, or lines: {OWN}"
    )
