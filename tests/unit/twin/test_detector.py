"""Detector and readout: electrons, their variance, and the digital numbers made of them."""

import numpy as np
import pytest

from twin.instrument import detector, readout

ROWS, SPECTELS = 40, 5000
GAIN, FULL_SCALE = 3.05, 16383


def test_mean_electrons_share_the_light_among_the_rows():
    prnu = np.ones((ROWS, 3))
    prnu[0] = 1.5
    electrons = detector.row_electrons(
        np.full(3, 2e20), np.full(3, 4e-16), prnu, np.full((ROWS, 3), 50.0), 1.304
    )
    assert electrons[1] == pytest.approx(2e20 * 4e-16 / 40 + 65.2)
    assert electrons[0] == pytest.approx(1.5 * 2e20 * 4e-16 / 40 + 65.2)


@pytest.mark.parametrize("mean", [0.0, 65.2, 399.0, 401.0, 2255.0])
def test_shot_noise_has_the_mean_and_variance_of_poisson(mean):
    drawn = detector.collect(np.full((ROWS, SPECTELS), mean), np.random.default_rng(1))
    four_sigma_mean = 4 * np.sqrt(mean / drawn.size)
    four_sigma_variance = 4 * mean * np.sqrt((2 + 1 / max(mean, 1)) / drawn.size)
    assert abs(drawn.mean() - mean) <= four_sigma_mean
    assert abs(drawn.var() - mean) <= four_sigma_variance


def test_read_noise_has_its_size():
    drawn = detector.read(np.zeros((ROWS, SPECTELS)), 13.5, np.random.default_rng(2))
    assert drawn.std() == pytest.approx(13.5, rel=4 / np.sqrt(2 * drawn.size))


def test_analogue_dn_satisfies_the_nonlinearity_equation():
    electrons = np.tile(np.linspace(0, 5e4, 50), (2, 1))
    c = np.array([0.0, 0.01])
    dn = readout.analogue_dn(electrons, GAIN, c, FULL_SCALE)
    assert dn[0] == pytest.approx(electrons[0] / GAIN)
    assert dn[1] * (1 + 0.01 * dn[1] / FULL_SCALE) == pytest.approx(electrons[1] / GAIN)
    one_percent_at_full_scale = dn[0, -1] / dn[1, -1] - 1
    assert one_percent_at_full_scale == pytest.approx(0.01, rel=0.02)


def test_the_adc_counts_from_0_to_16383():
    offset = np.zeros(1)
    limits = np.array([[-3.0, -0.4, 0.5001, 16382.4, 16383.4, 20000.0]])
    assert readout.digitise(limits, offset, FULL_SCALE, rounded=True).tolist() == [
        [0, 0, 1, 16382, 16383, 16383]
    ]


def test_rounding_adds_a_twelfth_of_variance_a_row():
    rng = np.random.default_rng(3)
    level = 700 + 16 * rng.standard_normal((ROWS, SPECTELS))
    rounded = readout.digitise(level, np.zeros(ROWS), FULL_SCALE, rounded=True)
    error = rounded - level
    assert np.abs(error.mean()) < 4 * np.sqrt(1 / 12 / error.size)
    assert error.var() == pytest.approx(1 / 12, rel=0.02)


def test_noise_free_rows_do_not_round_alike():
    level = np.full((ROWS, 3), 700.4)
    coherent = readout.sum_rows(readout.digitise(level, np.zeros(ROWS), FULL_SCALE, rounded=True))
    kept = readout.sum_rows(readout.digitise(level, np.zeros(ROWS), FULL_SCALE, rounded=False))
    half_a_count = 0.5
    assert np.all(np.abs(coherent - ROWS * 700.4) > 10)
    assert np.all(np.abs(kept - ROWS * 700.4) <= half_a_count)


def test_a_full_scale_sum_fits_20_bits():
    rows = readout.digitise(np.full((ROWS, 2), 1e6), np.zeros(ROWS), FULL_SCALE, rounded=True)
    assert readout.sum_rows(rows).tolist() == [655_320, 655_320]
    assert 655_320 < 2**20
