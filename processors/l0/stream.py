"""Read the CADU files of a pass and hold them against the station's manifest."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from processors.job import BadInput
from processors.l0.sync import CADU_BYTES


def read(files: list[Path], manifest: Path) -> list[np.ndarray]:
    """Return the files as uint8 arrays mapped from disk; one that is not what the station says is refused."""
    said = _manifest(manifest)
    given = {path.name for path in files}
    for name in said:
        if name not in given:
            raise BadInput(f"{manifest}: expected the file {name} among inputs.stream, got none: add it")
    return [_checked(path, said.get(path.name), manifest) for path in files]


def clock_offset(manifest: Path) -> float:
    """Return s by which the on-board clock was ahead at acquisition of signal, NaN where not told."""
    told = json.loads(manifest.read_text(encoding="utf-8")).get("clock_correlation")
    if told is None:
        return float("nan")
    try:
        on_board, station = (datetime.fromisoformat(told[f"{who}_utc"]) for who in ("on_board", "station"))
        return (on_board - station).total_seconds()
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"{manifest}: expected clock_correlation with on_board_utc and station_utc in ISO 8601, "
            f"got {type(error).__name__} {error}: fetch it again"
        ) from error


def _manifest(path: Path) -> dict[str, dict[str, Any]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {row["name"]: {"bytes": int(row["bytes"]), "sha256": str(row["sha256"])} for row in rows}
    except OSError as error:
        raise BadInput(f"{path}: expected the manifest, got {error.strerror}: check the path") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path}: expected a JSON manifest with files of name, bytes, sha256, "
            f"got {type(error).__name__} {error}: fetch it again"
        ) from error


def _checked(path: Path, said: dict[str, Any] | None, manifest: Path) -> np.ndarray:
    if said is None:
        raise BadInput(f"{path}: expected a file that {manifest.name} lists, got another: give its manifest")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BadInput(f"{path}: expected a CADU file, got {error.strerror}: check the path") from error
    if size < CADU_BYTES:
        raise BadInput(
            f"{path}: expected at least one CADU of {CADU_BYTES} bytes, got {size}: fetch it again"
        )
    if size != said["bytes"]:
        raise BadInput(f"{path}: expected {said['bytes']} bytes by the manifest, got {size}: fetch it again")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != said["sha256"]:
        raise BadInput(
            f"{path}: expected the manifest's sha256 {said['sha256']}, got {digest}: fetch it again"
        )
    return np.asarray(np.memmap(path, np.uint8, mode="r"))
