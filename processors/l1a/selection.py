"""Choose the soundings of a job: a range of frame counters, of one boot or any, or a granule of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from processors.job import BadInput
from processors.l1a.decommutate import FOVS

OPTIONS: dict[str, Any] = {"frames": None, "boot": None, "granule_soundings": 12, "granule": None}
Choice = Callable[[np.ndarray, np.ndarray], np.ndarray]  # boot counts, frame counters -> bool


def chosen(options: dict[str, Any], path: Path) -> Choice:
    """Return the function that says which packets are wanted, given their boot counts and frame counters.

    Granules are counted from frame counter 0, so that a lost frame moves no sounding into another granule.
    """
    boot = options["boot"]
    if boot is not None and not _is_count(boot):
        raise BadInput(f"{path}: settings.boot: expected a count from 0, got {boot!r}: correct the value")
    of_frame = _of_frames(options, path)
    return lambda boots, frames: of_frame(frames) & ((boots == boot) if boot is not None else True)


def _of_frames(options: dict[str, Any], path: Path) -> Callable[[np.ndarray], np.ndarray]:
    frames, granule, soundings = options["frames"], options["granule"], options["granule_soundings"]
    if frames is not None:
        if not (isinstance(frames, list) and len(frames) == 2 and all(_is_count(value) for value in frames)):
            raise BadInput(
                f"{path}: settings.frames: expected [first, last], got {frames!r}: correct the value"
            )
        return lambda frame: (frame >= frames[0]) & (frame <= frames[1])
    if granule is None:
        return lambda frame: np.ones(frame.size, bool)
    if not _is_count(granule) or soundings < FOVS or soundings % FOVS:
        raise BadInput(
            f"{path}: settings: expected a granule from 0 and granule_soundings a multiple of "
            f"{FOVS}, got {granule!r} and {soundings!r}: correct them"
        )
    return lambda frame: frame // (soundings // FOVS) == granule


def words(options: dict[str, Any]) -> str:
    if options["frames"] is not None:
        of_boot = "" if options["boot"] is None else f" of boot {options['boot']}"
        return f"frames {options['frames']}{of_boot}"
    return "any frame" if options["granule"] is None else f"granule {options['granule']}"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
