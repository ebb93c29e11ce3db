"""Run L2 on a random ensemble of truth's scenes and compare what it finds, and how sure it is, with truth.

Usage: python benchmarks/l2_accuracy.py ENSEMBLE [--scenes N] [--draws N] [--seed S] [--work DIR]
       [--workers N] [--settings '{"chi2_limit": 2.0}'] [--checkout DIR] [--plot FILE.png]
       [--remake] [--light-only]
ENSEMBLE: closure, noise, prior_draws, aerosol or airglow. Set OMP_NUM_THREADS=1 as a run's workers do.
The light of the scenes stays in DIR; L2 runs anew every time. DIR/accuracy.json and DIR/RUN/soundings.csv
hold what the tables say, and more.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import l2_scenes
import numpy as np
import xarray as xr
import yaml
from scipy import special

from truth.landcover import KINDS
from truth.particles import SPECIES
from twin import provenance, worker
from twin.constants import BANDS
from twin.verify import join, statistics

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "runs" / "l2_accuracy"
SZA_EDGES_DEG = (20.0, 30.0, 40.0, 50.0, 60.0, 70.0)
AOD_EDGES = (0.05, 0.08, 0.12, 0.2, 0.3)
Figures = dict[str, float]
GROUPS = ("converged", "kept")
TIMES = (
    "L2: {wall_s:.1f} s for {soundings} soundings, of it {start_s:.1f} s start-up and "
    "{each_s:.4f} s a sounding; the first start took {first_s:.1f} s"
)
ERRORS = (  # heading, width, what it is made of: the table of errors
    ("n", 5, "{n:.0f}"),
    ("bias ppm (95 %)", 24, "{bias:+.3f} ({bias_low:+.3f} {bias_high:+.3f})"),
    ("sd", 6, "{sd:.3f}"),
    ("max", 6, "{max_abs:.2f}"),
    ("noise σ", 7, "{noise_sigma:.3f}"),
    ("sd/noise σ", 17, "{ratio:.2f} ({ratio_low:.2f} {ratio_high:.2f})"),
    ("within scenes", 17, "{within:.2f} ({within_low:.2f} {within_high:.2f})"),
    ("raw mean", 8, "{raw_mean:+.3f}"),
    ("raw sd", 6, "{raw_sd:.3f}"),
    ("total σ", 7, "{total_sigma:.3f}"),
    ("rms/σ", 6, "{raw_to_sigma:.2f}"),
    ("z²", 6, "{z2:.2f}"),
)
FIT = (  # and that of the fit
    ("n", 5, "{n:.0f}"),
    ("conv", 6, "{converged:.3f}"),
    ("kept", 6, "{kept:.3f}"),
    ("p_s bias hPa", 12, "{psurf_bias:+.3f}"),
    ("sd", 6, "{psurf_sd:.3f}"),
    ("max", 6, "{psurf_max:.2f}"),
    ("dof", 5, "{dof:.2f}"),
    ("iter", 5, "{iterations:.1f}"),
    *((f"χ² {name}", 7, f"{{chi2_{name}:.3f}}") for name in BANDS),
)


def run_l2(
    folder: Path, inputs: Path, spectra: Sequence[Path], settings: dict[str, Any], checkout: Path
) -> float:
    """Run the L2 of a checkout as a program on L1B files and return its wall time, s."""
    outputs = [folder / path.name.replace("l1b", "l2") for path in spectra]
    tables = provenance.tables_folder("processors") if checkout == ROOT else "processors"
    order = {
        "step": "l2",
        "inputs": l2_scenes.job_inputs(inputs, list(spectra)),
        "outputs": {"l2": [str(path) for path in outputs]},
        "settings": settings,
        "cache": str(checkout / "runs" / ".cache" / tables),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.nc"):
        old.unlink()
    job = folder / "job.yaml"
    job.write_text(yaml.safe_dump(order, sort_keys=False))
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    began = time.perf_counter()
    command = [sys.executable, "-m", "processors", "l2", str(job)]
    code = subprocess.run(command, check=False, cwd=checkout, env={**os.environ, **one_thread}).returncode
    if code:
        sys.exit(f"{job}: L2 ended with exit code {code}: it says why above")
    return time.perf_counter() - began


def timed(folder: Path, spectra: list[Path], settings: dict[str, Any], n: int, checkout: Path) -> Figures:
    """Run L2 on one sounding, which may build its tables, then again for its start, then on all."""
    inputs, one = folder.parent / "inputs", folder / "start"
    first, start = (run_l2(one, inputs, [inputs / "one.nc"], settings, checkout) for _ in range(2))
    wall = run_l2(folder / "l2", inputs, spectra, settings, checkout)
    each = (wall - start) / max(n - 1, 1)
    return {"first_s": first, "start_s": start, "wall_s": wall, "soundings": n, "each_s": each}


def subsets(soundings: xr.Dataset, aerosol: bool) -> dict[str, np.ndarray]:
    """Name the parts of the ensemble (sounding) bool."""
    glint, kind = soundings["operation_mode"].values == 1, soundings["surface_kind"].values
    sza, depth = soundings["solar_zenith_angle"].values, optical_depth(soundings)
    parts = {"all": np.ones(glint.size, bool), "land": ~glint, "glint": glint}
    for mode, rows in (("land", ~glint), ("glint", glint)):
        parts |= _bins(f"{mode} SZA", rows, sza, SZA_EDGES_DEG)
    parts |= {KINDS[k]: kind == k for k in np.unique(kind[~glint])}
    if not aerosol:
        ross_li = soundings["ross_li"].values == 1
        sif = soundings["sif"].values > 0.0
        return parts | {"Lambertian": ~glint & ~ross_li, "Ross-Li": ~glint & ross_li, "with SIF": sif}
    for mode, rows in (("land", ~glint), ("glint", glint)):
        parts |= _bins(f"{mode} AOD", rows, depth, AOD_EDGES)
    column = soundings["aerosol_optical_depth"].sum("layer").values
    ice = SPECIES.index("ice")
    most = np.where(np.arange(len(SPECIES)) == ice, 0.0, column).argmax(axis=1)
    parts |= {f"most {SPECIES[k]}": most == k for k in np.unique(most)}
    return parts | {"no cirrus": column[:, ice] == 0.0, "cirrus": column[:, ice] > 0.0}


def optical_depth(soundings: xr.Dataset) -> np.ndarray:
    """Add aerosol and cirrus at 0.755 um (sounding)."""
    return np.asarray(soundings["aod"].values + soundings["cirrus_optical_depth"].values)


def _bins(name: str, rows: np.ndarray, values: np.ndarray, edges: Sequence[float]) -> dict[str, np.ndarray]:
    pairs = itertools.pairwise(edges)
    return {f"{name} {low:g}-{high:g}": rows & (values >= low) & (values < high) for low, high in pairs}


def figures(joined: join.Soundings, scene: np.ndarray, part: np.ndarray, rows: np.ndarray) -> Figures:
    """Sum up the soundings `rows` out of `part` (sounding) bool; the draws of a scene share its number."""
    l2, smoothed = {k: v[rows] for k, v in joined.l2.items()}, joined.smoothed_error_ppm[rows]
    raw, psurf = joined.error_ppm[rows], joined.psurf_error_hpa[rows]
    noise, total = l2["xco2_uncertainty_noise"], l2["xco2_uncertainty"]
    return {
        "of": int(part.sum()),
        "n": raw.size,
        "converged": statistics.mean(joined.counted[part].astype(float)),
        "kept": statistics.mean(joined.kept[part].astype(float)),
        **_interval("bias", statistics.mean_interval(smoothed, scene[rows])),
        "sd": statistics.scatter(smoothed),
        "max_abs": statistics.max_abs(smoothed),
        "noise_sigma": statistics.rms(noise),
        **_interval("ratio", statistics.scatter_ratio(smoothed, noise)),
        **_interval("within", within_scenes(smoothed / noise, scene[rows])),
        "raw_mean": statistics.mean(raw),
        "raw_sd": statistics.scatter(raw),
        "total_sigma": statistics.rms(total),
        "raw_to_sigma": statistics.rms(raw) / statistics.rms(total),
        "z2": statistics.mean((raw / total) ** 2),
        "psurf_bias": statistics.mean(psurf),
        "psurf_sd": statistics.scatter(psurf),
        "psurf_max": statistics.max_abs(psurf),
        "dof": statistics.mean(l2["dof_co2"]),
        "iterations": statistics.mean(l2["iterations"]),
        **{f"chi2_{name}": statistics.mean(l2["chi2"][:, b]) for b, name in enumerate(BANDS)},
    }


def within_scenes(pull: np.ndarray, scene: np.ndarray) -> statistics.Interval:
    """Give the scatter of error / sigma about the mean of each scene, with its chi-square interval at 95 %.

    Every draw counts alike here; in a ratio to the rms of sigma the darkest scenes carry most of the weight.
    """
    _, index, counts = np.unique(scene, return_inverse=True, return_counts=True)
    free = pull.size - counts.size
    if free < 1:
        return statistics.UNKNOWN
    about = pull - (np.bincount(index, pull) / counts)[index]
    ratio = math.sqrt(float(about @ about) / free)
    tails = special.chdtri(free, [0.5 - statistics.CONFIDENCE / 2, 0.5 + statistics.CONFIDENCE / 2])
    low, high = ratio * np.sqrt(free / tails)
    return statistics.Interval(ratio, float(low), float(high))


def _interval(name: str, interval: statistics.Interval) -> Figures:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def compare(
    folder: Path, inputs: Path, soundings: xr.Dataset, scenes: int
) -> tuple[dict[str, Any], np.ndarray]:
    """Join L2 with truth, write soundings.csv; give the figures of parts and the errors (sounding) ppm."""
    worker.write(soundings[["sounding_id", *join.PLACE]], folder / "geometry.nc")
    joined = join.load(folder, inputs / "truth.nc")
    order, _ = join.match(joined.l2["sounding_id"], soundings["sounding_id"].values)
    here, scene = soundings.isel(sounding=order), order % scenes
    parts = subsets(here, bool(optical_depth(here).any()))
    result = {
        group: {name: figures(joined, scene, part, part & counted) for name, part in parts.items()}
        for group, counted in zip(GROUPS, (joined.counted, joined.kept), strict=True)
    }
    _write_csv(folder / "soundings.csv", joined, here, scene)
    errors = np.full(soundings.sizes["sounding"], np.nan)
    errors[order] = np.where(joined.counted, joined.smoothed_error_ppm, np.nan)
    return result, errors


def _write_csv(path: Path, joined: join.Soundings, here: xr.Dataset, scene: np.ndarray) -> None:
    l2, reasons = joined.l2, joined.reasons()
    said = [" ".join(name for name, rows in reasons.items() if rows[n]) for n in range(scene.size)]
    found = ("xco2_uncertainty_noise", "xco2_uncertainty", "dof_co2", "iterations", "outcome_flag")
    columns = {
        "sounding_id": l2["sounding_id"],
        "scene": scene,
        "surface": [KINDS[k] for k in here["surface_kind"].values],
        **{name: here[name].values for name in ("ross_li", "solar_zenith_angle", "sensor_zenith_angle")},
        **{name: here[name].values for name in ("aod", "cirrus_optical_depth", "sif", "wind_speed", "xco2")},
        "smoothed_error_ppm": joined.smoothed_error_ppm,
        "error_ppm": joined.error_ppm,
        "psurf_error_hpa": joined.psurf_error_hpa,
        **{name: l2[name] for name in found},
        **{f"chi2_{name}": l2["chi2"][:, b] for b, name in enumerate(BANDS)},
        "quality_reasons": said,
    }
    with path.open("w", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            table.writerow(f"{x:.7g}" if isinstance(x, float) else x for x in row)


def show(title: str, parts: dict[str, Figures], columns: Sequence[tuple[str, int, str]], shown: str) -> None:
    """Print a line for every part whose count `shown` is not 0."""
    print(f"\n{title}\n{'':18}" + "".join(f"{heading:>{width + 2}}" for heading, width, _ in columns))
    for name, found in parts.items():
        if found[shown]:
            cells = ((_cell(found, text), width) for _, width, text in columns)
            print(f"{name:18}" + "".join(f" {cell:>{width + 1}}" for cell, width in cells))


def _cell(found: Figures, text: str) -> str:
    said = text.format_map(found).replace("+nan", "nan")
    return "-" if said.startswith("nan") else said.replace("nan", "-")


def plot(path: Path, errors: dict[str, np.ndarray], soundings: xr.Dataset) -> None:
    """Draw the errors against SZA and, with particles, against their optical depth, a row a run."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    axes_of = {"solar zenith angle, degree": soundings["solar_zenith_angle"].values}
    if optical_depth(soundings).any():
        axes_of["optical depth at 0.755 µm"] = optical_depth(soundings)
    size = (6.0 * len(axes_of), 4.0 * len(errors))
    figure, grid = pyplot.subplots(len(errors), len(axes_of), squeeze=False, figsize=size, sharey="row")
    kinds = soundings["surface_kind"].values
    for row, (run, error) in zip(grid, errors.items(), strict=True):
        for axes, (label, values) in zip(row, axes_of.items(), strict=True):
            for kind in np.unique(kinds):
                chosen = kinds == kind
                axes.plot(values[chosen], error[chosen], ".", label=KINDS[kind], alpha=0.6)
            axes.axhline(0.0, color="grey", linewidth=0.8)
            axes.set(xlabel=label, title=run)
        row[0].set_ylabel("XCO2 - kernel-smoothed truth, ppm")
        row[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def evaluate(asked: argparse.Namespace, work: Path, scenes: xr.Dataset) -> None:
    """Run L2 as the ensemble asks, print the tables, write accuracy.json and the picture."""
    ensemble = l2_scenes.ENSEMBLES[asked.ensemble]
    soundings = l2_scenes.drawn(scenes, asked.draws)
    spectra = l2_scenes.write_inputs(work / "inputs", soundings, ensemble, asked.seed)
    report: dict[str, Any] = {name: getattr(asked, name) for name in ("ensemble", "scenes", "draws", "seed")}
    errors, report["runs"] = {}, {}
    for run, own in ensemble.runs.items():
        settings = {**own, **asked.settings}
        times = timed(work / run, spectra, settings, soundings.sizes["sounding"], asked.checkout)
        found, errors[run] = compare(work / run, work / "inputs", soundings, asked.scenes)
        report["runs"][run] = {"settings": settings, "time": times, **found}
        print(f"\n{asked.ensemble}, {run}, settings {json.dumps(settings)}")
        print(TIMES.format(**times))
        for group in GROUPS:
            show(f"{group}: XCO2 - kernel-smoothed truth, and raw", found[group], ERRORS, "n")
            show(f"{group}: fit", found[group], FIT, "of")
            if found["converged"]["all"]["n"] == found["kept"]["all"]["n"]:
                print("\nkept: all that converged")
                break
    text = json.dumps(report, indent=1).replace("NaN", "null")
    (work / "accuracy.json").write_text(text + "\n")
    if asked.plot:
        plot(asked.plot, errors, soundings)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ensemble", choices=l2_scenes.ENSEMBLES)
    parser.add_argument("--scenes", type=int)
    parser.add_argument("--draws", type=int, help="of noise, a scene")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes that make the light")
    parser.add_argument("--work", type=Path, help="default runs/l2_accuracy/ENSEMBLE-SEED-SCENES")
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON, of the L2 job order")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="whose processors run, default this one")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--remake", action="store_true", help="make the light anew")
    parser.add_argument("--light-only", action="store_true", help="make the light and stop")
    asked = parser.parse_args(arguments)
    asked.scenes = asked.scenes or l2_scenes.ENSEMBLES[asked.ensemble].scenes
    asked.draws = asked.draws or l2_scenes.ENSEMBLES[asked.ensemble].draws
    return asked


def main(arguments: Sequence[str]) -> None:
    asked = parse(arguments)
    work = (asked.work or RUNS / f"{asked.ensemble}-{asked.seed}-{asked.scenes}").resolve()
    asked.checkout = asked.checkout.resolve()
    scenes = l2_scenes.lit(work, asked.ensemble, asked.scenes, asked.seed, asked.workers, asked.remake)
    if not asked.light_only:
        evaluate(asked, work, scenes)


if __name__ == "__main__":
    main(sys.argv[1:])
