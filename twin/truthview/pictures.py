"""Draw a field of the globe and the spectra of one place as PNG files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from twin.constants import BANDS
from twin.report.maps import coast
from twin.report.material import coast_lines
from twin.report.parts import SMOOTHED
from twin.truthview.fields import WHAT

DPI = 110
HEADROOM = 1.1  # 1, of a spectrum's panel over its brightest spectel
SHARES = (0.5, 99.5)  # percent of the values inside the colour scale
TITLES = ("B1, O2 A", "B2, CO2 1.61 µm", "B3, CO2 2.04 µm", "B4, O2 1.27 µm")
UNITS = {"1": "", "m s-1": "m/s", "kg m-2": "kg/m²", "W m-2 um-1 sr-1": "W/(m² µm sr)", "1e16 m-2 s-1": "MR"}


def draw_map(field: xr.Dataset, what: str, path: Path) -> None:
    """Draw the field with coast lines; a colour bar with arrows leaves the rarest values out of its scale."""
    row, values = WHAT[what], field[what].values
    figure = canvas(10, 4.9).figure
    axes = figure.add_subplot()
    paint(axes, field[what], f"{row.title}, {UNITS.get(row.units, row.units)}".rstrip(", "), row.colours)
    when = moment(field)
    nature = field.attrs["scenario"].replace("none", "default")
    axes.set_title(f"{row.title}, {when:%Y-%m-%d %H:%M} UTC", fontsize=11)
    note = f"simulation; nature: {nature}, seed {field.attrs['seed']}; {span(values)}"
    figure.text(0.995, 0.005, note, ha="right", va="bottom", fontsize=7, color="#666666")
    figure.savefig(path, dpi=DPI)


def paint(axes: Axes, values: xr.DataArray, label: str, colours: str) -> None:
    """Fill the axes with a field (latitude, longitude), coast lines and a colour bar."""
    finite = values.values[np.isfinite(values.values)]
    low, high = np.percentile(finite, SHARES) if finite.size else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    mesh = axes.pcolormesh(
        values["longitude"],
        values["latitude"],
        values.values,
        cmap=colours,
        vmin=low,
        vmax=high,
        rasterized=True,
    )
    shore = coast(coast_lines(), -180.0, 180.0)
    for colour, width in (("white", 1.2), ("black", 0.5)):  # readable on dark and on bright
        axes.plot(*shore, color=colour, lw=width)
    axes.set(xlim=(-180, 180), ylim=(-90, 90), aspect="equal", xlabel="longitude, °", ylabel="latitude, °")
    axes.set_xticks(range(-180, 181, 60))
    axes.set_yticks(range(-90, 91, 30))
    ends = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    beyond = ends[bool(np.any(finite < low)), bool(np.any(finite > high))]
    axes.figure.colorbar(mesh, ax=axes, label=label, extend=beyond, shrink=0.9, pad=0.02)


def draw_spectra(seen: xr.Dataset, path: Path) -> None:
    """Draw the four bands: what each spectel receives over the monochromatic light before the optics."""
    figure = canvas(12, 7).figure
    for band, axes in enumerate(figure.subplots(2, 2).flat):
        panel(axes, seen, band)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    figure.suptitle(describe(seen), fontsize=10)
    figure.savefig(path, dpi=DPI)


def panel(axes: Axes, seen: xr.Dataset, band: int) -> None:
    """Draw one band up to a little above the spectels' brightest: lines of airglow reach far higher."""
    name = BANDS[band]
    light_nm = 1e7 / seen[f"wavenumber_{name}"].values
    axes.plot(
        light_nm, seen[f"radiance_{name}"], color="#b0b0b0", lw=0.35, label="monochromatic, before the optics"
    )
    axes.plot(
        seen["wavelength"][band], seen["radiance"][band], color=SMOOTHED, lw=0.8, label="spectels, no noise"
    )
    axes.set_xlim(float(seen["wavelength"][band, 0]), float(seen["wavelength"][band, -1]))
    axes.set_ylim(0.0, HEADROOM * float(seen["radiance"][band].max()))
    axes.set_title(TITLES[band], fontsize=9)
    axes.set_xlabel("wavelength, nm", fontsize=8)
    axes.set_ylabel("photons s⁻¹ m⁻² sr⁻¹ µm⁻¹", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(color="#eeeeee", lw=0.5)


def describe(seen: xr.Dataset) -> str:
    """Write place, time, angles and the main figures of the scene in two lines."""
    sides = (("latitude", "NS"), ("longitude", "EW"))
    place = (f"{abs(v := float(seen[name])):.2f}°{letters[v < 0]}" for name, letters in sides)
    first = (
        f"{' '.join(place)}, {moment(seen):%Y-%m-%d %H:%M} UTC, "
        f"Sun at {float(seen['solar_zenith_angle']):.1f}°, "
        f"view at {float(seen['sensor_zenith_angle']):.1f}° (simulation)"
    )
    kind = seen["surface_kind"].attrs["flag_meanings"].split()[int(seen["surface_kind"])]
    second = (
        f"XCO2 {float(seen['xco2']):.2f} ppm, {kind} at {float(seen['surface_pressure']) / 100:.1f} hPa and "
        f"{float(seen['surface_altitude']):.0f} m, aerosol optical depth {float(seen['aod']):.2f}, "
        f"cloud {100 * float(seen['cloud_fraction']):.0f} %"
    )
    return f"{first}\n{second}"


def moment(data: xr.Dataset) -> datetime:
    return datetime.fromtimestamp(float(data["time"]), UTC)


def span(values: np.ndarray) -> str:
    return f"{np.nanmin(values):.4g} to {np.nanmax(values):.4g}"


def canvas(width: float, height: float) -> FigureCanvasAgg:
    """Make a figure (inches) bound to the renderer of pixels."""
    return FigureCanvasAgg(Figure(figsize=(width, height), layout="constrained"))
