"""Turn at-sensor radiance into the row sums of digital numbers of every sounding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from twin import random
from twin.instrument import detector, optics, polarisation, readout
from twin.instrument.asbuilt import AsBuilt


def expose(
    radiance_ds: Mapping[Any, Any],
    geometry_ds: xr.Dataset,
    asbuilt: AsBuilt,
    *,
    noise: bool,
    seed: int,
) -> xr.Dataset:
    """Expose each sounding  dn (sounding, band, spectel) int32, saturated_rows (sounding, band).

    radiance_ds: wavenumber_<band> (point) cm-1 ground frame, radiance_<band> (sounding, point) in ph s-1 m-2
    sr-1 um-1, with stokes_q_<band>, stokes_u_<band> if polarised; geometry_ds: sounding_id, fov (1..3),
    sensor_recession_speed (m s-1), if polarised corners and angles of view, same order.
    Without noise nothing is drawn and a row is not rounded (readout.digitise); only the row sum is.
    """
    ids = np.asarray(geometry_ds["sounding_id"].values, dtype=np.int64)
    _check_same_soundings(radiance_ds, ids)
    speed = np.asarray(geometry_ds["sensor_recession_speed"].values, dtype=float)
    fov = np.asarray(geometry_ds["fov"].values, dtype=int) - 1
    shape = (ids.size, len(asbuilt.band))
    dn = np.empty((*shape, asbuilt.spectels), dtype=np.int32)
    saturated = np.zeros(shape, dtype=np.int16)
    for band, name in enumerate(asbuilt.band):
        wavenumber = np.asarray(radiance_ds[f"wavenumber_{name}"])
        radiance = polarisation.sensed(radiance_ds, geometry_ds, asbuilt, band)
        for i in range(ids.size):
            seen = optics.spectel_radiance(wavenumber, radiance[i], speed[i], asbuilt, band, fov[i])
            rng = (seed, int(ids[i])) if noise else None
            dn[i, band], saturated[i, band] = expose_band(seen, asbuilt, band, fov[i], rng)
    return _dataset(ids, dn, saturated, asbuilt)


def expose_band(
    radiance: np.ndarray, asbuilt: AsBuilt, band: int, fov: int, key: tuple[int, int] | None
) -> tuple[np.ndarray, int]:
    """Row sum (spectel) DN and number of saturated rows for one radiance (spectel).

    key: (seed, sounding_id) of the noise, None for none; `fov` counts from 0.
    """
    electrons = detector.row_electrons(
        radiance,
        asbuilt.responsivity[band, fov],
        asbuilt.prnu[band, fov],
        asbuilt.dark_rate[band, fov],
        asbuilt.integration_time_s,
    )
    if key is not None:
        electrons = detector.collect(electrons, random.stream(key[0], "shot noise", key[1], band))
    full = electrons >= asbuilt.full_well_e
    electrons = np.minimum(electrons, asbuilt.full_well_e)
    if key is not None:
        rng = random.stream(key[0], "read noise", key[1], band)
        electrons = detector.read(electrons, asbuilt.read_noise_e, rng)
    analogue = readout.analogue_dn(
        electrons, asbuilt.electron_per_dn, asbuilt.nonlinearity[band, fov], asbuilt.full_scale_dn
    )
    offset = asbuilt.adc_offset[band, fov]
    rows = readout.digitise(analogue, offset, asbuilt.full_scale_dn, rounded=key is not None)
    saturated_rows = int((full | (rows >= asbuilt.full_scale_dn)).any(axis=1).sum())
    return readout.sum_rows(rows), saturated_rows


def _check_same_soundings(radiance_ds: Mapping[Any, Any], ids: np.ndarray) -> None:
    if "sounding_id" in radiance_ds and not np.array_equal(radiance_ds["sounding_id"], ids):
        raise ValueError("radiance and geometry list different soundings: expose one granule's two files")


def _dataset(ids: np.ndarray, dn: np.ndarray, saturated: np.ndarray, asbuilt: AsBuilt) -> xr.Dataset:
    temperature = np.full(ids.size, asbuilt.detector_temperature_k)
    return xr.Dataset(
        {
            "sounding_id": ("sounding", ids, {"long_name": "sounding identifier"}),
            "dn": (
                ("sounding", "band", "spectel"),
                dn,
                {"units": "1", "long_name": "digital number, sum of the rows"},
            ),
            "saturated_rows": (
                ("sounding", "band"),
                saturated,
                {"units": "1", "long_name": "rows with a saturated pixel"},
            ),
            "detector_temperature": (
                "sounding",
                temperature,
                {"units": "K", "long_name": "detector temperature"},
            ),
        }
    )
