"""The random field against its definition in plain sums, its variance and its correlation."""

import numpy as np
import pytest

from truth import random_field as module
from truth.constants import EARTH_MEAN_RADIUS
from truth.random_field import WIND, Scale, keyed_generator, random_field, unit_vector

JULY_2026 = 1_782_900_000.0  # s since 1970
PHASE_ROUNDING = 1e-7  # of a phase of 1e8 rad, in units of the field's sigma
MODES = 256


@pytest.mark.parametrize("length_m", [500.0, 40e3, 5000e3])
def test_is_the_sum_of_its_waves(length_m):
    """cosine cos(k x + w t) + sine sin(k x + w t), the draws in their order."""
    sigma = 2.0
    generator = keyed_generator(7, f"effect/{length_m:.3f}")
    wave_vector = generator.normal(0.0, 1.0 / length_m, (MODES, 3))
    frequency = generator.normal(0.0, WIND / length_m, MODES)
    cosine, sine = generator.normal(0.0, sigma / np.sqrt(MODES), (2, MODES))
    latitude, longitude = np.linspace(-90.0, 90.0, 50), np.linspace(-180.0, 400.0, 50)
    time_s = JULY_2026 + np.linspace(0.0, 1e6, 50)
    phase = EARTH_MEAN_RADIUS * unit_vector(latitude, longitude) @ wave_vector.T + np.outer(time_s, frequency)
    expected = np.cos(phase) @ cosine + np.sin(phase) @ sine
    found = random_field(7, "effect", (Scale(length_m, sigma),), latitude, longitude, time_s)
    np.testing.assert_allclose(found, expected, atol=PHASE_ROUNDING * sigma)


def test_variance_and_correlation_over_realisations():
    """400 seeds at two places one length apart: sigma, and exp(-1/2) over the distance."""
    length_m = 100e3
    east = np.degrees(length_m / EARTH_MEAN_RADIUS)
    draws = np.array(
        [
            random_field(seed, "c", (Scale(length_m, 3.0),), 0.0, np.array([0.0, east]), 0.0)
            for seed in range(400)
        ]
    )
    a, b = draws.T
    four_sigma = 4.0 / np.sqrt(400)
    assert np.mean(a) / 3.0 == pytest.approx(0.0, abs=four_sigma)
    assert np.mean(a**2) / 9.0 == pytest.approx(1.0, abs=four_sigma * np.sqrt(2))
    assert np.mean(a * b) / 9.0 == pytest.approx(np.exp(-0.5), abs=four_sigma * np.sqrt(2))


def test_a_place_does_not_depend_on_its_neighbours():
    latitude, longitude = np.linspace(40, 50, 9), np.linspace(0, 5, 9)
    scales = (Scale(5e3, 1.0), Scale(300e3, 0.5))
    together = random_field(1, "x", scales, latitude, longitude, JULY_2026)
    alone = [
        random_field(1, "x", scales, *place, JULY_2026) for place in zip(latitude, longitude, strict=True)
    ]
    np.testing.assert_array_equal(together, np.array(alone))
    assert random_field(1, "x", scales, latitude[:, None], longitude, JULY_2026).shape == (9, 9)


def test_the_series_of_the_cosine_reaches_a_quarter_turn():
    quarter = np.linspace(-0.25, 0.25, 101)
    series = sum(c * quarter ** (2 * n + 1) for n, c in enumerate(module._SINE))
    np.testing.assert_allclose(series, np.sin(2 * np.pi * quarter), atol=1e-11)
