"""What a slightly polarising instrument makes of polarised light, against Malus's law in space."""

import numpy as np
import pytest
import xarray as xr

from twin.instrument import asbuilt, polarisation

SENSITIVITY = 0.003


@pytest.fixture(scope="module")
def instrument():
    return asbuilt.load("microcarb")


def geometry(vza_deg, vaa_deg, slit_azimuth_deg, longitude=20.0):
    """Lay a small footprint at the equator whose slit points to an azimuth."""
    across = 0.02 * np.array([np.cos(np.radians(slit_azimuth_deg)), np.sin(np.radians(slit_azimuth_deg))])
    along = 0.04 * np.array([across[1], -across[0]]) / 0.02
    corner = np.stack([-across - along, across - along, across + along, -across + along])
    around = (longitude + corner[:, 1] + 180.0) % 360.0 - 180.0
    return xr.Dataset(
        {
            "vertex_latitude": (("sounding", "vertex"), corner[np.newaxis, :, 0]),
            "vertex_longitude": (("sounding", "vertex"), around[np.newaxis]),
            "sensor_zenith_angle": ("sounding", [float(vza_deg)]),
            "sensor_azimuth_angle": ("sounding", [float(vaa_deg)]),
        }
    )


def horizontal(azimuth_deg):
    """Point to an azimuth in east, north, up."""
    return np.array([np.sin(np.radians(azimuth_deg)), np.cos(np.radians(azimuth_deg)), 0.0])


@pytest.mark.parametrize(("vza", "vaa", "slit", "swing"), [
    (0.0, 0.0, 100.0, 30.0),
    (0.0, 250.0, 100.0, 30.0),
    (35.0, 120.0, 80.0, 10.0),
    (50.0, 300.0, 280.0, 77.0),
])  # fmt: skip
def test_response_follows_malus(instrument, vza, vaa, slit, swing):
    """Light that swings along a line counts by the squared cosine to the instrument's axis."""
    to_sensor = np.sin(np.radians(vza)) * horizontal(vaa) + np.cos(np.radians(vza)) * np.array(
        [0.0, 0.0, 1.0]
    )
    upright = np.cross(np.cross(to_sensor, [0.0, 0.0, 1.0] if vza else -horizontal(vaa)), to_sensor)
    upright /= np.linalg.norm(upright)
    left = np.cross(to_sensor, upright)
    field = np.cos(np.radians(swing)) * upright + np.sin(np.radians(swing)) * left
    seen_slit = horizontal(slit) - (horizontal(slit) @ to_sensor) * to_sensor
    axis = np.cross(to_sensor, seen_slit / np.linalg.norm(seen_slit))  # 90 degrees from the slit
    along = (field @ axis) ** 2
    expected = 1.0 + SENSITIVITY * (along - (1.0 - along))
    light = {
        "radiance_B1": np.ones((1, 3)),
        "stokes_q_B1": np.full((1, 3), np.cos(2 * np.radians(swing))),
        "stokes_u_B1": np.full((1, 3), np.sin(2 * np.radians(swing))),
    }
    found = polarisation.sensed(light, geometry(vza, vaa, slit), instrument, 0)
    thousandth_of_the_effect = 1e-3 * SENSITIVITY
    assert found == pytest.approx(np.full((1, 3), expected), abs=thousandth_of_the_effect)


def test_published_residual(instrument):
    assert instrument.polarisation == pytest.approx(np.full(4, SENSITIVITY))


def test_light_without_stokes_parameters_passes_unchanged(instrument):
    light = {"radiance_B2": np.linspace(1.0, 2.0, 5)[np.newaxis]}
    assert polarisation.sensed(light, xr.Dataset(), instrument, 1) is light["radiance_B2"]


def test_unpolarised_light_is_not_changed(instrument):
    light = {"radiance_B3": np.ones((1, 2)), "stokes_q_B3": np.zeros((1, 2)), "stokes_u_B3": np.zeros((1, 2))}
    assert np.all(polarisation.sensed(light, geometry(30.0, 10.0, 90.0), instrument, 2) == 1.0)


def test_date_line_does_not_turn_the_slit():
    here, there = (polarisation.slit_angle_rad(geometry(20.0, 40.0, 75.0, east)) for east in (20.0, 180.0))
    assert here == pytest.approx(there)
