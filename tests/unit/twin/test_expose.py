"""A whole exposure: signal-to-noise ratio, saturation, keyed noise and the noise-free limit."""

import numpy as np
import pytest
import xarray as xr

from twin.instrument import asbuilt, expose, optics
from twin.telemetry import packets

SNR = (285, 344, 177, 378)  # B1..B4 per spectel at mean radiance
DRAWS = 200
five_percent = 0.05
MARGIN_NM = (0.35, 0.70, 0.90, 0.55)


@pytest.fixture(scope="module")
def instrument():
    return asbuilt.load("microcarb")


def flat_scene(instrument, soundings, scale=1.0):
    radiance = {}
    for band, name in enumerate(instrument.band):
        wavelength = optics.spectel_wavelength(instrument.dispersion[band, 1], 1024)
        low, high = wavelength[0] - MARGIN_NM[band], wavelength[-1] + MARGIN_NM[band]
        nu = np.arange(1e7 / high, 1e7 / low, 0.02)
        level = scale * instrument.mean_radiance[band]
        radiance[f"wavenumber_{name}"] = nu
        radiance[f"radiance_{name}"] = np.full((soundings, nu.size), level)
    return radiance


def geometry(ids):
    fov = np.asarray(ids) % 10
    columns = {"sounding_id": np.asarray(ids), "fov": fov, "sensor_recession_speed": np.zeros(fov.size)}
    return xr.Dataset({name: ("sounding", values) for name, values in columns.items()})


def electrons_of(dn, instrument, band, fov):
    """Straighten the row mean and apply the gain: light and dark electrons of the row sum."""
    row = (dn - instrument.adc_offset[band, fov].sum()) / instrument.rows
    c = instrument.nonlinearity[band, fov].mean()
    return instrument.rows * row * (1 + c * row / instrument.full_scale_dn) * instrument.electron_per_dn


@pytest.mark.parametrize("band", range(4))
def test_snr_at_mean_radiance(instrument, band):
    fov, radiance = 1, np.full(1024, instrument.mean_radiance[band])
    drawn = [expose.expose_band(radiance, instrument, band, fov, (1, i))[0] for i in range(DRAWS)]
    electrons = electrons_of(np.array(drawn, dtype=float), instrument, band, fov)
    dark = instrument.dark_rate[band, fov].sum(axis=0) * instrument.integration_time_s
    snr = (electrons.mean(axis=0) - dark) / electrons.std(axis=0, ddof=1)
    assert np.median(snr) == pytest.approx(SNR[band], rel=five_percent)


@pytest.mark.parametrize("band", range(4))
def test_noise_in_the_dark_is_dark_current_and_read_noise(instrument, band):
    drawn = [expose.expose_band(np.zeros(1024), instrument, band, 0, (1, i))[0] for i in range(DRAWS)]
    variance = np.var(drawn, axis=0, ddof=1).mean() * instrument.electron_per_dn**2
    quantisation = 40 * instrument.electron_per_dn**2 / 12
    expected = 40 * 50 * 1.304 + 40 * 13.5**2 + quantisation
    assert variance == pytest.approx(expected, rel=0.02)
    assert np.sqrt(expected) == pytest.approx(100, rel=0.01)  # s0 of the mission's noise model


def test_a_night_exposure_is_far_from_the_ends_of_its_packet(instrument):
    """The offset of 200 DN a row stands 40 times the noise above zero: nothing is cut, nothing wraps."""
    ids = np.array([10**11 + 1, 10**11 + 2, 10**11 + 3])
    night = expose.expose(flat_scene(instrument, 3, 0.0), geometry(ids), instrument, noise=True, seed=1)
    assert 40 * 150 < night.dn.values.min() < night.dn.values.max() < 40 * 300
    assert not night.saturated_rows.any()
    packets.pack_samples(night.dn.values)


def test_mean_of_many_exposures_is_the_noise_free_exposure(instrument):
    radiance = np.full(1024, instrument.mean_radiance[0])
    drawn = [expose.expose_band(radiance, instrument, 0, 2, (5, i))[0] for i in range(DRAWS)]
    clean = expose.expose_band(radiance, instrument, 0, 2, None)[0]
    standard_error = np.std(drawn, axis=0, ddof=1) / np.sqrt(DRAWS)
    pull = (np.mean(drawn, axis=0) - clean) / standard_error
    four_sigma = 4 / np.sqrt(1024)
    assert abs(pull.mean()) < four_sigma
    assert pull.std() == pytest.approx(1.0, abs=0.1)


def test_noise_free_counts_are_right_to_half_a_count(instrument):
    ids = [10**11 + 11, 10**11 + 12, 10**11 + 13]
    data = expose.expose(flat_scene(instrument, 3), geometry(ids), instrument, noise=False, seed=1)
    spectel_response_spread = 2e-5  # row patterns of PRNU and non-linearity do not quite commute with the sum
    for band in range(4):
        for fov in range(3):
            light = instrument.responsivity[band, fov] * instrument.mean_radiance[band]
            light = light * instrument.prnu[band, fov].mean(axis=0)
            dark = instrument.dark_rate[band, fov].sum(axis=0) * instrument.integration_time_s
            counted = electrons_of(data.dn.values[fov, band].astype(float), instrument, band, fov)
            half_a_count = 0.51 * instrument.electron_per_dn
            error = np.abs(counted - light - dark)
            assert np.all(error < half_a_count + spectel_response_spread * light)
    assert not data.saturated_rows.values.any()


def test_noise_is_keyed_by_seed_and_sounding_not_by_order(instrument):
    ids = np.array([10**11 + 11, 10**11 + 12, 10**11 + 21])
    together = expose.expose(flat_scene(instrument, 3), geometry(ids), instrument, noise=True, seed=4)
    alone = expose.expose(flat_scene(instrument, 1), geometry(ids[1:2]), instrument, noise=True, seed=4)
    other = expose.expose(flat_scene(instrument, 1), geometry(ids[1:2]), instrument, noise=True, seed=5)
    assert np.array_equal(together.dn.values[1], alone.dn.values[0])
    assert np.mean(other.dn.values[0] != alone.dn.values[0]) > 0.9
    assert np.mean(together.dn.values[0] != together.dn.values[2]) > 0.9


def test_glint_at_3_6_times_the_brightest_row_saturates_b4_alone(instrument):
    brightest = np.array([9.1e20, 3.7e20, 2.2e20, 5.6e20])  # albedo 0.6, Sun overhead, B1..B4
    rows = []
    for band in range(4):
        radiance = np.full(1024, 3.6 * brightest[band])
        rows.append(expose.expose_band(radiance, instrument, band, 1, (1, 1))[1])
        assert expose.expose_band(np.full(1024, brightest[band]), instrument, band, 1, (1, 1))[1] == 0
    assert rows[3] == 40
    assert rows[0] == rows[2] == 0


def test_saturated_counts_stop_at_full_scale(instrument):
    dn, rows = expose.expose_band(np.full(1024, 1e23), instrument, 3, 1, (1, 1))
    assert rows == 40
    assert dn.max() <= 40 * 16383
    assert dn.min() > 0.99 * 40 * 16383


def test_other_soundings_are_refused(instrument):
    scene = {**flat_scene(instrument, 1), "sounding_id": np.array([7])}
    with pytest.raises(ValueError, match="different soundings"):
        expose.expose(scene, geometry([10**11 + 11]), instrument, noise=False, seed=1)
