"""Turn the as-built instrument and a knowledge error into the calibration key data the ground is given."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from twin import netcdf, random
from twin.instrument.asbuilt import AsBuilt
from twin.scenario import KnowledgeError

VALIDITY = ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z")  # [A] nothing ages yet

Groups = dict[str, dict[str, np.ndarray]]


def write(path: Path, asbuilt: AsBuilt, knowledge_error: KnowledgeError, seed: int) -> str:
    """Write ckd.nc as processors/icd/ckd.yaml describes it and return its ckd_id."""
    table = netcdf.table("ckd")
    groups = known(asbuilt, knowledge_error, seed)
    ckd_id = f"{asbuilt.name}-ckd-v{table['version']}-{_digest(groups)}"
    with netcdf.replacing(path) as file:
        _write_root(file, asbuilt, table, ckd_id)
        for name, variables in groups.items():
            group = file.createGroup(name)
            group.uncertainty = uncertainty(knowledge_error)[name]
            for key, values in variables.items():
                netcdf.put(group, key, values, table["groups"][name][key])
    return ckd_id


def known(asbuilt: AsBuilt, knowledge_error: KnowledgeError, seed: int) -> Groups:
    """List what the ground is told: truth averaged or summed over the rows, then the knowledge error."""
    return _with_error(true_groups(asbuilt), asbuilt, knowledge_error, seed)


def true_groups(asbuilt: AsBuilt) -> Groups:
    """List the calibration key data of perfect knowledge, {group: {variable: values}}."""
    bands, fovs, rows, spectels = asbuilt.prnu.shape
    gain = np.full((bands, fovs), asbuilt.electron_per_dn)
    offset = np.repeat(asbuilt.adc_offset.sum(axis=2)[..., None], spectels, axis=2)
    return {
        "dark": {"offset": offset, "dark_rate": asbuilt.dark_rate.sum(axis=2)},
        "noise": {
            "read_noise": np.full((bands, fovs), asbuilt.read_noise_e * np.sqrt(rows)),
            "rows": np.array(rows),
        },
        "readout": {
            "electron_per_dn": gain,
            "full_scale_dn": np.array(asbuilt.full_scale_dn),
            "integration_time": np.array(asbuilt.integration_time_s),
        },
        "nonlinearity": {"coefficient": asbuilt.nonlinearity.mean(axis=2)[..., None]},
        "prnu": {"prnu": asbuilt.prnu.mean(axis=2)},
        "radiometric": {"responsivity": asbuilt.responsivity},
        "spectral": {"dispersion": asbuilt.dispersion},
        "isrf": {
            "isrf_node": asbuilt.isrf_node,
            "isrf_offset": asbuilt.isrf_offset,
            "isrf": asbuilt.isrf,
        },
        "geometry": {
            "line_of_sight": asbuilt.line_of_sight,
            "corner_line_of_sight": asbuilt.corner_line_of_sight,
            "frame_duration": np.array(asbuilt.integration_time_s),
        },
    }


def _with_error(groups: Groups, asbuilt: AsBuilt, error: KnowledgeError, seed: int) -> Groups:
    u = np.linspace(-1.0, 1.0, asbuilt.spectels)  # band coordinate
    slope = 1 + _signed(error.gain_slope, "gain_slope", asbuilt, seed)[:, None, None] * u / 2
    zero_dn = asbuilt.mean_electrons / asbuilt.electron_per_dn
    zero_dn = zero_dn * _signed(error.zero_level, "zero_level", asbuilt, seed)
    width = 1 + _signed(error.isrf_width, "isrf_width", asbuilt, seed)
    spectels = _signed(error.wavelength_spectel, "wavelength", asbuilt, seed)
    dispersion = groups["spectral"]["dispersion"].copy()
    dispersion[..., 0] += spectels[:, None] * dispersion[..., 1]
    true = {name: dict(variables) for name, variables in groups.items()}
    true["radiometric"]["responsivity"] = groups["radiometric"]["responsivity"] * slope
    true["dark"]["offset"] = groups["dark"]["offset"] + zero_dn[:, None, None]
    true["isrf"]["isrf_offset"] = groups["isrf"]["isrf_offset"] * width[:, None]
    true["isrf"]["isrf"] = groups["isrf"]["isrf"] / width[:, None, None, None]
    true["spectral"]["dispersion"] = dispersion
    return true


def _signed(size: float, effect: str, asbuilt: AsBuilt, seed: int) -> np.ndarray:
    """Give the size the sign drawn for each band  (band)."""
    signs = [random.sign(seed, f"knowledge {effect}", band) for band in range(len(asbuilt.band))]
    return size * np.array(signs, dtype=float)


def uncertainty(error: KnowledgeError) -> dict[str, str]:
    """Describe each group's uncertainty, 1 sigma."""
    none = "not simulated: known exactly"
    return {
        "dark": f"zero level {error.zero_level:g} of the continuum at mean radiance; dark rate: {none}",
        "noise": none,
        "readout": none,
        "nonlinearity": f"mean of the rows; {none}",
        "prnu": none,
        "radiometric": f"slope {error.gain_slope:g} from edge to edge of a band",
        "spectral": f"shift {error.wavelength_spectel:g} spectel of a band",
        "isrf": f"width {error.isrf_width:g} relative, of a band",
        "geometry": none,
    }


def _digest(groups: Groups) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for name in sorted(groups):
        for key in sorted(groups[name]):
            digest.update(f"{name}/{key}".encode() + np.ascontiguousarray(groups[name][key]).tobytes())
    return digest.hexdigest()


def _write_root(file: netCDF4.Dataset, asbuilt: AsBuilt, table: dict[str, Any], ckd_id: str) -> None:
    file.title = f"SIMULATION calibration key data of {asbuilt.name}"
    file.Conventions = "CF-1.11"
    file.ckd_id = ckd_id
    file.ckd_version = np.int32(table["version"])
    file.validity_start, file.validity_end = VALIDITY
    file.instrument = asbuilt.name
    file.source = "simulation"
    file.history = "written by twin.instrument.ckd: the as-built instrument with a knowledge error"
    sizes = dict(table["dimensions"], offset=asbuilt.isrf_offset.shape[1])
    for name, size in sizes.items():
        file.createDimension(name, size)
