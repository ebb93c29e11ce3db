"""Draw footprints on the coast lines of the Earth."""

from __future__ import annotations

import numpy as np

from twin.report.material import Material
from twin.report.operations import CALIBRATION, COLOURS
from twin.report.parts import GREY, RETRIEVED, TRUTH, Chart, chart, numbers, points

COAST = {"color": "#555555", "width": 1}
SMALLEST_MAP_DEG = 1.0


def ground(material: Material) -> Chart:
    """Draw footprints and retrieved minus true XCO2 on the map."""
    s = material.soundings
    return _coloured(material, s.error_ppm, s.counted, "XCO2 retrieved<br>- true, ppm", "error")


def truth(material: Material) -> Chart:
    """Draw footprints and true XCO2 less its mean over the run on the map."""
    true = material.soundings.truth["xco2"]
    return _coloured(material, true - true.mean(), np.isfinite(true), "true XCO2<br>- mean, ppm", "anomaly")


def _coloured(material: Material, values: np.ndarray, use: np.ndarray, title: str, name: str) -> Chart:
    """Draw coast, footprints, and the values of the soundings in `use` as coloured dots."""
    s = material.soundings
    corners, centre = outlines(material)
    west, east, south, north = extent(corners)
    coast_x, coast_y = coast(material.coast, west, east)
    x, y = unwrapped(s.l2["longitude"], centre), s.l2["latitude"]
    colours = {
        "size": 7,
        "color": numbers(values[use]),
        "colorscale": "RdBu",
        "cmid": 0,
        "colorbar": {"title": {"text": title}, "thickness": 12},
    }
    data = [
        {**points(coast_x, coast_y, "coast", "lines"), "line": COAST},
        {**points(*closed(corners), "footprints", "lines"), "line": {"color": GREY, "width": 0.8}},
        {**points(x[use], y[use], name, "markers"), "marker": colours},
    ]
    made = chart(data, 480, x="longitude, °", y="latitude, °")
    stretch = 1.0 / max(np.cos(np.radians(0.5 * (south + north))), 0.05)
    made["layout"]["xaxis"] |= {"range": [west, east], "zeroline": False}
    made["layout"]["yaxis"] |= {
        "range": [south, north],
        "scaleanchor": "x",
        "scaleratio": float(stretch),
        "zeroline": False,
    }
    return made


def world(material: Material) -> Chart:
    """Draw where on Earth the soundings lie."""
    observed = material.soundings.observed
    coast_x, coast_y = coast(material.coast, -180.0, 180.0)
    data = [
        {**points(coast_x, coast_y, "coast", "lines"), "line": COAST},
        {
            **points(observed["longitude"], observed["latitude"], "soundings", "markers"),
            "marker": {"color": RETRIEVED, "size": 5},
        },
    ]
    made = chart(data, 480, x="longitude, °", y="latitude, °")
    made["layout"]["xaxis"] |= {"range": [-180, 180], "dtick": 60, "zeroline": False}
    made["layout"]["yaxis"] |= {"range": [-90, 90], "dtick": 30, "zeroline": False}
    made["layout"]["showlegend"] = False
    return made


def by_mode(material: Material) -> Chart:
    """Draw the point below the satellite in the colour of its mode, and where full data were made."""
    made = world(material)
    soundings = made["data"].pop()
    for mode, places in material.track.items():
        colour = COLOURS.get(mode, CALIBRATION)
        marker = {"color": colour, "size": 3 if mode == "standby" else 5}
        made["data"].append({**points(places[:, 0], places[:, 1], mode, "markers"), "marker": marker})
    soundings |= {"name": "full data", "marker": {"color": TRUTH, "size": 7, "symbol": "x"}}
    made["data"].append(soundings)
    made["layout"]["showlegend"] = True
    return made


def outlines(material: Material) -> tuple[np.ndarray, float]:
    """Return footprint corners (sounding, vertex, 2) longitude and latitude, and the middle longitude."""
    observed = material.soundings.observed
    centre = float(observed["longitude"][0])
    longitude = unwrapped(observed["vertex_longitude"], centre)
    return np.stack([longitude, observed["vertex_latitude"]], axis=-1), centre


def extent(corners: np.ndarray) -> tuple[float, float, float, float]:
    """Return west, east, south, north of a map around the corners (degrees)."""
    low, high = np.nanmin(corners, axis=(0, 1)), np.nanmax(corners, axis=(0, 1))
    reach = 0.55 * np.maximum(high - low, SMALLEST_MAP_DEG) + 0.2
    middle = 0.5 * (low + high)
    (west, south), (east, north) = middle - reach, middle + reach
    return float(west), float(east), float(south), float(north)


def closed(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of all polygons, each closed and followed by a gap."""
    gap = np.full((len(corners), 1, 2), np.nan)
    x, y = np.concatenate([corners, corners[:, :1], gap], axis=1).reshape(-1, 2).T
    return x, y


def coast(lines: list[np.ndarray], west: float, east: float) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of the coast lines with gaps, repeated where the map passes the 180° meridian."""
    shifts = [turn for turn in (-360.0, 0.0, 360.0) if turn - 180.0 < east and turn + 180.0 > west]
    gap = np.full((1, 2), np.nan)
    parts = [part for turn in shifts for line in lines for part in (line + np.array([turn, 0.0]), gap)]
    x, y = np.concatenate(parts).T
    return x, y


def unwrapped(longitude: np.ndarray, centre: float) -> np.ndarray:
    return centre + (longitude - centre + 180.0) % 360.0 - 180.0
