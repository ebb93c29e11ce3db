"""Tell cloud from clear air by single bands before the retrieval: O2 A pressure and ratios of CO2 and water.

Light that cloud sends back early, or leads round, shortens or lengthens the way differently in each band:
surface
pressure from the O2 A band alone, and the columns of the weak against the strong CO2 band, give it away (as
the
A-band and IMAP preprocessors of OCO-2 do, Taylor et al. 2016). Each is one linear step from the forecast,
taken on
the first call of the forward model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .bands import BANDS
from .gram import gram, pull, solve
from .inverse import Measurement, Modelled
from .quality import NONE, Reason
from .state import SIGMA_H2O, Options, StateVector

WIDE_PSURF_HPA = 100.0  # prior 1 sigma of surface pressure here
WIDE_SCALE = 1.0  # of the CO2 column
NAMES = ("psurf_change_o2a", "co2_ratio", "h2o_ratio")


def estimates(sv: StateVector, measured: Measurement, said: Modelled, options: Options) -> dict[str, float]:
    """Return what single bands say at the prior; NaN where a band is not fitted.

    psurf_change_o2a  hPa, from B1 alone;  co2_ratio, h2o_ratio  column of B2 over that of B3
    """
    found = dict.fromkeys(NAMES, np.nan)
    co2, h2o = {}, {}
    for b, part in zip(options.bands, said.parts, strict=True):
        if BANDS[b].name == "B1":
            found["psurf_change_o2a"] = _step(sv, measured, said.F, part, b, "psurf")[0]
        elif BANDS[b].gas == "CO2":
            co2[BANDS[b].name], h2o[BANDS[b].name] = _step(sv, measured, said.F, part, b, "co2")
    if len(co2) == 2:
        found["co2_ratio"] = (1.0 + co2["B2"]) / (1.0 + co2["B3"])
        found["h2o_ratio"] = (1.0 + h2o["B2"]) / max(1.0 + h2o["B3"], 0.05)
    return found


def _step(sv, measured, F, part, b, wanted):  # type: ignore[no-untyped-def]
    """Return the change of `wanted` (psurf in hPa, co2 as a factor of its column) and of the water scale."""
    rows, columns, K = part
    slopes, place = K.T, {column: n for n, column in enumerate(columns.tolist())}

    def held(name: str) -> slice:
        first = place[sv[name].start]
        return slice(first, first + sv[name].stop - sv[name].start)

    others = [name for name in (f"surface_{b}", f"dispersion_{b}", "sif", "ln_wind", "airglow") if name in sv]
    others = [name for name in others if sv[name].start in place]
    co2 = wanted == "co2"
    first = sv.x_a[sv["co2"]].astype(slopes.dtype) @ slopes[held("co2")] if co2 else slopes[held("psurf")]
    water = slopes[held("h2o")].sum(axis=0)  # the column as one
    design = np.vstack([first, water, *(slopes[held(name)] for name in others)])
    sigma = [[WIDE_SCALE if co2 else WIDE_PSURF_HPA, SIGMA_H2O], *(sv.sigma[sv[name]] for name in others)]
    root = np.sqrt(measured.precision[rows])
    scale = np.concatenate(sigma)
    design *= root.astype(design.dtype)
    if not root.all():
        design[:, root == 0.0] = 0.0
    residual = np.where(root > 0.0, root * (measured.y[rows] - F[rows]), 0.0)
    information = gram(design) * np.outer(scale, scale) + np.eye(scale.size)
    change = scale * solve(information, scale * pull(design, residual))
    return float(change[0]), float(change[1])


def cloudy(found: Mapping[str, float], settings: Mapping[str, Any]) -> Reason:
    """Hold the estimates against the limits; what could not be estimated passes."""
    low, high = settings["cloud_co2_ratio"]
    beyond = abs(found["psurf_change_o2a"]) > settings["cloud_psurf_limit"]
    ratio = found["co2_ratio"]
    return Reason.CLOUD if beyond or ratio < low or ratio > high else NONE
