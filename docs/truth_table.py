"""Compare nature with published figures: rows of the table of docs/truth.md."""

from __future__ import annotations

import numpy as np
from truth_panels import JULY_S, KM_PER_DEGREE, SEED

from truth import atmosphere, plumes
from truth.config import Source, TruthConfig
from truth.constants import AVOGADRO, LOSCHMIDT, MOLAR_MASS_DRY_AIR, MOLAR_MASS_WATER, STANDARD_PRESSURE
from truth.footprint import SubSamples, sub_samples

ROWS: list[tuple[str, str, str]] = []  # what, expected, here


def note(what: str, expected: str, measured: str) -> None:
    ROWS.append((what, expected, measured))


def cells(
    x_km: np.ndarray, y_km: np.ndarray, centre: tuple[float, float], size_km: float, **counts
) -> SubSamples:
    """Lay square cells around places east and north of a centre (latitude, longitude)."""
    corner = 0.5 * size_km * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    latitude = centre[0] + (y_km.ravel()[:, None] + corner[:, 1]) / KM_PER_DEGREE
    east = (x_km.ravel()[:, None] + corner[:, 0]) / KM_PER_DEGREE
    return sub_samples(latitude, centre[1] + east / np.cos(np.radians(centre[0])), **counts)


def plume(
    config: TruthConfig, grid: tuple[np.ndarray, np.ndarray], size_km: float, time_s: float = JULY_S
) -> np.ndarray:
    """Give the enhancement of the configuration's first source over a grid of cells, ppm."""
    source = config.sources[0]
    some = cells(*grid, (source.latitude, source.longitude), size_km, across=1, along=1)
    air = np.full(some.weight.shape[0], 1e5 / 9.80665 / 28.9647e-3)
    found = plumes.enhancement(some, air, np.full(air.size, time_s), config, SEED)
    return found[:, 0].reshape(grid[0].shape)


def note_plumes() -> None:
    """Repeat the published cases: footprints that begin at the source, stability B, 5 m/s, 1000 hPa."""
    air = np.array([1e5 / 9.80665 / 28.9647e-3])
    for mt, extent, (length, width), expected in (
        (10, 0.0, (2.0, 2.0), 2.0),
        (10, 0.0, (9.0, 4.5), 0.90),
        (33, 0.0, (2.0, 2.0), 6.7),
        (33, 0.0, (9.0, 4.5), 3.0),
        (17, 30e3, (9.0, 4.5), 0.35),
    ):
        config = TruthConfig(plumes="steady", sources=(Source("s", 0.0, 0.0, mt, extent),), wind_speed=5.0)
        start = extent / 2e3
        east = np.array([[start, start, start + length, start + length]]) / KM_PER_DEGREE
        north = width / 2 * np.array([[1, -1, -1, 1]]) / KM_PER_DEGREE
        some = sub_samples(north, east)
        found = float(np.sum(some.weight * plumes.enhancement(some, air, np.array([JULY_S]), config, SEED)))
        what = f"{mt} Mt/yr{' over 30 km' if extent else ''} in {width:g} × {length:g} km, ppm"
        note(what, f"{expected:g}", f"{found:.2f}")
    km = np.arange(0.5, 40.0)
    grid = np.meshgrid(km, km - 20.0)
    peak = {}
    for kind, moments in (("steady", 1), ("turbulent", 20)):
        config = TruthConfig(plumes=kind, sources=(Source("s", 0.0, 0.0, 20.0),), wind_speed=5.0)
        peak[kind] = [plume(config, grid, 1.0, JULY_S + 10_800.0 * k).max() for k in range(moments)]
    ratio = np.median(peak["turbulent"]) / peak["steady"][0]
    what = "peak of a 1 km map, turbulent over steady, median of 20 moments"
    note(what, "2.3 (7.1 against 3.1 ppm of a 1.1 km model run)", f"{ratio:.1f}")


def note_columns() -> None:
    """Compare columns over 1013.25 hPa with MODTRAN's table of the same atmospheres, atm cm of water."""
    atm_cm = 1e-2 * LOSCHMIDT * MOLAR_MASS_WATER / AVOGADRO  # kg m-2
    pressure, worst = STANDARD_PRESSURE * atmosphere.sigma_levels(), 0.0
    for name, lat, season, expected in (
        ("tropical", 15.0, 0.55, 5119.4),
        ("midlatitude summer", 45.0, 0.55, 3635.9),
        ("midlatitude winter", 45.0, 0.05, 1059.7),
        ("subarctic summer", 60.0, 0.55, 2589.4),
        ("subarctic winter", 60.0, 0.05, 517.73),
    ):
        temperature, humidity = atmosphere.climatology(pressure, lat, season)
        height = atmosphere.altitude(pressure, temperature, humidity, lat)
        column = atmosphere.columns(pressure, humidity, height, lat)
        water = column.water.sum() * MOLAR_MASS_WATER / AVOGADRO
        note(f"water column, {name}, kg m⁻²", f"{expected * atm_cm:.2f}", f"{water:.2f}")
        mass = np.diff(pressure) / column.gravity
        g = np.sum(column.gravity * mass) / mass.sum()
        dry = (pressure[-1] - pressure[0] - g * water) / (g * MOLAR_MASS_DRY_AIR) * AVOGADRO
        worst = max(worst, abs(column.dry_air.sum() / dry - 1.0))
    note("dry air against (p_s − g TCWV) / (ḡ M_dry), relative", "0", f"within {max(worst, 1e-15):.0e}")
