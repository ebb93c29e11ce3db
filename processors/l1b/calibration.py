"""Turn calibration key data into the numbers that apply to each sounding."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from processors.job import BadInput
from processors.products import Groups

# name in Calibration: group and variable of the CKD, dimensions behind the sounding
PER_FOV = {
    "offset": ("dark", "offset"),  # (band, spectel) DN, sum of rows
    "dark_rate": ("dark", "dark_rate"),  # (band, spectel) electron s-1, sum of rows
    "read_noise": ("noise", "read_noise"),  # (band,) electron rms, sum of rows
    "electron_per_dn": ("readout", "electron_per_dn"),  # (band,)
    "nonlinearity": ("nonlinearity", "coefficient"),  # (band, degree), of one row
    "prnu": ("prnu", "prnu"),  # (band, spectel) relative
    "responsivity": ("radiometric", "responsivity"),  # (band, spectel) electron per radiance unit
    "dispersion": ("spectral", "dispersion"),  # (band, coefficient) nm
}
SCALARS = (("noise", "rows"), ("readout", "full_scale_dn"), ("readout", "integration_time"))


@dataclass(frozen=True)
class Calibration:
    """Arrays (sounding, band, spectel or 1); nonlinearity and dispersion (sounding, band, coefficient)."""

    offset: np.ndarray
    dark_rate: np.ndarray
    read_noise: np.ndarray
    electron_per_dn: np.ndarray
    nonlinearity: np.ndarray
    prnu: np.ndarray
    responsivity: np.ndarray
    dispersion: np.ndarray
    rows: float
    full_scale_dn: float
    integration_time_s: float


def of_soundings(ckd: Groups, fov: np.ndarray, path: Path) -> Calibration:
    """Pick each sounding's field of view.

    fov  (sounding,)  1..3
    """
    arrays = {name: _by_fov(_variable(ckd, *source, path), fov, path) for name, source in PER_FOV.items()}
    rows, full_scale_dn, integration_time_s = (
        float(np.ravel(_variable(ckd, *source, path))[0]) for source in SCALARS
    )
    for name in ("read_noise", "electron_per_dn"):
        arrays[name] = arrays[name][..., np.newaxis]
    return Calibration(
        **arrays, rows=rows, full_scale_dn=full_scale_dn, integration_time_s=integration_time_s
    )


def _variable(ckd: Groups, group: str, name: str, path: Path) -> np.ndarray:
    if group not in ckd or name not in ckd[group]:
        raise BadInput(f"{path}: expected CKD variable {group}/{name}, got none: give a complete CKD")
    return ckd[group][name]


def _by_fov(values: np.ndarray, fov: np.ndarray, path: Path) -> np.ndarray:
    """Turn (band, fov, ...) into (sounding, band, ...) float64."""
    if fov.size and (fov.min() < 1 or fov.max() > values.shape[1]):
        raise BadInput(
            f"{path}: expected a CKD for fields of view {fov.min()}..{fov.max()}, got 1..{values.shape[1]}: "
            "give the CKD of this instrument"
        )
    index = np.asarray(fov, dtype=np.intp) - 1
    return np.moveaxis(values.astype(np.float64)[:, index], 1, 0)
