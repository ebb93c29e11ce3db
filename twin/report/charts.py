"""Turn the material of a run into plotly charts: plain dictionaries of data and layout."""

from __future__ import annotations

import numpy as np

from twin.report.material import Material
from twin.report.parts import (
    GREY,
    MARGIN,
    RETRIEVED,
    SMOOTHED,
    TRUTH,
    Chart,
    axis,
    chart,
    numbers,
    points,
    upside_down,
)
from twin.verify import statistics

BANDS = ("B1, O2 A", "B2, CO2 1.6 µm", "B3, CO2 2.0 µm", "B4, O2 1.27 µm")
FOV_SHIFT_S = 0.3  # s, so that the soundings of a frame do not hide each other along the track
MOST_KERNELS = 40  # thin lines; more hide each other


def along_track(material: Material) -> Chart:
    """Draw XCO2 true, smoothed and retrieved with its noise sigma over time."""
    s = material.soundings
    use, t = s.counted, seconds(material)
    marks = {"size": 5, "color": RETRIEVED}
    bars = {
        "type": "data",
        "array": numbers(s.l2["xco2_uncertainty_noise"][use]),
        "thickness": 1,
        "width": 0,
        "color": RETRIEVED,
    }
    data = [
        {
            **points(t[use], s.l2["xco2"][use], "retrieved ± 1 σ noise", "markers"),
            "marker": marks,
            "error_y": bars,
        },
        {
            **points(t, s.smoothed_ppm, "truth, kernel-smoothed", "markers"),
            "marker": {"size": 4, "color": SMOOTHED},
        },
        {
            **points(t, s.truth["xco2"], "truth", "markers"),
            "marker": {"size": 4, "color": TRUTH, "symbol": "line-ew-open"},
        },
        {
            **points(t, s.l2["xco2_apriori"], "prior", "lines"),
            "line": {"color": GREY, "dash": "dot"},
        },
    ]
    return chart(data, 380, x="time since the first exposure, s; FOVs 1 to 3 side by side", y="XCO2, ppm")


def histogram(material: Material) -> Chart:
    """Draw the distribution of retrieved minus smoothed truth beside N(0, sigma) of the reported noise."""
    s = material.soundings
    errors = s.smoothed_error_ppm[s.counted]
    errors = errors[np.isfinite(errors)]
    sigma = statistics.rms(s.l2["xco2_uncertainty_noise"][s.counted])
    edges, counts = bins(errors, sigma)
    width = edges[1] - edges[0]
    x = np.linspace(edges[0], edges[-1], 201)
    data = [
        {
            "type": "bar",
            "x": numbers(0.5 * (edges[:-1] + edges[1:])),
            "y": counts.tolist(),
            "width": width,
            "name": "soundings",
            "marker": {"color": RETRIEVED, "opacity": 0.6},
        },
        {
            **points(x, normal(x, sigma) * errors.size * width, f"N(0, σ = {sigma:.2f} ppm)", "lines"),
            "line": {"color": TRUTH},
        },
    ]
    return chart(data, 380, x="retrieved - kernel-smoothed truth, ppm", y="soundings")


def bins(errors: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (edges, counts) of half-sigma bins that hold every error and at least four sigma either side."""
    width = 0.5 * sigma if sigma > 0 else max(float(np.ptp(errors)), 1e-3) / 10
    reach = max(8, int(np.ceil(np.max(np.abs(errors), initial=0.0) / width)))
    reach = min(reach, 60)
    edges = width * np.arange(-reach, reach + 1)
    return edges, np.histogram(np.clip(errors, edges[0], edges[-1]), edges)[0]


def normal(x: np.ndarray, sigma: float) -> np.ndarray:
    return np.exp(-0.5 * (x / sigma) ** 2) / (sigma * np.sqrt(2.0 * np.pi))


def spectrum(material: Material, band: int) -> Chart:
    """Draw one band of one sounding: measured and modelled, residual over continuum, residual over noise."""
    shown = material.spectrum
    assert shown is not None
    x = shown.wavelength_nm[band]
    percent = 100.0 * shown.residual[band]
    noise = 100.0 * shown.sigma[band] / np.nanmax(shown.modelled[band])
    lines = (
        (shown.measured[band], "measured", RETRIEVED, "y", 1.4),
        (shown.modelled[band], "modelled", TRUTH, "y", 0.7),
        (percent, "residual", RETRIEVED, "y2", 0.8),
        (noise, "± 1 σ noise", GREY, "y2", 1.0),
        (-noise, "", GREY, "y2", 1.0),
        (shown.residual_sigma[band], "residual / σ", SMOOTHED, "y3", 0.8),
    )
    data = [
        {
            **points(x, values, name, "lines"),
            "yaxis": panel,
            "line": {"color": colour, "width": width},
            "showlegend": bool(name),
        }
        for values, name, colour, panel, width in lines
    ]
    made = chart(data, 430, x="wavelength, nm", y="ph s⁻¹ m⁻² sr⁻¹ µm⁻¹")
    made["layout"]["yaxis"] |= {"domain": [0.52, 1.0], "exponentformat": "e", "rangemode": "tozero"}
    made["layout"]["yaxis2"] = axis("% of continuum", [0.27, 0.48])
    made["layout"]["yaxis3"] = axis("σ", [0.0, 0.23])
    made["layout"]["xaxis"]["anchor"] = "y3"
    return made


def kernels(material: Material) -> Chart:
    """Draw the column averaging kernels over pressure, and their mean."""
    s = material.soundings
    rows = np.flatnonzero(s.counted)
    a, p = s.l2["xco2_averaging_kernel"][rows], s.l2["pressure_levels"][rows]
    some = np.unique(np.linspace(0, rows.size - 1, min(rows.size, MOST_KERNELS)).astype(int))
    data = [
        {
            **points(a[n], p[n], "soundings" if n == some[0] else "", "lines"),
            "line": {"color": GREY, "width": 0.6},
            "showlegend": bool(n == some[0]),
        }
        for n in some
    ]
    data.append(
        {
            **points(a.mean(axis=0), p.mean(axis=0), "mean", "lines+markers"),
            "line": {"color": RETRIEVED, "width": 2},
        }
    )
    return upside_down(chart(data, 430, x="column averaging kernel", y="pressure, hPa"))


def profile(material: Material, row: int) -> Chart:
    """Draw the CO2 profile of one sounding: truth, prior, retrieved."""
    s = material.soundings
    p = s.l2["pressure_levels"][row]
    lines = (
        (s.truth["co2_profile"][row], s.truth["pressure_levels"][row], "truth", TRUTH),
        (s.l2["co2_profile_apriori"][row], p, "prior", GREY),
        (material.profiles["co2_profile"][row], p, "retrieved", RETRIEVED),
    )
    data = [{**points(x, y, name, "lines"), "line": {"color": colour}} for x, y, name, colour in lines]
    return upside_down(chart(data, 430, x="CO2, ppm dry air", y="pressure, hPa"))


def stage_times(material: Material) -> Chart:
    """Draw wall and CPU time of each stage."""
    rows = material.verdict["stages"][::-1]
    names = [row["stage"] for row in rows]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": names,
            "x": [row[key] for row in rows],
            "name": name,
            "marker": {"color": colour},
        }
        for key, name, colour in (("cpu_s", "CPU", GREY), ("wall_s", "wall", SMOOTHED))
    ]
    made = chart(data, 120 + 32 * len(rows), x="time, s", y="")
    made["layout"]["margin"] = MARGIN | {"l": 90}
    return made


def seconds(material: Material) -> np.ndarray:
    """(sounding) s since the first exposure observed, the FOVs of a frame set side by side."""
    s = material.soundings
    fov = s.l2["sounding_id"] % 10
    return s.l2["time"] - s.observed["time"].min() + FOV_SHIFT_S * (fov - 2)
