"""Hash what a run's results depend on: scenario, code, auxiliary data, other programs, library versions."""

from __future__ import annotations

import hashlib
import shutil
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from twin.errors import BadInput
from twin.scenario import LINE_SOURCES, Scenario, dump, named_paths, with_paths

PACKAGES = ("twin", "truth", "processors")
TABLES_CODE = {"truth": ("spectroscopy/*", "constants.py"), "processors": ("*",)}  # parts, see tables_folder
LIBRARIES = (
    "numpy",
    "scipy",
    "numba",
    "sasktran2",
    "skyfield",
    "netCDF4",
)  # those whose version moves figures


def run_hash(scenario: Scenario, folder: Path = Path()) -> str:
    """Hash everything that decides the results of a scenario (hexadecimal SHA-256).

    folder  of the scenario's file, where a user's own programming method is looked for
    """
    contents = {place: content_hash(path) for place, path in named_paths(scenario).items()}
    digest = hashlib.sha256(dump(with_paths(scenario, contents)).encode())
    lines = line_directory(scenario)
    if scenario.truth.lines == "hapi":
        digest.update(content_hash(lines).encode())
    for package in PACKAGES:
        digest.update(package_hash(package).encode())
    for command in scenario.processors.values():
        for word in command:
            found = Path(shutil.which(word) or word)
            digest.update(found.read_bytes() if found.is_file() else word.encode())
    for library in LIBRARIES:
        digest.update(f"{library} {metadata.version(library)}".encode())
    if scenario.mission is not None:
        digest.update(method_hash(scenario.mission.programming, folder).encode())
    return digest.hexdigest()


def method_hash(name: str, folder: Path) -> str:
    """Hash what decides the choice of a programming method: its name, the solver, a user's own file."""
    from twin.mission.planning import own

    digest = hashlib.sha256(f"{name} ortools {metadata.version('ortools')}".encode())
    source = own.source(name, folder)
    if source.is_file():
        digest.update(source.read_bytes())
    return digest.hexdigest()


def line_directory(scenario: Scenario) -> Path:
    """Find nature's line files; `hapi` downloads them the first time."""
    from truth.spectroscopy import sources

    name = scenario.truth.lines
    try:
        if name not in LINE_SOURCES:
            sources.open_source(name)  # refuses a malformed record
        return sources.directory(name)
    except ValueError as error:
        raise BadInput(str(error)) from error


def content_hash(path: Path) -> str:
    """Hash a file, or names and contents of the *.par files of a folder (hexadecimal SHA-256)."""
    digest = hashlib.sha256()
    for each in [path] if path.is_file() else sorted(path.glob("*.par")):
        digest.update((each.name if path.is_dir() else "").encode())
        with each.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


@cache
def package_hash(package: str, part: str = "*") -> str:
    """Hash names and contents of a package's sources and data files, or of a part (hexadecimal SHA-256)."""
    digest = hashlib.sha256()
    root = package_root(package)
    for path in sorted(root.rglob(part)):
        if path.is_file() and "__pycache__" not in path.parts:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def tables_folder(side: str) -> str:
    """Name the folder for the spectroscopic tables of truth or processors after the code that makes them."""
    code = [package_hash(side, part) for part in TABLES_CODE[side]]
    return f"{side}-{hashlib.sha256(' '.join(code).encode()).hexdigest()[:8]}"


def package_root(package: str) -> Path:
    """Find an installed package without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BadInput(f"{package}: expected an installed package, found none: pip install -e .")
    return Path(next(iter(spec.submodule_search_locations)))
