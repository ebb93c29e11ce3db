"""Turn L1A counts into calibrated radiances with noise, wavelength and quality (L1B)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from processors import products
from processors.job import Job
from processors.l1b import effects, quality
from processors.l1b.calibration import Calibration, of_soundings

# the inverse of the instrument's chain, last effect first
EFFECTS = (
    effects.quantisation,
    effects.offset,
    effects.nonlinearity,
    effects.gain,
    effects.noise,
    effects.dark,
    effects.prnu,
    effects.radiometric,
)
DEFAULTS: dict[str, Any] = {
    "saturation_fraction": 0.9,  # of the ceiling; above it spectels are flagged where a row saturated
}


def run(job: Job) -> None:
    settings = job.options(DEFAULTS)
    for source, target in job.pairs("l1a", "l1b"):
        l1a = products.read(source, level="l1a")
        ckd_path = job.input("ckd")
        ckd = products.read_ckd(ckd_path, l1a["time"])
        variables = calibrate(l1a, of_soundings(ckd, l1a["fov"], ckd_path), settings)
        attributes = {"scenario_hash": job.scenario_hash, "ckd_id": ckd.attrs.get("ckd_id", "")}
        products.write(target, "l1b", variables, attributes, parents=[source, Path(ckd_path)])


def calibrate(
    l1a: dict[str, np.ndarray], calibration: Calibration, settings: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Return the variables of L1B: those of L1A that it keeps and the calibrated spectra."""
    dn = l1a["dn"]
    signal = undo(dn, calibration)
    is_saturated = quality.saturated(
        dn, l1a["saturated"], calibration.rows * calibration.full_scale_dn, settings["saturation_fraction"]
    )
    missing = l1a["band_missing"].astype(bool)[..., np.newaxis]
    spectel_quality = quality.flag(is_saturated, l1a["band_missing"], signal.value)
    kept = {name: l1a[name] for name in products.table("l1b")["shared"] if name in l1a}
    return {
        **kept,
        "wavelength": effects.wavelength(calibration, dn.shape[-1]),
        "radiance": np.where(missing, np.nan, signal.value),
        "radiance_uncertainty": np.where(missing, np.nan, np.sqrt(signal.variance)),
        "spectel_quality": spectel_quality,
    }


def undo(dn: np.ndarray, calibration: Calibration) -> effects.Signal:
    """Apply EFFECTS in order to the summed counts (sounding, band, spectel)."""
    signal = effects.Signal(dn.astype(np.float64), np.zeros(dn.shape))
    for effect in EFFECTS:
        signal = effect(signal, calibration)
    return signal
