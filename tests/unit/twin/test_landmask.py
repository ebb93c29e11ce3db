"""The land mask of planning against places whose nature is known."""

import numpy as np
import pytest

from twin.mission.planning import landmask

LAND = {
    "Paris": (48.9, 2.3),
    "Sahara": (23.0, 10.0),
    "Kansas": (38.5, -98.5),
    "South Pole": (-90.0, 0.0),
    "Siberia": (62.0, 100.0),
    "Alice Springs": (-23.7, 133.9),
}
SEA = {
    "Pacific": (0.0, -150.0),
    "Atlantic": (30.0, -40.0),
    "Gulf of Guinea": (0.0, 0.0),
    "North Pole": (90.0, 0.0),
    "date line": (10.0, 180.0),
    "date line, west": (10.0, -180.0),
}


@pytest.mark.parametrize(("places", "land"), [(LAND, True), (SEA, False)])
def test_known_places(places, land):
    latitude, longitude = np.array(list(places.values())).T
    assert dict(zip(places, landmask.is_land(latitude, longitude).tolist(), strict=True)) == dict.fromkeys(
        places, land
    )


def test_share_of_land_is_that_of_the_earth():
    two_percent = 0.02  # inland seas and islands below 1 degree
    latitude, longitude = np.meshgrid(np.arange(-89.5, 90), np.arange(-179.5, 180), indexing="ij")
    share = np.average(landmask.is_land(latitude, longitude), weights=np.cos(np.radians(latitude)))
    assert share == pytest.approx(0.292, abs=two_percent)  # land of the Earth, CIA World Factbook


def test_a_damaged_mask_is_refused(tmp_path, monkeypatch):
    broken = tmp_path / "mask.txt"
    broken.write_text("#.\n" * 180)
    monkeypatch.setattr(landmask, "MASK", broken)
    landmask._mask.cache_clear()
    try:
        with pytest.raises(ValueError, match="180 lines of 360 characters"):
            landmask.is_land(np.array(0.0), np.array(0.0))
    finally:
        landmask._mask.cache_clear()
