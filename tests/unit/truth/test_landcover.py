from datetime import UTC, datetime

import numpy as np
import pytest

from truth import landcover
from truth.config import Source, TruthConfig
from truth.footprint import SubSamples

MAP = TruthConfig(surface="map")


def covered(latitude, longitude, month: int, config: TruthConfig = MAP, seed: int = 1) -> landcover.Cover:
    """Cover 400 points in a square degree about a place."""
    offset = (np.arange(400) % 20 - 9.5) / 20.0, (np.arange(400) // 20 - 9.5) / 20.0
    where = np.array([latitude + offset[0]]), np.array([longitude + offset[1]])
    time_s = np.array([datetime(2026, month, 15, tzinfo=UTC).timestamp()])
    even, none = np.full((1, 400), 1 / 400), np.zeros((1, 400, 3))
    return landcover.cover(SubSamples(*where, even, none, none), time_s, config, seed)


def share(kind: str, *place_and_month, **options) -> float:
    return float(covered(*place_and_month, **options).of(kind).mean())


@pytest.mark.parametrize(
    ("kind", "latitude", "longitude", "month"),
    [
        ("desert", 23.0, 10.0, 7),
        ("desert", -25.0, 130.0, 1),
        ("forest", -4.0, -62.0, 7),
        ("forest", 61.0, 100.0, 7),
        ("vegetation", 42.0, -92.0, 7),
        ("snow", -78.0, 120.0, 1),
        ("snow", 72.0, -40.0, 7),
        ("snow", 77.2, -61.1, 7),
        ("snow", 54.0, 72.0, 1),
        ("ocean", 0.0, -140.0, 7),
    ],
)
def test_known_places(kind, latitude, longitude, month):
    assert share(kind, latitude, longitude, month) > 0.5


def test_shares_add_up():
    for latitude, longitude in ((48.9, 2.35), (46.0, 8.0), (36.0, -5.6), (71.0, 26.0)):
        cover = covered(latitude, longitude, 4)
        np.testing.assert_allclose(cover.share.sum(axis=-1), 1.0, rtol=1e-12)
        assert cover.share.min() >= 0.0


def test_snow_comes_and_goes():
    """Winnipeg is white in January and not in July; Santarem never; the Alps more than their foot."""
    assert share("snow", 50.0, -97.0, 1) > 0.4
    assert share("snow", 50.0, -97.0, 7) < 1e-3
    assert share("snow", -2.5, -54.7, 7) < 1e-3
    assert share("snow", 46.5, 9.0, 1) > 2 * share("snow", 45.2, 9.5, 1)


def test_nothing_grows_above_the_lines_of_trees_and_grass():
    """Tibet at 5 km and the Himalaya at 6 km in July; the Black Forest and Colombia's 2.6 km are green."""
    for latitude, longitude in ((34.0, 88.0), (28.0, 86.9)):
        point = np.array([[latitude]]), np.array([[longitude]])
        samples = SubSamples(*point, np.ones((1, 1)), *np.zeros((2, 1, 1, 3)))
        bare = landcover.cover(samples, np.array([1.7838e9]), MAP, 1)
        assert bare.of("forest").max() == bare.of("vegetation").max() == 0.0
    assert share("forest", 66.0, 90.0, 7) > 0.2
    for latitude, longitude in ((48.3, 8.2), (4.6, -74.1)):
        assert share("forest", latitude, longitude, 7) + share("vegetation", latitude, longitude, 7) > 0.5


def test_seasons_of_leaves():
    """In July in leaf in the north, bare in the south, in leaf in the tropics; in mid-April bare at 46 N."""
    july = landcover.greenness(np.array([50.0, -50.0, 0.0]), np.full(3, 0.54))
    np.testing.assert_allclose(july, (1.0, 0.0, 1.0), atol=1e-6)
    assert landcover.greenness(45.945, 0.29) < 0.05


def test_cities_lie_where_the_catalogue_puts_them():
    paris = covered(48.86, 2.35, 7)
    assert paris.of("city").max() == pytest.approx(0.7, abs=0.01)
    assert share("city", 47.0, 2.35, 7) == 0.0


def test_a_city_of_the_scenario_is_built():
    own = TruthConfig(surface="map", sources=(Source("Erewhon", 23.0, 10.0, 10.0, 40_000.0),))
    assert share("city", 23.0, 10.0, 7) == 0.0
    assert share("city", 23.0, 10.0, 7, config=own) > 0.05


@pytest.mark.parametrize("kind", landcover.KINDS)
def test_a_named_kind_covers_all(kind):
    assert np.all(covered(0.0, -140.0, 7, config=TruthConfig(surface=kind)).of(kind) == 1.0)


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="'lava'"):
        covered(0.0, 0.0, 7, config=TruthConfig(surface="lava"))


def test_patches_change_with_the_seed_but_not_the_climate():
    one, other = (covered(50.0, 10.0, 7, seed=seed) for seed in (1, 2))
    assert np.abs(one.share - other.share).max() > 0.1
    assert np.abs(one.share.mean(axis=1) - other.share.mean(axis=1)).max() < 0.35
