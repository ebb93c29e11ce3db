"""Turn a nature, a place and a moment into the spectra that the sensor would see there, as netCDF."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from truth import radiance
from truth.scene import Truth
from twin import provenance
from twin.constants import BANDS
from twin.errors import BadInput
from twin.instrument import asbuilt, optics
from twin.truthview import places
from twin.truthview.asked import Nature, provenance_attributes

DAYLIGHT_SZA_DEG = 85.0  # deg, beyond it the light of the sphere's edge is not computed well
STEEPEST_VZA_DEG = 75.0
MODES = ("nadir", "glint")
PHOTONS = {"units": "s-1 m-2 sr-1 um-1", "comment": "counts photons"}
TOLD = (
    "xco2",
    "surface_pressure",
    "surface_altitude",
    "wind_speed",
    "aod",
    "cloud_fraction",
    "sif",
    "surface_kind",
)


def check_place(latitude: float, longitude: float) -> None:
    for name, value, limit in (("--lat", latitude, 90.0), ("--lon", longitude, 180.0)):
        if not -limit <= value <= limit:
            raise BadInput(f"{name}: expected -{limit:g} to {limit:g} degrees, got {value:g}")


def geometry(
    place_deg: tuple[float, float],
    at: datetime,
    mode: str,
    sza_deg: float | None,
    vza_deg: float | None,
) -> xr.Dataset:
    """Check the angles asked for and give the geometry of one sounding."""
    latitude, longitude = place_deg
    if mode not in MODES:
        raise BadInput(f"--mode: expected nadir or glint, got {mode!r}")
    found = places.viewed(
        places.sunlit(np.array([latitude]), np.array([longitude]), at), mode, vza_deg, sza_deg
    )
    sza, vza = (float(found[f"{body}_zenith_angle"][0]) for body in ("solar", "sensor"))
    if not 0.0 <= sza <= DAYLIGHT_SZA_DEG:
        raise BadInput(
            f"expected the Sun at a zenith angle up to {DAYLIGHT_SZA_DEG:g} degrees, got {sza:.1f} at "
            f"{latitude:g} N {longitude:g} E, {at:%Y-%m-%dT%H:%M:%SZ}: choose another --date or give --sza"
        )
    if not 0.0 <= vza <= STEEPEST_VZA_DEG:
        raise BadInput(
            f"expected a sensor zenith angle of 0 to {STEEPEST_VZA_DEG:g} degrees, got {vza:.1f}: give --vza"
        )
    return found


def observe(asked: Nature, where: xr.Dataset, runs: Path) -> xr.Dataset:
    """Give the spectra of the first footprint of a geometry.

    radiance, wavelength (band, spectel) as a perfect detector behind the optics of the middle field of view
    would count; radiance_B1.. over wavenumber_B1.. the light before the instrument, in the ground's frame.
    """
    scene = Truth(asked.config, asked.seed).sample(where)
    tables = runs / ".cache" / provenance.tables_folder("truth")
    light = radiance.radiances(scene, tables, asked.config)
    built = asbuilt.load(asked.instrument)
    fov = int(where["fov"][0]) - 1
    speed = float(where["sensor_recession_speed"][0])
    spectra = [
        (
            optics.spectel_wavelength(built.dispersion[band, fov], built.spectels),
            optics.spectel_radiance(
                light[f"wavenumber_{name}"].values,
                light[f"radiance_{name}"].values[0],
                speed,
                built,
                band,
                fov,
            ),
        )
        for band, name in enumerate(BANDS)
    ]
    wavelength, seen = (np.stack(part) for part in zip(*spectra, strict=True))
    return _dataset(asked, scene, light, wavelength, seen)


def _dataset(
    asked: Nature, scene: xr.Dataset, light: xr.Dataset, wavelength_nm: np.ndarray, seen: np.ndarray
) -> xr.Dataset:
    result = _place(scene)
    result["band_name"] = ("band", list(BANDS), {"long_name": "name of the spectral band"})
    result["wavelength"] = (
        ("band", "spectel"),
        wavelength_nm,
        {
            "units": "nm",
            "standard_name": "radiation_wavelength",
            "long_name": "wavelength in vacuum at the sensor",
        },
    )
    result["radiance"] = (
        ("band", "spectel"),
        seen,
        {**PHOTONS, "long_name": "spectral photon radiance of each spectel, without noise"},
    )
    for name in BANDS:
        point = f"point_{name}"
        result[f"wavenumber_{name}"] = (
            point,
            light[f"wavenumber_{name}"].values,
            {
                "units": "cm-1",
                "long_name": f"wavenumber at the ground, {name}",
            },
        )
        result[f"radiance_{name}"] = (
            point,
            light[f"radiance_{name}"].values[0],
            {**PHOTONS, "long_name": f"monochromatic photon radiance before the instrument, {name}"},
        )
    return result.set_coords(["wavelength", "band_name"]).assign_attrs(
        title="What the sensor would see (simulation)",
        summary="Noise-free radiance of one footprint in the four bands, and the light before the optics",
        history="written by twin truth spectrum",
        references="docs/truth.md",
        instrument=asked.instrument,
        **provenance_attributes(asked),
    )


def _place(scene: xr.Dataset) -> xr.Dataset:
    """Take place, angles and the main figures of the scene as single numbers with their attributes."""
    angles = {
        f"{body}_{kind}_angle": f"{kind} angle of the {word}, degrees"
        for body, word in (("solar", "Sun"), ("sensor", "satellite"))
        for kind in ("zenith", "azimuth")
    }
    place = xr.Dataset()
    for name, long_name in angles.items():
        attributes = {
            "units": "degree",
            "standard_name": name,
            "long_name": long_name.removesuffix(", degrees"),
        }
        place[name] = ((), float(scene[name][0]), attributes)
    for name in TOLD:
        place[name] = ((), scene[name].values[0], dict(scene[name].attrs))
    kind = place["surface_kind"]
    kind.attrs["flag_values"] = np.array(kind.attrs["flag_values"], kind.dtype)
    for name, units in (("latitude", "degrees_north"), ("longitude", "degrees_east")):
        attributes = {"units": units, "standard_name": name, "long_name": f"{name} of the footprint centre"}
        place.coords[name] = ((), float(scene[name][0]), attributes)
    place.coords["time"] = (
        (),
        float(scene["time"][0]),
        {
            "units": "seconds since 1970-01-01T00:00:00Z",
            "calendar": "standard",
            "units_metadata": "leap_seconds: none",
            "standard_name": "time",
            "long_name": "UTC",
        },
    )
    return place
