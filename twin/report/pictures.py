"""Draw the main figures of a run as PNG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from twin.report import charts, maps
from twin.report.charts import BANDS
from twin.report.material import Material
from twin.report.parts import GREY, RETRIEVED, SMOOTHED, TRUTH
from twin.verify import statistics

DPI = 110


def write(material: Material, folder: Path) -> None:
    """Write those figures the run has data for."""
    folder.mkdir(exist_ok=True)
    if not material.soundings.counted.any():
        return
    for name, draw in (
        ("map", _map),
        ("along_track", _track),
        ("histogram", _histogram),
        ("kernels", _kernels),
    ):
        _save(draw(material), folder / f"{name}.png")
    if material.spectrum is not None:
        _save(_spectra(material), folder / "spectra.png")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=DPI)


def _figure(width: float, height: float) -> Figure:
    """Make a figure (inches) bound to the renderer of pixels."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _map(material: Material) -> Figure:
    s = material.soundings
    corners, centre = maps.outlines(material)
    west, east, south, north = maps.extent(corners)
    figure = _figure(7, 6)
    axes = figure.add_subplot(
        xlim=(west, east), ylim=(south, north), xlabel="longitude, °", ylabel="latitude, °"
    )
    axes.set_aspect(1.0 / np.cos(np.radians(0.5 * (south + north))))
    axes.plot(*maps.coast(material.coast, west, east), color="#555555", lw=0.8)
    axes.plot(*maps.closed(corners), color=GREY, lw=0.6)
    use = s.counted
    x = maps.unwrapped(s.l2["longitude"], centre)[use]
    error = s.error_ppm[use]
    reach = statistics.max_abs(error)
    dots = axes.scatter(
        x, s.l2["latitude"][use], c=error, cmap="RdBu_r", vmin=-reach, vmax=reach, s=12, zorder=3
    )
    figure.colorbar(dots, label="XCO2 retrieved - true, ppm")
    return figure


def _track(material: Material) -> Figure:
    s, use = material.soundings, material.soundings.counted
    seconds = charts.seconds(material)
    figure = _figure(9, 4)
    axes = figure.add_subplot(
        xlabel="time since the first exposure, s; FOVs 1 to 3 side by side", ylabel="XCO2, ppm"
    )
    sigma = s.l2["xco2_uncertainty_noise"][use]
    label = "retrieved ± 1 σ noise"
    axes.errorbar(seconds[use], s.l2["xco2"][use], sigma, fmt="o", ms=3, lw=0.7, color=RETRIEVED, label=label)
    axes.plot(seconds, s.smoothed_ppm, "s", ms=2.5, color=SMOOTHED, label="truth, kernel-smoothed")
    axes.plot(seconds, s.truth["xco2"], "_", ms=6, color=TRUTH, label="truth")
    axes.plot(seconds, s.l2["xco2_apriori"], ":", color=GREY, label="prior")
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return figure


def _histogram(material: Material) -> Figure:
    s, use = material.soundings, material.soundings.counted
    errors = s.smoothed_error_ppm[use]
    errors = errors[np.isfinite(errors)]
    sigma = statistics.rms(s.l2["xco2_uncertainty_noise"][use])
    edges, counts = charts.bins(errors, sigma)
    figure = _figure(6, 4)
    axes = figure.add_subplot(xlabel="retrieved - kernel-smoothed truth, ppm", ylabel="soundings")
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=RETRIEVED, alpha=0.6)
    x = np.linspace(edges[0], edges[-1], 201)
    expected = charts.normal(x, sigma) * errors.size * (edges[1] - edges[0])
    axes.plot(x, expected, color=TRUTH, label=f"N(0, σ = {sigma:.2f} ppm)")
    axes.legend(frameon=False)
    return figure


def _kernels(material: Material) -> Figure:
    s, use = material.soundings, material.soundings.counted
    a, p = s.l2["xco2_averaging_kernel"][use], s.l2["pressure_levels"][use]
    figure = _figure(5, 5)
    axes = figure.add_subplot(xlabel="column averaging kernel", ylabel="pressure, hPa")
    axes.plot(a.T, p.T, color=GREY, lw=0.5)
    axes.plot(a.mean(axis=0), p.mean(axis=0), color=RETRIEVED, lw=2)
    axes.invert_yaxis()
    return figure


def _spectra(material: Material) -> Figure:
    shown = material.spectrum
    assert shown is not None
    figure = _figure(12, 8)
    figure.set_layout_engine("none")  # a computed layout of eight panels costs most of a second
    heights = {"height_ratios": [2, 1, 2, 1], "hspace": 0.35, "wspace": 0.15}
    panels = figure.subplots(
        4, 2, gridspec_kw=heights | {"left": 0.06, "right": 0.98, "top": 0.95, "bottom": 0.07}
    )
    for band in range(4):
        top, low = panels[2 * (band // 2) : 2 * (band // 2) + 2, band % 2]
        x = shown.wavelength_nm[band]
        top.plot(x, shown.measured[band], color=RETRIEVED, lw=0.9)
        top.plot(x, shown.modelled[band], color=TRUTH, lw=0.4)
        top.set_title(BANDS[band], fontsize=9)
        low.plot(x, shown.residual_sigma[band], color=SMOOTHED, lw=0.5)
        low.set(ylabel="residual / σ", xlabel="nm" if band > 1 else "")
    return figure
