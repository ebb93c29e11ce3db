"""Gather from a run directory what its report shows."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from twin.events import groundsegment
from twin.events.groundsegment import Products
from twin.events.log import EventLog
from twin.events.service import Rate, Service
from twin.mission.timeline import Timeline
from twin.verify import join

COASTLINE = Path(__file__).with_name("coastline.csv")


@dataclass(frozen=True)
class Spectrum:
    """The four spectra of one sounding, (band, spectel), unusable spectels NaN."""

    sounding_id: int
    row: int  # of the joined soundings
    wavelength_nm: np.ndarray
    measured: np.ndarray  # ph s-1 m-2 sr-1 um-1
    modelled: np.ndarray
    sigma: np.ndarray
    residual: np.ndarray  # (measured - modelled) / continuum, as the product says

    @property
    def residual_sigma(self) -> np.ndarray:
        """(band, spectel): (measured - modelled) / noise sigma."""
        return (self.measured - self.modelled) / self.sigma


@dataclass(frozen=True)
class Material:
    verdict: dict[str, Any]
    soundings: join.Soundings
    profiles: join.Columns  # of the rows of `soundings`, retrieved CO2 added
    spectrum: Spectrum | None
    events: EventLog
    products: Products  # when the soundings of the log reached their users
    mission: Timeline | None  # the plan that was flown
    track: dict[str, np.ndarray]  # below the satellite by mode, (point, longitude and latitude in degrees)
    coast: list[np.ndarray]  # lines, each (point, longitude and latitude in degrees)


def gather(run_dir: Path) -> Material:
    soundings = join.load(run_dir, run_dir / "truth.nc")
    plan = run_dir / "timeline.json"
    return Material(
        verdict=json.loads((run_dir / "verdict.json").read_text(encoding="utf-8")),
        soundings=soundings,
        profiles=_profiles(run_dir, soundings),
        spectrum=_spectrum(run_dir, soundings),
        events=(log := EventLog.read_csv(run_dir / "events.csv")),
        products=_products(run_dir, log),
        mission=Timeline.restore(plan.read_text(encoding="utf-8")) if plan.exists() else None,
        track=_track(run_dir / "track.csv"),
        coast=coast_lines(),
    )


def _track(path: Path) -> dict[str, np.ndarray]:
    lines: dict[str, list[tuple[float, float]]] = {}
    if path.exists():
        with path.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                place = float(row["longitude"]), float(row["latitude"])
                lines.setdefault(row["mode"], []).append(place)
    return {mode: np.array(places) for mode, places in lines.items()}


def _products(run_dir: Path, log: EventLog) -> Products:
    """Run the ground's queue again, with the service times that the ground stage measured."""
    told = json.loads((run_dir / "operations.json").read_text(encoding="utf-8"))
    rates = {name: Rate(row["start_s"], row["each_s"]) for name, row in told["service"].items()}
    return groundsegment.process(log, Service(rates, run_dir.name), told["workers"])


def coast_lines() -> list[np.ndarray]:
    lines: dict[str, list[tuple[float, float]]] = {}
    with COASTLINE.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            lines.setdefault(row["line"], []).append((float(row["longitude"]), float(row["latitude"])))
    return [np.array(points) for points in lines.values()]


def _profiles(run_dir: Path, soundings: join.Soundings) -> join.Columns:
    paths = sorted((run_dir / "l2").glob("*.nc"))
    found = join.read(paths, ("sounding_id",), ("co2_profile",))
    rows, _ = join.match(soundings.l2["sounding_id"], found["sounding_id"])
    return {**soundings.l2, "co2_profile": found["co2_profile"][rows]}


def _spectrum(run_dir: Path, soundings: join.Soundings) -> Spectrum | None:
    """Read the spectra of the middle converged sounding, where L1B and L2 both carry them."""
    rows = np.flatnonzero(soundings.counted)
    if not rows.size:
        return None
    row = int(rows[rows.size // 2])
    key = int(soundings.l2["sounding_id"][row])
    l1b = _sounding(run_dir / "l1b", key, ("wavelength", "radiance", "radiance_uncertainty"))
    l2 = _sounding(run_dir / "l2", key, ("radiance_modelled", "radiance_residual"))
    if l1b is None or l2 is None:
        return None
    return Spectrum(key, row, l1b[0], l1b[1], l2[0], l1b[2], l2[1])


def _sounding(folder: Path, key: int, names: tuple[str, ...]) -> list[np.ndarray] | None:
    """Find the sounding in the files of a folder and read its (band, spectel) variables."""
    for path in sorted(folder.glob("*.nc")):
        with netCDF4.Dataset(path) as file:
            row = np.flatnonzero(np.ma.filled(file["sounding_id"][:], -1) == key)
            if row.size and all(name in file.variables for name in names):
                return [np.ma.filled(file[name][int(row[0])].astype(float), np.nan) for name in names]
    return None
