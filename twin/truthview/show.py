"""Answer `twin truth`: compute, write the netCDF file and its picture, print their paths."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import time
from pathlib import Path

import xarray as xr

from twin import console
from twin.errors import BadInput
from twin.truthview import asked, fields, pictures, spectra

NOON = time(12)
OVERPASS = time(10, 30)  # local mean solar time of the orbit's descending node
DATE = "2026-07-01"


def show_map(
    date: str, what: str, scenario: str | None, seed: int | None, output: Path, step_deg: float
) -> int:
    fields.shown(what)
    fields.centres(step_deg)
    at, nature = asked.moment(date, NOON), asked.nature(scenario, seed)
    stem = output / f"map_{what}_{at:%Y%m%dT%H%M%S}{'_' if nature.scenario else ''}{nature.scenario}"
    with console.Progress(f"truth map {what}", ["sample", "write"]) as progress:
        progress.start("sample", fields.blocks(step_deg), "block")
        field = _sampled(lambda: fields.sample(nature, what, at, step_deg, progress.update))
        progress.finish("sample")
        progress.start("write", 2)
        _write(field, stem.with_suffix(".nc"))
        _draw(lambda path: pictures.draw_map(field, what, path), stem.with_suffix(".png"))
        progress.finish("write")
    return _tell(stem)


def show_spectrum(
    place_deg: tuple[float, float],
    date: str | None,
    mode: str,
    angles_deg: tuple[float | None, float | None],
    scenario: str | None,
    seed: int | None,
    output: Path,
    runs: Path,
    clear: bool,
) -> int:
    """Show one place; the angles are the zenith angles of Sun and sensor, None for the mode's own."""
    spectra.check_place(*place_deg)
    nature = asked.nature(scenario, seed)
    if clear:
        nature = asked.without_cloud(nature)
    if date is None and nature.start is not None:
        date = nature.start.isoformat()
    at = asked.local_clock(date or DATE, place_deg[1], OVERPASS)
    where = spectra.geometry(place_deg, at, mode, *angles_deg)
    latitude, longitude = place_deg
    stem = output / (
        f"spectrum_{mode}_{latitude:+.2f}_{longitude:+.2f}_{at:%Y%m%dT%H%M%S}"
        f"{'_' if nature.scenario else ''}{nature.scenario}"
    )
    with console.Progress(f"truth spectrum {mode}", ["radiance", "write"]) as progress:
        progress.start("radiance", 1, "scene")
        seen = _sampled(lambda: spectra.observe(nature, where, runs))
        progress.finish("radiance")
        progress.start("write", 2)
        _write(seen, stem.with_name(f"{stem.name}.nc"))
        _draw(lambda path: pictures.draw_spectra(seen, path), stem.with_name(f"{stem.name}.png"))
        progress.finish("write")
    return _tell(stem)


def _sampled(work: Callable[[], xr.Dataset]) -> xr.Dataset:
    """Nature refuses what cannot be with a ValueError: a date outside its files, a missing file."""
    try:
        return work()
    except (ValueError, OSError) as error:
        raise BadInput(f"nature: {error}") from error


def _write(data: xr.Dataset, path: Path) -> None:
    encoding = {str(name): {"_FillValue": None} for name in data.variables}
    _whole(lambda temporary: data.to_netcdf(temporary, engine="netcdf4", encoding=encoding), path)


def _draw(draw: Callable[[Path], None], path: Path) -> None:
    _whole(draw, path)


def _whole(make: Callable[[Path], object], path: Path) -> None:
    """Write to a temporary neighbour of the same kind, then rename."""
    temporary = path.with_name(f".part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        make(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise BadInput(f"{path}: expected a place to write to, got {error.strerror or error}") from None


def _tell(stem: Path) -> int:
    for suffix in (".nc", ".png"):
        print(stem.with_name(f"{stem.name}{suffix}"))
    return 0
