from functools import cache

import numpy as np
import pytest

from truth import cloud
from truth.config import TruthConfig
from truth.footprint import SubSamples, sub_samples

CLOUDY = TruthConfig(cloud="climatology")
SEED = 7
KM_A_DEGREE = 111.2
PUBLISHED_CLEAR = 0.11  # share of the globe, Eguchi and Yokota 2008


def footprints(latitude: np.ndarray, longitude: np.ndarray) -> SubSamples:
    """Lay 4.5 km by 9 km footprints."""
    north = 4.5 / KM_A_DEGREE
    east = 2.25 / KM_A_DEGREE / np.cos(np.radians(latitude))
    return sub_samples(
        np.stack([latitude - north, latitude - north, latitude + north, latitude + north], axis=1),
        np.stack([longitude - east, longitude + east, longitude + east, longitude - east], axis=1),
    )


def levels(count: int, surface_m: float = 0.0) -> np.ndarray:
    return np.tile(np.linspace(60e3, surface_m, 121), (count, 1))


@cache
def globe() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place footprints evenly over the sphere and a year."""
    generator = np.random.default_rng(20)
    latitude = np.degrees(np.arcsin(generator.uniform(-1.0, 1.0, 500)))
    return latitude, generator.uniform(-180.0, 180.0, 500), generator.uniform(1.75e9, 1.78e9, 500)


@cache
def clouds() -> tuple[np.ndarray, np.ndarray]:
    latitude, longitude, time_s = globe()
    samples = footprints(latitude, longitude)
    found = cloud.fields(CLOUDY, SEED, samples, time_s, levels(500))
    return found["cloud_fraction"][1], found["cloud_optical_depth"][1]


def test_share_of_clear_footprints():
    fraction, _ = clouds()
    three_sigma_of_500 = 0.042
    assert np.mean(fraction == 0.0) == pytest.approx(PUBLISHED_CLEAR, abs=three_sigma_of_500)
    assert fraction.max() <= 1.0 + 1e-12


def test_some_footprints_are_partly_cloudy():
    fraction, _ = clouds()
    partly = np.mean((fraction > 0.02) & (fraction < 0.98))
    assert 0.1 < partly < 0.6


def test_optical_depth_is_log_normal_and_absent_without_cloud():
    fraction, depth = clouds()
    total = depth.sum(axis=1)
    assert np.all(total[fraction == 0.0] == 0.0)
    logs = np.log(total[fraction > 0.0])
    assert 10.0 < total[fraction > 0.0].mean() < 20.0
    assert np.exp(np.median(logs)) == pytest.approx(12.0, rel=0.1)
    assert logs.std() == pytest.approx(0.42 * np.sqrt(2.0), rel=0.15)
    assert abs(np.mean((logs - logs.mean()) ** 3)) / logs.std() ** 3 < 0.3


def test_cover_follows_latitude():
    """The share of points under cloud is that of the table, at two latitudes that differ most."""
    longitude, time_s = np.linspace(-180.0, 180.0, 4000), np.linspace(0.0, 3e8, 4000)
    for latitude in (-60.0, -20.0):
        expected = float(np.interp(latitude, cloud.COVER_LATITUDE, cloud.COVER))
        found = cloud.cloudy(SEED, np.full(4000, latitude), longitude, time_s).mean()
        assert found == pytest.approx(expected, abs=0.04), latitude


def test_neighbours_are_alike_and_strangers_are_not():
    """Correlation falls with distance: near 1 within 1 km, gone beyond 2000 km."""
    longitude = np.linspace(-170.0, 170.0, 1500)
    time_s, latitude = np.linspace(0.0, 3e8, 1500), np.full(1500, -5.0)
    here = cloud.cloudy(SEED, latitude, longitude, time_s)
    correlation = [
        np.corrcoef(here, cloud.cloudy(SEED, latitude + km / KM_A_DEGREE, longitude, time_s))[0, 1]
        for km in (0.5, 10.0, 100.0, 2500.0)
    ]
    assert correlation[0] > 0.85
    assert correlation[0] > correlation[1] > correlation[2] > 0.08
    assert abs(correlation[3]) < 0.08


def test_order_of_calls_changes_nothing():
    latitude, longitude, time_s = (x[:20] for x in globe())
    backwards = cloud.fields(
        CLOUDY, SEED, footprints(latitude[::-1], longitude[::-1]), time_s[::-1], levels(20)
    )
    fraction, depth = clouds()
    assert backwards["cloud_fraction"][1][::-1] == pytest.approx(fraction[:20], abs=1e-12)
    assert backwards["cloud_optical_depth"][1][::-1] == pytest.approx(depth[:20], rel=1e-9)


def test_cloud_lies_on_the_layers_below_its_top():
    latitude, longitude, time_s = (x[:50] for x in globe())
    _, depth = clouds()
    middle = levels(1)[0][:-1] - 250.0
    top = cloud.top_m(SEED, latitude, longitude, time_s)
    seen = depth[:50].sum(axis=1) > 0.0
    centre = depth[:50][seen] @ middle / depth[:50][seen].sum(axis=1)
    a_layer = 500.0
    assert np.all(centre < np.maximum(top[seen], 1500.0) + a_layer)
    assert np.all(depth[:, middle > 15e3] == 0.0)


def test_mountain_above_the_clouds_keeps_their_optical_depth():
    """Cloud whose base would lie in the rock is lifted onto it."""
    latitude, longitude, time_s = (x[:50] for x in globe())
    found = cloud.fields(CLOUDY, SEED, footprints(latitude, longitude), time_s, levels(50, 8000.0))
    lifted, at_sea = found["cloud_optical_depth"][1].sum(axis=1), clouds()[1][:50].sum(axis=1)
    assert lifted == pytest.approx(at_sea, rel=1e-9)


def test_none_is_clear():
    latitude, longitude, time_s = (x[:5] for x in globe())
    found = cloud.fields(TruthConfig(), SEED, footprints(latitude, longitude), time_s, levels(5))
    assert not any(values.any() for _, values in found.values())
    assert found["cloud_optical_depth"][1].shape == (5, 120)


def test_unknown_cloud_is_refused():
    latitude, longitude, time_s = (x[:5] for x in globe())
    with pytest.raises(ValueError, match="none or climatology, got 'fog'"):
        cloud.fields(TruthConfig(cloud="fog"), 1, footprints(latitude, longitude), time_s, levels(5))
