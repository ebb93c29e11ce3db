"""Give docs/draw_truth.py its panels: maps with coast lines, small PNG files."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from truth.constants import EARTH_MEAN_RADIUS
from twin.report.maps import coast
from twin.report.material import coast_lines
from twin.truthview import asked, fields

FIGURES = Path(__file__).parent / "figures"
DPI, COLOURS = 100, 256  # pixels per inch, colours of the palette
STEP_DEG = 1.5
JULY, JANUARY = (datetime(2026, month, 15, 12, tzinfo=UTC) for month in (7, 1))
JULY_S = JULY.timestamp()
SEED = asked.SEED
EARTH = asked.nature(None, None)
KM_PER_DEGREE = np.radians(EARTH_MEAN_RADIUS) / 1e3
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe and Ito
BAND_UM = {"B1": 0.76, "B4": 1.27, "B2": 1.61, "B3": 2.04}
KIND_COLOURS = ("#08306b", "#74c476", "#00441b", "#a6761d", "#fee391", "#f0f0f0", "#d7191c")
plt.rcParams |= {"font.size": 8, "axes.titlesize": 9, "axes.titlelocation": "left", "legend.frameon": False}
plt.rcParams |= {"axes.prop_cycle": plt.cycler(color=CYCLE), "axes.grid": False, "legend.fontsize": 7}


def save(figure: plt.Figure, name: str) -> None:
    """Write a PNG with a small palette."""
    path = FIGURES / f"truth_{name}.png"
    figure.savefig(path, dpi=DPI)
    plt.close(figure)
    Image.open(path).convert("RGB").quantize(
        COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.FLOYDSTEINBERG
    ).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB", file=sys.stderr)


def panels(columns: int, width: float = 10.5, height: float = 3.0, rows: int = 1) -> tuple:
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained")
    return figure, axes.flat


@cache
def globe(july: bool) -> dict[str, np.ndarray]:
    """Sample the Earth with every layer on, (latitude, longitude)."""
    rows = {"kind": fields.Shown("surface_kind", "", "1"), **fields.WHAT}
    return fields.values(EARTH, rows, JULY if july else JANUARY, STEP_DEG, lambda done: None)


def world(axes: Axes, values: np.ndarray, title: str, unit: str, **style) -> None:
    """Draw a map of the globe with coast lines."""
    bar = style.pop("bar", True)
    latitude, longitude = fields.centres(180.0 / len(values))
    if "vmin" not in style and "norm" not in style:
        style["vmin"], style["vmax"] = np.percentile(values, (0.5, 99.5))
    mesh = axes.pcolormesh(longitude, latitude, values, rasterized=True, **style)
    for colour, width in (("white", 0.9), ("black", 0.4)):
        axes.plot(*coast(coast_lines(), -180.0, 180.0), color=colour, lw=width)
    axes.set(xlim=(-180, 180), ylim=(-90, 90), aspect="equal", xticks=(-120, 0, 120), yticks=(-60, 0, 60))
    axes.set_title(title)
    if bar:
        plt.colorbar(mesh, ax=axes, label=unit, orientation="horizontal", shrink=0.8, aspect=35)


def region(
    axes: Axes, where: tuple[np.ndarray, np.ndarray], values: np.ndarray, title: str, unit: str, **style
):
    mesh = axes.pcolormesh(*where, values, rasterized=True, **style)
    axes.set_title(title)
    if unit:
        plt.colorbar(mesh, ax=axes, label=unit, orientation="horizontal", shrink=0.8, aspect=35)
    return mesh


def square(latitude: float, longitude: float, half_deg: float, count: int = 240) -> tuple[np.ndarray, ...]:
    """Give longitude and latitude of a square, (count,) each, and their grids."""
    step = np.linspace(-half_deg, half_deg, count)
    x, y = longitude + step / np.cos(np.radians(latitude)), latitude + step
    return (x, y, *np.meshgrid(x, y))
