"""L1B: each effect against its closed form, the noise against a detector thrown with dice here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from processors.l1b import effects, step
from processors.l1b.calibration import Calibration
from processors.l1b.effects import Signal

rounding = 1e-12
ROWS, FULL_SCALE, E_PER_DN, READ_ROW, DARK_ROW, TIME = 40, 16383, 3.05, 13.5, 50.0, 1.304  # MISSION figures
MEAN_ELECTRONS = np.array([9.02e4, 1.28e5, 3.93e4, 1.52e5])  # B1..B4 of one field of view at mean radiance
MEAN_SNR = np.array([285.0, 344.0, 177.0, 378.0])
MEAN_RADIANCE = np.array([2.15e20, 8.7e19, 5.2e19, 1.31e20])  # ph s-1 m-2 sr-1 um-1


def calibration(spectels: int = 8, nonlinearity: float = 0.0, offset: float = 0.0) -> Calibration:
    shape = (1, 4, spectels)
    return Calibration(
        offset=np.full(shape, offset),
        dark_rate=np.full(shape, ROWS * DARK_ROW),
        read_noise=np.full((1, 4, 1), np.sqrt(ROWS) * READ_ROW),
        electron_per_dn=np.full((1, 4, 1), E_PER_DN),
        nonlinearity=np.full((1, 4, 1), nonlinearity),
        prnu=np.ones(shape),
        responsivity=np.ones(shape) * (MEAN_ELECTRONS / MEAN_RADIANCE)[:, None],
        dispersion=np.tile([1600.0, 0.02, 1e-7], (1, 4, 1)),
        rows=ROWS,
        full_scale_dn=FULL_SCALE,
        integration_time_s=TIME,
    )


def constant(value: float, variance: float) -> Signal:
    return Signal(np.full((1, 4, 8), value), np.full((1, 4, 8), variance))


def test_quantisation_adds_a_twelfth_a_row():
    signal = effects.quantisation(constant(5.0, 1.0), calibration())
    np.testing.assert_allclose(signal.variance, 1.0 + 40 / 12, rtol=rounding)
    np.testing.assert_array_equal(signal.value, 5.0)


def test_offset_and_dark_move_the_value_only():
    shifted = effects.offset(constant(5.0, 2.0), calibration(offset=3.0))
    np.testing.assert_array_equal(shifted.value, 2.0)
    np.testing.assert_array_equal(shifted.variance, 2.0)
    darker = effects.dark(constant(5000.0, 2.0), calibration())
    np.testing.assert_allclose(darker.value, 5000.0 - 2608.0, rtol=rounding)  # 40 * 50 e-/s * 1.304 s
    np.testing.assert_array_equal(darker.variance, 2.0)


@pytest.mark.parametrize(
    ("fraction", "factor", "slope"), [(0.0, 1.0, 1.0), (0.5, 1.005, 1.01), (1.0, 1.01, 1.02)]
)
def test_nonlinearity_acts_on_the_mean_row(fraction, factor, slope):
    """With c1 = 1 %: DN (1 + c1 u) and its derivative 1 + 2 c1 u."""
    dn = fraction * ROWS * FULL_SCALE
    signal = effects.nonlinearity(constant(dn, 1.0), calibration(nonlinearity=0.01))
    np.testing.assert_allclose(signal.value, dn * factor, rtol=rounding)
    np.testing.assert_allclose(signal.variance, slope**2, rtol=rounding)


def test_nonlinearity_takes_every_degree():
    key = replace(calibration(), nonlinearity=np.tile([0.01, -0.004], (1, 4, 1)))
    dn = 0.5 * ROWS * FULL_SCALE
    signal = effects.nonlinearity(constant(dn, 1.0), key)
    np.testing.assert_allclose(signal.value, dn * (1 + 0.005 - 0.001), rtol=rounding)
    np.testing.assert_allclose(signal.variance, (1 + 0.01 - 0.003) ** 2, rtol=rounding)


def test_gain_scales_the_variance_by_its_square():
    signal = effects.gain(constant(2.0, 1.0), calibration())
    np.testing.assert_allclose(signal.value, 6.10, rtol=rounding)
    np.testing.assert_allclose(signal.variance, 9.3025, rtol=rounding)


@pytest.mark.parametrize(("electrons", "shot"), [(1000.0, 1000.0), (0.0, 0.0), (-50.0, 0.0)])
def test_shot_noise_is_of_electrons_there_are(electrons, shot):
    signal = effects.noise(constant(electrons, 0.0), calibration())
    np.testing.assert_allclose(signal.variance, shot + 40 * 13.5**2, rtol=rounding)


def test_responses_divide_value_and_noise_alike():
    key = replace(calibration(), prnu=np.full((1, 4, 8), 0.5), responsivity=np.full((1, 4, 8), 4.0))
    for effect, by in ((effects.prnu, 0.5), (effects.radiometric, 4.0)):
        signal = effect(constant(8.0, 16.0), key)
        np.testing.assert_allclose(signal.value, 8.0 / by, rtol=rounding)
        np.testing.assert_allclose(signal.variance, 16.0 / by**2, rtol=rounding)


@pytest.mark.parametrize("dead", [0.0, -1.0, np.nan])
def test_dead_response_gives_no_number(dead):
    prnu = np.ones((1, 4, 8))
    prnu[0, 2, 5] = dead
    value = effects.prnu(constant(8.0, 16.0), replace(calibration(), prnu=prnu)).value
    assert list(zip(*np.nonzero(np.isnan(value)), strict=True)) == [(0, 2, 5)]


def test_wavelength_is_centred_between_the_middle_spectels():
    nm = effects.wavelength(calibration(), 1024)
    assert nm.shape == (1, 4, 1024)
    np.testing.assert_allclose(nm[0, :, 511:513].mean(axis=1), 1600.0 + 1e-7 * 0.25, rtol=rounding)
    np.testing.assert_allclose(nm[..., 1023] - nm[..., 0], 1023 * 0.02, rtol=1e-10)
    np.testing.assert_allclose(nm[..., 0], 1600.0 - 511.5 * 0.02 + 1e-7 * 511.5**2, rtol=rounding)


def throw(electrons: np.ndarray, key: Calibration, throws: int) -> np.ndarray:
    """Expose 40 rows a spectel: Poisson light and dark, Gaussian read noise, curved, rounded to DN, summed.

    electrons  (band,) light summed over the rows;  returns  (throws, band, 1)
    """
    generator = np.random.default_rng(11)
    shape = (throws, 4, ROWS)
    collected = generator.poisson(np.broadcast_to(electrons[:, None] / ROWS + DARK_ROW * TIME, shape)).astype(
        float
    )
    collected += generator.normal(0.0, READ_ROW, shape)
    linear = collected / E_PER_DN
    curve = key.nonlinearity[0, :, :1] / FULL_SCALE
    dn = linear if not curve.any() else (np.sqrt(1 + 4 * curve * linear) - 1) / (2 * curve)
    return np.rint(dn + key.offset[0, :, :1] / ROWS).sum(axis=2, keepdims=True).astype(np.int32)


@pytest.mark.parametrize("level", [0.003, 1.0, 3.0])
def test_radiance_and_its_noise_come_back_from_a_thrown_detector(level):
    """Mean within 5 standard errors, variance within 5 % (20 000 throws: 1 % standard error)."""
    standard_errors, five_percent, throws = 5.0, 0.05, 20_000
    key = calibration(spectels=1, nonlinearity=0.01, offset=4000.0)
    dn = throw(level * MEAN_ELECTRONS, key, throws)
    signal = step.undo(dn, key)
    truth = level * MEAN_RADIANCE
    error = signal.value[..., 0].mean(axis=0) - truth
    scatter = signal.value[..., 0].std(axis=0)
    assert np.all(np.abs(error) < standard_errors * scatter / np.sqrt(throws))
    assert np.all(np.abs(signal.variance[..., 0].mean(axis=0) / scatter**2 - 1) < five_percent)


def test_snr_at_mean_radiance_is_the_mission_s():
    five_percent = 0.05
    dn = (MEAN_ELECTRONS + ROWS * DARK_ROW * TIME) / E_PER_DN
    signal = step.undo(dn[None, :, None], calibration(spectels=1))
    snr = (signal.value / np.sqrt(signal.variance))[0, :, 0]
    np.testing.assert_allclose(snr, MEAN_SNR, rtol=five_percent)
