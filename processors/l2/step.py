"""Turn L1B radiances into XCO2 by optimal estimation (L2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from processors import products
from processors.job import BadInput, Job
from processors.l2 import auxiliary
from processors.l2.retrieval import Row, retrieve

DEFAULTS: dict[str, Any] = {
    "mode": "full",  # full: with particles; clear: absorption and scattering by air alone
    "bands": ["B1", "B2", "B3", "B4"],
    "max_iterations": 25,  # in glint at SZA 60 to 70 through haze half of the searches want more than 15
    "fluorescence": True,  # fitted over land, needs B1
    "airglow": True,  # fitted, needs B4
    "dispersion": ["B1", "B2", "B3", "B4"],  # bands whose wavelength scale is shifted and stretched
    "isrf_width": [],  # bands whose response's width is fitted
    "isrf_width_sigma": 0.01,  # prior 1 sigma of the relative width
    "zero_level": [],  # bands whose zero level is fitted
    "zero_level_sigma": 0.002,  # prior 1 sigma, of the continuum
    "brdf": True,  # land meets the light of the sky as the forecast's kernels do; else as Lambertian ground
    "prescreen": True,  # leave cloud out before the retrieval
    "cloud_psurf_limit": 100.0,  # hPa, from B1 alone
    "cloud_co2_ratio": [0.7, 1.4],  # of B2 to B3
    "chi2_limit": 1.4,  # per band, above it a sounding is graded bad (OCO-2 B11 practice)
    "sza_limit": 80.0,  # degrees, no retrieval beyond
    # Blended albedo of Wunch et al. (2011): canopy 0.97, 1.3 where it is a third brighter, snow 2.2
    "snow_limit": 1.4,
    # hPa between retrieved and forecast surface pressure, where light was lost to or led round by cloud and
    # aerosol; OCO-2 keeps a few hPa, forecasts err by 1 hPa and calibration by 0.5 hPa
    "psurf_limit": 5.0,
    # frozen on benchmarks/l2_accuracy.py's aerosol ensemble of seed 1
    "aerosol_limit": 0.25,  # optical depth retrieved, all kinds
    "ice_limit": 0.1,
    "co2_ratio_limit": 0.02,  # from 1, of B2 to B3 before the retrieval
    "h2o_ratio_limit": 0.1,
    "snr_limit": 5.0,  # median of a band, no retrieval below; the mission's darkest scenes have 61 in B1
    "bias_correction": False,  # take off XCO2 what quality.BIAS says; in mode full of all bands, as trained
}
# what the bias correction hangs on
TRAINED_WITH = ("mode", "bands", "fluorescence", "airglow", "dispersion", "isrf_width", "zero_level", "brdf")
Doubts = Iterator[tuple[str, str, Any, str]]  # key, what was expected, what came, what to do
BAND_NAMES = ("B1", "B2", "B3", "B4")


def run(job: Job) -> None:
    settings = _settings(job)
    pairs = job.pairs("l1b", "l2")
    prior_path = job.input("prior")
    prior = products.read(prior_path, products.table("prior")["variables"], level="prior")
    rows_of = _rows(prior_path, prior["sounding_id"])
    aux = auxiliary.load(job)
    for source, target in pairs:
        l1b = products.read(source, level="l1b")
        products.require_valid(aux.ckd, l1b["time"], job.input("ckd"))
        missing = [key for key in l1b["sounding_id"] if int(key) not in rows_of]
        if missing:
            raise BadInput(
                f"{prior_path}: expected sounding {missing[0]} of {source}, got none: give its forecast"
            )
        together = [
            (
                {name: values[n] for name, values in l1b.items()},
                {name: values[rows_of[int(key)]] for name, values in prior.items()},
            )
            for n, key in enumerate(l1b["sounding_id"])
        ]
        rows = retrieve(together, aux, settings)
        kept = {name: l1b[name] for name in products.table("l2")["shared"] if name in l1b}
        attributes = {"scenario_hash": job.scenario_hash, "ckd_id": aux.ckd.attrs.get("ckd_id", "")}
        attributes |= {
            "line_list_sha256": aux.line_list_sha256,
            "settings": json.dumps(settings, sort_keys=True),
        }
        parents = [source, prior_path, job.input("ckd")]
        products.write(target, "l2", {**kept, **_stack(rows, settings)}, attributes, parents=parents)


def _settings(job: Job) -> dict[str, Any]:
    """Check what the kind of a value cannot tell."""
    settings = job.options(DEFAULTS)
    for doubts in (_names_amiss, _numbers_amiss, _correction_amiss):
        for key, expected, got, cure in doubts(settings):
            raise BadInput(f"{job.path}: settings.{key}: expected {expected}, got {got}: {cure}")
        settings["bands"] = sorted(set(settings["bands"]))
    return settings


def _names_amiss(settings: dict[str, Any]) -> Doubts:
    if settings["mode"] not in ("full", "clear"):
        yield "mode", "full or clear", repr(settings["mode"]), "correct it"
    for key in ("bands", "dispersion", "isrf_width", "zero_level"):
        for name in settings[key]:
            if name not in BAND_NAMES:
                yield key, ", ".join(BAND_NAMES), repr(name), "correct it"
    if not {"B2", "B3"} & set(settings["bands"]):
        yield "bands", "B2 or B3, which see CO2", ", ".join(settings["bands"]) or "none", "name one"
    for key in ("isrf_width", "zero_level"):
        for name in settings[key]:
            if name not in settings["bands"]:
                yield key, "bands that are fitted", name, "leave it out"


def _numbers_amiss(settings: dict[str, Any]) -> Doubts:
    ratio = settings["cloud_co2_ratio"]
    if len(ratio) != 2 or not all(type(v) in (int, float) for v in ratio) or not ratio[0] < ratio[1]:
        yield "cloud_co2_ratio", "the least and the largest ratio", repr(ratio), "correct it"
    for key, default in DEFAULTS.items():
        if isinstance(default, float) and not 0.0 < settings[key] < np.inf:
            yield key, "more than 0", settings[key], "correct it"
    if settings["max_iterations"] < 1:
        yield "max_iterations", "at least 1", settings["max_iterations"], "correct it"


def _correction_amiss(settings: dict[str, Any]) -> Doubts:
    for key in TRAINED_WITH if settings["bias_correction"] else ():
        if settings[key] != DEFAULTS[key]:
            expected = f"{key} {DEFAULTS[key]!r}, with which it was trained"
            yield "bias_correction", expected, repr(settings[key]), "set it to false"


def _rows(path: Path, sounding_id: np.ndarray) -> dict[int, int]:
    """Map the soundings of the prior to its rows; two forecasts of one sounding are refused."""
    keys, counts = np.unique(sounding_id, return_counts=True)
    if np.any(counts > 1):
        raise BadInput(
            f"{path}: expected one forecast a sounding, got {counts.max()} of {keys[counts.argmax()]}: "
            "make the prior again"
        )
    return {int(key): row for row, key in enumerate(sounding_id)}


def _stack(rows: list[Row], settings: dict[str, Any]) -> dict[str, np.ndarray]:
    """Gather what the retrieval gave: a number a failed sounding lacks becomes NaN.

    Which variables there are hangs on the settings alone.
    """
    table = products.table("l2")
    left_out = {"xco2_raw"} if not settings["bias_correction"] else set()
    if settings["mode"] == "clear":
        left_out |= {name for name in table["variables"] if name.startswith("aerosol_")}
    out = {}
    for name, spec in table["variables"].items():
        if name in table["shared"] or name in left_out:
            continue
        shape = tuple(table["dimensions"][dim] for dim in spec["dims"][1:])
        values = np.empty((len(rows), *shape))
        for n, row in enumerate(rows):
            values[n] = row.get(name, np.nan)
        out[name] = values.astype(np.int64) if spec["dtype"].startswith("i") else values
    return out
