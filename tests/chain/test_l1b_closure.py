"""The instrument's counts through L1B: the radiance that went in comes out, with the right noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from processors import __main__ as program
from processors import products
from twin.instrument import asbuilt, ckd, expose
from twin.scenario import KnowledgeError

MEAN = np.array([2.15e20, 8.7e19, 5.2e19, 1.31e20])  # ph s-1 m-2 sr-1 um-1, albedo 0.2 SZA 45, B1..B4
PERFECT = KnowledgeError(isrf_width=0.0, gain_slope=0.0, zero_level=0.0, wavelength_spectel=0.0)
LEVELS = (0.0, 0.05, 1.0, 3.0)  # of the mean radiance, from night on; frame by frame, one field of view each
TIME = 1_780_000_000.0  # s since 1970, in the CKD's validity


def observed(folder: Path, noise: bool) -> products.Product:
    """Expose flat spectra, write L1A and CKD, run L1B as a program, read its product."""
    instrument = asbuilt.load("microcarb")
    ckd.write(folder / "ckd.nc", instrument, PERFECT, 1)
    soundings = [(level, fov) for level in LEVELS for fov in range(3)]
    dn = np.empty((len(soundings), 4, 1024), np.int32)
    for row, (level, fov) in enumerate(soundings):
        for band in range(4):
            flat = np.full(1024, level * MEAN[band])
            key = (1, 1000 + row) if noise else None
            dn[row, band], saturated = expose.expose_band(flat, instrument, band, fov, key)
            assert not saturated
    products.write(folder / "l1a.nc", "l1a", l1a(dn, np.array([fov + 1 for _, fov in soundings])), {})
    order = {
        "step": "l1b",
        "inputs": {"l1a": str(folder / "l1a.nc"), "ckd": str(folder / "ckd.nc")},
        "outputs": {"l1b": str(folder / "l1b.nc")},
    }
    (folder / "job.yaml").write_text(yaml.safe_dump(order))
    assert program.main(["l1b", str(folder / "job.yaml")]) == program.DONE
    return products.read(folder / "l1b.nc", level="l1b")


def l1a(dn: np.ndarray, fov: np.ndarray) -> dict[str, np.ndarray]:
    sizes = {"sounding": len(dn), "vertex": 4, "band": 4, "spectel": 1024}
    rows = products.table("l1a")["variables"]
    empty = {name: np.zeros([sizes[dimension] for dimension in row["dims"]]) for name, row in rows.items()}
    return empty | {
        "dn": dn,
        "fov": fov,
        "time": TIME + np.arange(len(dn)),
        "sounding_id": 1000 + np.arange(len(dn)),
    }


def truth() -> np.ndarray:
    return np.repeat(LEVELS, 3)[:, None, None] * MEAN[:, None]


def test_radiance_returns_without_noise(tmp_path):
    """
    Rationale: each effect of the instrument is undone by the ground's own step, or the error lands in XCO2.
    Setup: flat spectra at four levels, no noise, perfect knowledge; rows differ in prnu and non-linearity,
    the ground knows their means.
    Expected behaviour: each spectel within the rounding of the row sum (half a DN) and what the mean row
    leaves; the mean of a spectrum, where rounding averages out, within five standard errors of it.
    """
    mean_row, standard_errors = 2e-6, 5.0
    l1b = observed(tmp_path, noise=False)
    instrument = asbuilt.load("microcarb")
    response = np.tile(np.swapaxes(instrument.responsivity, 0, 1), (len(LEVELS), 1, 1))
    half_dn = 0.5 * instrument.electron_per_dn / response
    error = l1b["radiance"] - truth()
    steepest = 1.05  # prnu and the slope of the non-linearity enlarge a DN
    assert np.all(np.abs(error) < mean_row * truth() + steepest * half_dn)
    rounding = standard_errors * half_dn.max(axis=2) / np.sqrt(3 * 1024)  # uniform: half a DN / sqrt(3)
    assert np.all(np.abs(error.mean(axis=2)) < steepest * rounding)
    assert not l1b["spectel_quality"].any()


def test_error_over_uncertainty_is_a_unit_gaussian(tmp_path):
    """
    Rationale: the noise the ground reports is the one the retrieval weighs with.
    Setup: the same spectra with noise, twelve soundings of 1024 spectels a band.
    Expected behaviour: mean 0 within 5 standard errors, standard deviation 1 within 5 % (1.3 %
    standard error), at every level and in every band.
    """
    standard_errors, five_percent = 5.0, 0.05
    l1b = observed(tmp_path, noise=True)
    z = ((l1b["radiance"] - truth()) / l1b["radiance_uncertainty"]).reshape(len(LEVELS), 3, 4, 1024)
    assert np.all(np.abs(z.mean(axis=(1, 3))) < standard_errors / np.sqrt(3 * 1024))
    assert z.std(axis=(1, 3)) == pytest.approx(np.ones((len(LEVELS), 4)), abs=five_percent)
    night = l1b["radiance"][:3]
    assert 0.4 < (night < 0.0).mean() < 0.6  # noise around no light stays signed
    assert not l1b["spectel_quality"].any()
