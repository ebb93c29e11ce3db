"""Trace where a run's figures come from: code, scenario, calibration and auxiliary files, libraries."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import netCDF4

from twin.provenance import LIBRARIES, PACKAGES, package_hash

DIGITS = 12  # of a SHA-256 as shown


def trace(run_dir: Path) -> dict[str, Any]:
    """Give hashes and versions of everything between scenario and verdict."""
    return {
        "run": run_dir.absolute().name,
        **_of_product(run_dir),
        "versions": {"co2-twin": metadata.version("co2-twin"), "python": platform.python_version()}
        | {library: metadata.version(library) for library in LIBRARIES},
        "code": {package: package_hash(package)[:DIGITS] for package in PACKAGES},
        "files": _files(run_dir),
        "stream": _stream(run_dir / "l0_stream"),
    }


def _of_product(run_dir: Path) -> dict[str, str]:
    """Read what the first L2 product says of itself."""
    names = ("scenario_hash", "ckd_id", "code_version")
    for path in sorted((run_dir / "l2").glob("*.nc"))[:1]:
        with netCDF4.Dataset(path) as file:
            return {name: str(getattr(file, name, "")) for name in names}
    return dict.fromkeys(names, "")


def _files(run_dir: Path) -> dict[str, str]:
    given = [
        run_dir / "scenario.yaml",
        run_dir / "ckd.nc",
        run_dir / "prior.nc",
        *(run_dir / "aux").rglob("*"),
    ]
    return {
        path.relative_to(run_dir).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:DIGITS]
        for path in sorted(given)
        if path.is_file()
    }


def _stream(folder: Path) -> dict[str, str]:
    files = [
        entry
        for manifest in sorted(folder.glob("*.json"))
        for entry in json.loads(manifest.read_text(encoding="utf-8"))["files"]
    ]
    return {entry["name"]: str(entry["sha256"])[:DIGITS] for entry in files}
