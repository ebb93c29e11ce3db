"""Turn an instrument's YAML figures into the arrays of one as-built instrument."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from twin import random
from twin.constants import FOVS
from twin.instrument import isrf

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class AsBuilt:
    """True instrument; arrays run (band=4, fov=3, ...), spectel 0 is the shortest wavelength."""

    name: str
    band: tuple[str, ...]
    dispersion: np.ndarray  # (band, fov, 3) nm: c0 + c1*s + c2*s**2, s = spectel - 511.5
    isrf_node: np.ndarray  # (node,) spectel
    isrf_offset: np.ndarray  # (band, offset) nm, wavelength of the light - wavelength of the spectel
    isrf: np.ndarray  # (band, fov, node, offset) nm-1, unit integral
    responsivity: np.ndarray  # (band, fov, spectel) electron / (ph s-1 m-2 sr-1 um-1), row sum, one frame
    polarisation: np.ndarray  # (band,) share by which fully polarised light along the axis counts more
    polarisation_axis_rad: np.ndarray  # (band,) from the slit, anticlockwise as the sensor sees it
    prnu: np.ndarray  # (band, fov, row, spectel) relative, mean 1
    dark_rate: np.ndarray  # (band, fov, row, spectel) electron s-1
    adc_offset: np.ndarray  # (band, fov, row) DN
    nonlinearity: np.ndarray  # (band, fov, row): DN_true = DN * (1 + c * DN / full_scale_dn)
    mean_radiance: np.ndarray  # (band,) ph s-1 m-2 sr-1 um-1
    mean_electrons: np.ndarray  # (band,) row sum
    line_of_sight: np.ndarray  # (fov, xyz) body frame, FOV centres
    corner_line_of_sight: np.ndarray  # (fov, left/right, xyz)
    read_noise_e: float  # electron, one row
    full_well_e: float  # electron, one row
    electron_per_dn: float
    full_scale_dn: int  # one row
    integration_time_s: float
    detector_temperature_k: float

    @property
    def rows(self) -> int:
        """Rows summed on board into one FOV."""
        return self.prnu.shape[2]

    @property
    def spectels(self) -> int:
        return self.prnu.shape[3]


def load(name: str, folder: Path = DATA) -> AsBuilt:
    """Read <folder>/<name>.yaml and lay out its pixels; the same name gives the same instrument."""
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise ValueError(f"no instrument {name!r}: expected one of {known}")
    with path.open() as file:
        return build(yaml.safe_load(file))


def build(figures: dict[str, Any]) -> AsBuilt:
    """Lay out the instrument from the figures of the YAML file."""
    _check_keys(figures)
    spectral, width, readout = figures["spectral"], figures["isrf"], figures["readout"]
    pixel_nm = spectel_width(spectral)
    offset, table = isrf.tables(width, pixel_nm, spectral["spectels"])
    return AsBuilt(
        name=figures["name"],
        band=tuple(figures["band"]),
        dispersion=_dispersion(spectral),
        isrf_node=np.array(width["node_spectel"], dtype=float),
        isrf_offset=offset,
        isrf=table,
        responsivity=_responsivity(figures, pixel_nm),
        polarisation=np.array(figures["polarisation"]["sensitivity"], dtype=float),
        polarisation_axis_rad=np.radians(figures["polarisation"]["axis_deg"]),
        **_pixels(figures),
        mean_radiance=np.array(figures["radiometric"]["mean_radiance"], dtype=float),
        mean_electrons=np.array(figures["radiometric"]["mean_electrons"], dtype=float),
        **_lines_of_sight(figures["geometry"]),
        read_noise_e=figures["detector"]["read_noise_e"],
        full_well_e=figures["detector"]["full_well_e"],
        electron_per_dn=readout["electron_per_dn"],
        full_scale_dn=2 ** readout["bits"] - 1,
        integration_time_s=figures["geometry"]["frame_duration_s"],
        detector_temperature_k=figures["detector"]["temperature_k"],
    )


def _check_keys(figures: dict[str, Any]) -> None:
    """Refuse unknown and missing figures; microcarb.yaml shows which there are."""
    with (DATA / "microcarb.yaml").open() as file:
        model = yaml.safe_load(file)
    pairs = [("instrument", figures, model)]
    pairs += [
        (key, figures.get(key, {}), section) for key, section in model.items() if isinstance(section, dict)
    ]
    for name, given, expected in pairs:
        for key in sorted(given.keys() ^ expected.keys()):
            problem = "unknown" if key in given else "missing"
            raise ValueError(f"{name}: {problem} key {key!r}: expected {', '.join(expected)}")


def spectel_width(spectral: dict[str, Any]) -> np.ndarray:
    """Mean width of a spectel  (band)  nm."""
    edges = np.array(spectral["range_nm"])
    return (edges[:, 1] - edges[:, 0]) / spectral["spectels"]


def _dispersion(spectral: dict[str, Any]) -> np.ndarray:
    edges, step = np.array(spectral["range_nm"]), spectel_width(spectral)
    half = (spectral["spectels"] - 1) / 2
    c2 = spectral["dispersion_change"] * step / (4 * half)
    c0 = edges.mean(axis=1) - c2 * half**2  # keeps the first and last spectel at the published edges
    smile = np.array(spectral["smile_spectel"])
    shifted = c0[:, None] + step[:, None] * smile
    return np.stack([shifted, np.tile(step[:, None], FOVS), np.tile(c2[:, None], FOVS)], axis=-1)


def throughput(figures: dict[str, Any], pixel_nm: np.ndarray) -> np.ndarray:
    """Electrons of the row sum per unit radiance, A*Omega*tau*eta*t*dlambda  (band)."""
    radiometric, geometry = figures["radiometric"], figures["geometry"]
    solid_angle_sr = (
        geometry["footprint_across_m"] * radiometric["slit_along_track_m"] / geometry["altitude_m"] ** 2
    )
    efficiency = np.array(radiometric["optical_transmission"]) * np.array(radiometric["quantum_efficiency"])
    etendue = radiometric["aperture_m2"] * solid_angle_sr
    return etendue * efficiency * geometry["frame_duration_s"] * pixel_nm * 1e-3  # nm to um


def _responsivity(figures: dict[str, Any], pixel_nm: np.ndarray) -> np.ndarray:
    u = _band_coordinate(figures["spectral"]["spectels"])
    loss = np.array(figures["radiometric"]["blaze_edge_loss"])[:, None]
    blaze = 1 - loss * u**2
    blaze /= blaze.mean(axis=1, keepdims=True)
    fov = np.array(figures["radiometric"]["fov_response"])
    return throughput(figures, pixel_nm)[:, None, None] * fov[None, :, None] * blaze[:, None, :]


def _pixels(figures: dict[str, Any]) -> dict[str, np.ndarray]:
    detector, readout = figures["detector"], figures["readout"]
    pixel = (len(figures["band"]), FOVS, detector["rows"], figures["spectral"]["spectels"])

    def pattern(effect: str, shape: tuple[int, ...]) -> np.ndarray:
        return random.stream(figures["serial_number"], f"as-built {effect}").standard_normal(shape)

    prnu = 1 + detector["prnu"] * pattern("prnu", pixel)
    dark = 1 + detector["dark_pattern"] * pattern("dark", pixel)
    offset = readout["adc_offset_dn"] + readout["adc_offset_pattern_dn"] * pattern("offset", pixel[:3])
    spread = 1 + readout["nonlinearity_pattern"] * pattern("nonlinearity", pixel[:3])
    return {
        "prnu": prnu / prnu.mean(axis=(2, 3), keepdims=True),
        "dark_rate": detector["dark_rate_e_s"] * np.clip(dark, 0.1, None),
        "adc_offset": offset,
        "nonlinearity": readout["nonlinearity"] * spread,
    }


def _lines_of_sight(geometry: dict[str, Any]) -> dict[str, np.ndarray]:
    across = geometry["footprint_across_m"] / geometry["altitude_m"]  # rad
    centre = np.array([-1.0, 0.0, 1.0]) * across
    corner = centre[:, None] + np.array([-0.5, 0.5]) * across
    return {"line_of_sight": _direction(centre), "corner_line_of_sight": _direction(corner)}


def _direction(angle_rad: np.ndarray) -> np.ndarray:
    """Unit vectors tilted from +z (boresight) towards +y (right of flight)."""
    return np.stack([np.zeros_like(angle_rad), np.sin(angle_rad), np.cos(angle_rad)], axis=-1)


def _band_coordinate(spectels: int) -> np.ndarray:
    """-1 at the first spectel, +1 at the last."""
    return np.linspace(-1.0, 1.0, spectels)
