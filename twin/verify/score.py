"""Turn the files of a run into verdict.json: figures, requirements, mismatch row, accounts, provenance."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from twin.scenario import Scenario
from twin.verify import accounts, join, origin, requirements
from twin.verify.figures import FIGURES
from twin.verify.notes import METHODS, NOT_IN_THE_FIGURE
from twin.verify.statistics import Interval, max_abs, mean, mean_interval, rms, scatter, scatter_ratio

MISMATCH_PPM_PER_SHARE = (
    2.7 / 0.007
)  # ppm XCO2 per relative change of CO2 intensity, linear, albedo 0.2, SZA 45
Verdict = dict[str, Any]
Figures = dict[str, float]


def score(run_dir: Path, scenario: Scenario) -> Verdict:
    """Judge a finished run and write verdict.json; BadInput for a requirement on an unknown figure."""
    requirements.check(scenario.requirements)
    soundings = join.load(run_dir, run_dir / "truth.nc")
    other = _other(run_dir)
    packets = accounts.packets(run_dir)
    stages = accounts.stages(run_dir / "ledger.sqlite")
    rows = len(soundings.l2["xco2"]) + (len(other.l2["xco2"]) if other else 0)
    mismatch = compare(soundings, other, scenario.mismatch.co2_intensity) if other else None
    figures = {
        **census(soundings),
        **errors(soundings),
        **fit(soundings),
        **accounts.packet_figures(packets),
        "mismatch_difference_ppm": mismatch["difference_mean_ppm"] if mismatch else math.nan,
        **accounts.speed_figures(stages, rows),
    }
    finite = _plain({name: figures[name] for name in FIGURES})
    judged = requirements.evaluate(scenario.requirements, finite)
    verdict = {
        "scenario": scenario.name,
        "question": scenario.question,
        "seed": scenario.seed,
        "holds": all(row["holds"] for row in judged),
        "requirements": judged,
        "mission": requirements.beside_mission(finite),
        "figures": finite,
        "mismatch": _plain(mismatch) if mismatch else None,
        "packets": packets,
        "stages": stages,
        "not_in_the_figure": list(NOT_IN_THE_FIGURE),
        "methods": METHODS,
        "provenance": origin.trace(run_dir),
    }
    _write(run_dir / "verdict.json", verdict)
    return verdict


def _other(run_dir: Path) -> join.Soundings | None:
    """Load the soundings under other CO2 line intensities, when the run made them."""
    root = run_dir / "mismatch"
    return join.load(root, run_dir / "truth.nc") if (root / "geometry.nc").exists() else None


def census(soundings: join.Soundings) -> Figures:
    """Count the soundings: observed, retrieved, missing, converged, kept."""
    expected = soundings.observed["sounding_id"].size
    retrieved = int(np.isfinite(soundings.l2["xco2"]).sum())
    counted = int(soundings.counted.sum())
    kept = int((soundings.l2["xco2_quality_flag"] == 0).sum())
    return {
        "soundings_expected": expected,
        "soundings_retrieved": retrieved,
        "soundings_missing": expected - retrieved,
        "soundings_unexpected": soundings.unexpected,
        "soundings_counted": counted,
        "soundings_not_converged": soundings.l2["xco2"].size - counted,
        "converged_fraction": counted / expected if expected else math.nan,
        "quality_kept_fraction": kept / expected if expected else math.nan,
    }


def errors(soundings: join.Soundings) -> Figures:
    """Give the errors of XCO2 and surface pressure of the converged soundings."""
    use = soundings.counted
    raw, smoothed = soundings.error_ppm[use], soundings.smoothed_error_ppm[use]
    psurf = soundings.psurf_error_hpa[use]
    noise, total = soundings.l2["xco2_uncertainty_noise"][use], soundings.l2["xco2_uncertainty"][use]
    on_levels = (soundings.truth_on_levels_ppm - soundings.truth["xco2"])[use]
    bias = mean_interval(raw, soundings.block[use])
    return {
        **_spread("xco2_error_mean", bias, "_ppm"),
        "xco2_error_mean_abs_ppm": abs(bias.estimate),
        "xco2_error_scatter_ppm": scatter(raw),
        "xco2_error_max_abs_ppm": max_abs(raw),
        **_spread("smoothed_error_mean", mean_interval(smoothed, soundings.block[use]), "_ppm"),
        "smoothed_error_scatter_ppm": scatter(smoothed),
        "smoothed_error_max_abs_ppm": max_abs(smoothed),
        **_spread("smoothed_scatter_to_noise_sigma", scatter_ratio(smoothed, noise), ""),
        "raw_error_rms_to_total_sigma": rms(raw) / rms(total) if raw.size else math.nan,
        "noise_sigma_ppm": rms(noise),
        "total_sigma_ppm": rms(total),
        "truth_on_levels_max_abs_ppm": max_abs(on_levels),
        "surface_pressure_error_mean_hpa": mean(psurf),
        "surface_pressure_error_scatter_hpa": scatter(psurf),
        "surface_pressure_error_max_abs_hpa": max_abs(psurf),
    }


def _spread(name: str, interval: Interval, unit: str) -> Figures:
    return {
        f"{name}{unit}": interval.estimate,
        f"{name}_low{unit}": interval.low,
        f"{name}_high{unit}": interval.high,
    }


def fit(soundings: join.Soundings) -> Figures:
    """Give the quality of the spectral fit of the converged soundings."""
    use = soundings.counted
    chi2 = soundings.l2["chi2"]
    bands = chi2.T[:, use] if chi2.ndim == 2 else np.full((4, use.sum()), np.nan)
    return {
        **{f"chi2_b{n + 1}": mean(values) for n, values in enumerate(bands)},
        "dof_co2": mean(soundings.l2["dof_co2"][use]),
        "iterations": mean(soundings.l2["iterations"][use]),
    }


def compare(soundings: join.Soundings, other: join.Soundings, intensity: float) -> dict[str, Any]:
    """Pair the soundings under other CO2 line intensities with the run's own: same scenes, same noise."""
    rows, places = join.match(soundings.l2["sounding_id"], other.l2["sounding_id"])
    both = soundings.counted[places] & other.counted[rows]
    difference = other.l2["xco2"][rows[both]] - soundings.l2["xco2"][places[both]]
    change = mean_interval(difference, soundings.block[places[both]])
    return {
        "co2_intensity": intensity,
        "pairs": int(both.sum()),
        "difference_mean_ppm": change.estimate,
        "difference_low_ppm": change.low,
        "difference_high_ppm": change.high,
        "difference_scatter_ppm": scatter(difference),
        "difference_linear_ppm": MISMATCH_PPM_PER_SHARE * intensity,
        "error_mean_ppm": mean(other.error_ppm[rows[both]]),
        "own_error_mean_ppm": mean(soundings.error_ppm[places[both]]),
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Turn what is not finite into null, which JSON knows."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else _number(value)
        for name, value in values.items()
    }


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _write(path: Path, verdict: Verdict) -> None:
    """Write to a temporary neighbour, then rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(verdict, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(temporary, path)
