"""ISRF convolution against dense quadrature of analytic spectra."""

import numpy as np
import pytest
from scipy.integrate import simpson

from twin.instrument import asbuilt, isrf, optics

C = 299_792_458.0  # m s-1
relative_1e5 = 1e-5
MARGIN_NM = (0.35, 0.70, 0.90, 0.55)


@pytest.fixture(scope="module")
def instrument():
    return asbuilt.load("microcarb")


def grid(instrument, band, step=0.01):
    wavelength = optics.spectel_wavelength(instrument.dispersion[band, 1], 1024)
    low, high = wavelength[0] - MARGIN_NM[band], wavelength[-1] + MARGIN_NM[band]
    return np.arange(1e7 / high, 1e7 / low, step)


def lorentz_lines(wavenumber, centres, half_width=0.05):
    """Continuum with a slope times saturated Lorentz lines, half width of a line at about 600 hPa."""
    depth = sum(2.0 / (1 + ((wavenumber - c) / half_width) ** 2) for c in centres)
    return 2e20 * (1 + 1e-3 * (wavenumber - centres[0])) * np.exp(-depth)


@pytest.mark.parametrize("band", range(4))
@pytest.mark.parametrize("speed", [0.0, 5900.0])
def test_convolution_agrees_with_dense_quadrature(instrument, band, speed):
    fov, spectels = 0, (256, 767)  # at ISRF nodes, where the width is known in closed form
    nu = grid(instrument, band)
    wavelength = optics.spectel_wavelength(instrument.dispersion[band, fov], 1024)
    centres = [1e7 / wavelength[s] + d for s in spectels for d in (-0.4, 0.1, 0.7)]
    seen = optics.spectel_radiance(nu, lorentz_lines(nu, centres), speed, instrument, band, fov)
    for node, spectel in zip((1, 3), spectels, strict=True):
        expected = dense_quadrature(instrument, band, fov, node, wavelength[spectel], speed, centres)
        assert abs(seen[spectel] / expected - 1) < relative_1e5


def dense_quadrature(instrument, band, fov, node, centre_nm, speed, centres):
    """Simpson integral on 200,001 points of the closed-form ISRF and the analytic spectrum."""
    import yaml

    figures = yaml.safe_load((asbuilt.DATA / "microcarb.yaml").read_text())
    pixel = asbuilt.spectel_width(figures["spectral"])[band]
    slit = figures["isrf"]["slit_fwhm"] * figures["isrf"]["fwhm_nm"][band]
    sigma = isrf.gaussian_sigma(isrf.widths(figures["isrf"], 1024)[band, fov, node], slit, pixel)
    offset = np.linspace(instrument.isrf_offset[band, 0], instrument.isrf_offset[band, -1], 200_001)
    response = isrf.response(offset, slit, pixel, sigma)
    ground_wavenumber = 1e7 / (centre_nm + offset) / (1 - speed / C)
    light = lorentz_lines(ground_wavenumber, centres)
    return simpson(response * light, x=offset) / simpson(response, x=offset)


def test_a_flat_spectrum_stays_flat(instrument):
    nu = grid(instrument, 1)
    seen = optics.spectel_radiance(nu, np.full(nu.size, 8.7e19), 3000.0, instrument, 1, 2)
    assert seen == pytest.approx(np.full(1024, 8.7e19), rel=1e-12)


@pytest.mark.parametrize("speed", [-6000.0, 0.0, 6000.0])
def test_a_receding_line_moves_red_by_v_over_c(instrument, speed):
    band, fov = 0, 1
    nu = grid(instrument, band)
    wavelength = optics.spectel_wavelength(instrument.dispersion[band, fov], 1024)
    nu_0 = 1e7 / 763.0
    line = np.exp(-0.5 * ((nu - nu_0) / 0.2) ** 2)
    seen = optics.spectel_radiance(nu, line, speed, instrument, band, fov)
    centroid = (seen * wavelength).sum() / seen.sum()
    thousandth_of_a_spectel = 1e-3 * instrument.dispersion[band, fov, 1]
    assert centroid == pytest.approx(763.0 * (1 + speed / C), abs=3 * thousandth_of_a_spectel)


def test_each_field_of_view_uses_its_own_dispersion(instrument):
    nu = grid(instrument, 3)
    ramp = 1e7 / nu  # a radiance equal to its wavelength comes back as the spectel's wavelength
    for fov in range(3):
        seen = optics.spectel_radiance(nu, ramp, 0.0, instrument, 3, fov)
        expected = optics.spectel_wavelength(instrument.dispersion[3, fov], 1024)
        thousandth_of_a_spectel = 1e-3 * instrument.dispersion[3, fov, 1]
        assert seen == pytest.approx(expected, abs=thousandth_of_a_spectel)


def test_a_grid_without_room_for_the_isrf_is_refused(instrument):
    nu = grid(instrument, 0)
    with pytest.raises(ValueError, match="B1: the ISRF needs radiance over"):
        optics.spectel_radiance(nu[800:], np.ones(nu.size - 800), 0.0, instrument, 0, 0)
