"""Turn the ledger of a finished run into service times of the ground's programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from twin import chain, scenario
from twin.errors import BadInput
from twin.ledger import Ledger, Row

STAGES = ("l0", "l1a", "l1b", "l2")
UNLIKE = 2.0  # the largest program's share must be this many times the smallest's to tell its start-up
_AGAIN = "make one first, `twin run sunglint_ocean`, and name its directory with --measured"


@dataclass(frozen=True)
class Rate:
    """Wall time of one program in its worker: start-up, and each MB of a pass (l0) or each sounding."""

    start_s: float
    each_s: float
    separate: bool = True  # both measured by programs of different size

    def us(self, amount: float) -> int:
        return round(1e6 * (self.start_s + self.each_s * amount))


@dataclass(frozen=True)
class Service:
    """Measured rates of all stages, and the run they come from."""

    rates: dict[str, Rate]
    source: str

    def us(self, stage: str, amount: float) -> int:
        return self.rates[stage].us(amount)


def measured(run: Path) -> Service:
    """Read the rates of a run; its programs must have found their compiled kernels, or L2 looks too slow."""
    if not (run / "ledger.sqlite").is_file() or not (run / "scenario.json").is_file():
        raise BadInput(f"{run}: expected a finished run with ledger.sqlite, found none: {_AGAIN}")
    variants = {v.name: v for v in chain.variants(scenario.restore(run / "scenario.json"))}
    ledger = Ledger(run / "ledger.sqlite")
    try:
        done = {stage: [row for row in ledger.rows(stage) if _undisturbed(row, variants)] for stage in STAGES}
    finally:
        ledger.close()
    missing = [stage for stage, rows in done.items() if not rows]
    if missing:
        raise BadInput(f"{run}: expected finished programs of {', '.join(missing)}, found none: {_AGAIN}")
    quickest_s = min(row.wall_s for rows in done.values() for row in rows)
    rates = {}
    for stage, rows in done.items():
        amounts = [_stream_mb(run, row) if stage == "l0" else _soundings(variants, row) for row in rows]
        wall_s = [row.wall_s for row in rows]
        rates[stage] = fit(amounts, wall_s, min(wall_s) if stage == "l0" else quickest_s)
    return Service(rates, str(run))


def _undisturbed(row: Row, variants: dict[str, chain.Variant]) -> bool:
    """Tell whether a program ended well and had to do with no fault."""
    names = {item.rpartition("/")[0] for item in row.granule.split(",")}
    return row.state == "done" and not any(variants[name].fault for name in names)


def fit(amounts: Sequence[float], wall_s: Sequence[float], quickest_s: float) -> Rate:
    """Split wall times of programs into start-up and rate by least squares, neither negative.

    Programs of about one size cannot tell: there the start-up is the quickest program's. That of L0 is its
    own: a pass of a mission is a hundred times what a run sends, and its start-up would be taken for a rate.
    """
    size, time_s = np.asarray(amounts, dtype=float), np.asarray(wall_s, dtype=float)
    if size.max() >= UNLIKE * size.min():
        (start_s, each_s), _ = nnls(np.stack([np.ones_like(size), size], axis=1), time_s)
        return Rate(float(start_s), float(each_s))
    return Rate(quickest_s, float((time_s - quickest_s).sum() / size.sum()), separate=False)


def _stream_mb(run: Path, row: Row) -> float:
    """Return the size of the pass that a program of L0 read."""
    variant, _, number = row.granule.rpartition("/")
    folder = run / variant / "l0_stream"
    octets = sum(path.stat().st_size for path in folder.glob(f"pass_{int(number) + 1:04d}_*.cadu"))
    if not octets:
        raise BadInput(f"{folder}: expected the CADU files of the run, found none: {_AGAIN}")
    return octets / 1e6


def _soundings(variants: dict[str, chain.Variant], row: Row) -> int:
    """Count the soundings of a program's granules; the last one of an observation may hold fewer."""
    whole = chain.FOVS * chain.FRAMES_A_GRANULE
    count = 0
    for item in row.granule.split(","):
        variant, _, number = item.rpartition("/")
        asked = variants[variant].scenario
        frames = -(-asked.observation.soundings // chain.FOVS)
        count += whole if asked.mission else min(whole, chain.FOVS * frames - whole * int(number))
    return count
