"""Turn a nature and a moment into a field on a grid of the globe, as netCDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import xarray as xr

from truth import atmosphere
from truth.constants import AVOGADRO, MOLAR_MASS_WATER
from truth.scene import Truth
from twin.errors import BadInput
from twin.truthview import places
from twin.truthview.asked import Nature, provenance_attributes

BLOCK = 2048  # places sampled at once: random_field holds places x 256 modes
FINEST_DEG, COARSEST_DEG = 0.05, 30.0


def _tcwv(scene: xr.Dataset) -> np.ndarray:
    """Return the mass of water vapour over unit area, kg m-2."""
    profile = (scene[name].values for name in ("pressure", "specific_humidity", "altitude", "latitude"))
    return atmosphere.columns(*profile).water.sum(axis=-1) * MOLAR_MASS_WATER / AVOGADRO


@dataclass(frozen=True)
class Shown:
    """How one name of --what is read off a scene, told in the file and coloured."""

    source: str | Callable[[xr.Dataset], np.ndarray]  # variable of the scene, or what makes it
    title: str
    units: str
    standard_name: str = ""
    factor: float = 1.0
    band: int | None = None
    colours: str = "viridis"  # perceptually even, readable by the colour-blind

    def values(self, scene: xr.Dataset) -> np.ndarray:
        found = scene[self.source].values if isinstance(self.source, str) else self.source(scene)
        return self.factor * (found if self.band is None else found[:, self.band])


_ALBEDO, _AOD = "surface_albedo", "atmosphere_optical_thickness_due_to_ambient_aerosol_particles"
WHAT = {
    "xco2": Shown("xco2", "XCO2", "ppm", "dry_atmosphere_mole_fraction_of_carbon_dioxide"),
    "xco2_biosphere": Shown("xco2_biosphere", "XCO2 of the biosphere", "ppm"),
    "xco2_synoptic": Shown("xco2_synoptic", "XCO2 of the weather", "ppm"),
    "xco2_plume": Shown("xco2_plume", "XCO2 of the plumes", "ppm", colours="magma_r"),
    "psurf": Shown("surface_pressure", "surface pressure", "hPa", "surface_air_pressure", 0.01),
    "albedo_b1": Shown("albedo", "albedo in B1, 0.76 µm", "1", _ALBEDO, band=0, colours="cividis"),
    "albedo_b2": Shown("albedo", "albedo in B2, 1.61 µm", "1", _ALBEDO, band=1, colours="cividis"),
    "albedo_b3": Shown("albedo", "albedo in B3, 2.04 µm", "1", _ALBEDO, band=2, colours="cividis"),
    "albedo_b4": Shown("albedo", "albedo in B4, 1.27 µm", "1", _ALBEDO, band=3, colours="cividis"),
    "aod": Shown("aod", "aerosol optical depth at 0.755 µm", "1", _AOD, colours="magma_r"),
    "cirrus": Shown("cirrus_optical_depth", "cirrus optical depth at 0.755 µm", "1", colours="magma_r"),
    "cloud_fraction": Shown(
        "cloud_fraction", "cloud fraction", "1", "cloud_area_fraction", colours="cividis"
    ),
    "surface_altitude": Shown("surface_altitude", "surface altitude", "m", "surface_altitude"),
    "wind_speed": Shown("wind_speed", "wind speed at 10 m", "m s-1", "wind_speed"),
    "sif": Shown("sif", "fluorescence at 740 nm", "W m-2 um-1 sr-1"),
    "airglow": Shown("airglow_mr", "1.27 µm airglow (in megarayleigh)", "1e16 m-2 s-1", colours="magma"),
    "tcwv": Shown(_tcwv, "water vapour column", "kg m-2", "atmosphere_mass_content_of_water_vapor"),
}


def shown(what: str) -> Shown:
    if what not in WHAT:
        raise BadInput(f"--what: expected one of {', '.join(WHAT)}, got {what!r}")
    return WHAT[what]


def centres(step_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """Return latitudes and longitudes (degrees) of the centres of cells of one step."""
    rows = round(180.0 / step_deg) if FINEST_DEG <= step_deg <= COARSEST_DEG else 0
    if not rows or abs(rows * step_deg - 180.0) > 1e-6:
        raise BadInput(
            f"--step: expected {FINEST_DEG:g} to {COARSEST_DEG:g} degrees that divide 180, got {step_deg:g}"
        )
    middle = (np.arange(2 * rows) + 0.5) * step_deg
    return middle[:rows] - 90.0, middle - 180.0


def blocks(step_deg: float) -> int:
    """Count the calls of `progress` that a field makes."""
    return -(-2 * round(180.0 / step_deg) ** 2 // BLOCK)


def sample(
    asked: Nature, what: str, at: datetime, step_deg: float, progress: Callable[[int], None]
) -> xr.Dataset:
    """Evaluate nature at the cell centres, (latitude, longitude); `progress` hears the blocks done."""
    found = values(asked, {what: shown(what)}, at, step_deg, progress)[what]
    return _dataset(asked, what, at, centres(step_deg), found)


def values(
    asked: Nature,
    rows: Mapping[str, Shown],
    at: datetime,
    step_deg: float,
    progress: Callable[[int], None],
) -> dict[str, np.ndarray]:
    """Evaluate several rows at once, (latitude, longitude) each."""
    grid = np.meshgrid(*centres(step_deg), indexing="ij")
    latitude, longitude = (x.ravel() for x in grid)
    truth = Truth(asked.config, asked.seed, across=1, along=1)
    found = {what: np.empty(latitude.size) for what in rows}
    for done, first in enumerate(range(0, latitude.size, BLOCK), start=1):
        some = slice(first, first + BLOCK)
        scene = truth.sample(places.sunlit(latitude[some], longitude[some], at))
        for what, row in rows.items():
            found[what][some] = row.values(scene)
        progress(done)
    return {what: column.reshape(grid[0].shape) for what, column in found.items()}


def _dataset(
    asked: Nature, what: str, at: datetime, grid: tuple[np.ndarray, np.ndarray], values: np.ndarray
) -> xr.Dataset:
    row, (latitude, longitude) = WHAT[what], grid
    when = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    attributes = {
        "units": row.units,
        "long_name": row.title,
        "cell_methods": "latitude: longitude: point",
        "comment": "nature at the centre of the cell, not the mean over it",
    }
    if row.standard_name:
        attributes["standard_name"] = row.standard_name
    coordinates = {
        "latitude": ("latitude", latitude, {"units": "degrees_north", "standard_name": "latitude"}),
        "longitude": ("longitude", longitude, {"units": "degrees_east", "standard_name": "longitude"}),
        "time": (
            (),
            at.timestamp(),
            {
                "units": "seconds since 1970-01-01T00:00:00Z",
                "calendar": "standard",
                "standard_name": "time",
                "units_metadata": "leap_seconds: none",
            },
        ),
    }
    for name, label in (("latitude", "geodetic latitude"), ("longitude", "longitude"), ("time", "UTC")):
        coordinates[name][2]["long_name"] = label
    return xr.Dataset(
        {what: (("latitude", "longitude"), values, attributes)},
        coordinates,
        {
            "title": f"Nature's {row.title}, {when} (simulation)",
            "summary": "A field of the nature that the simulated satellite looks at",
            "history": "written by twin truth map",
            "references": "docs/truth.md",
            **provenance_attributes(asked),
        },
    )
