"""Calibration key data: the interface table, perfect knowledge, and each knowledge error with its size."""

import netCDF4
import numpy as np
import pytest
import yaml

from twin import netcdf
from twin.instrument import asbuilt, ckd, expose
from twin.scenario import KnowledgeError

PERFECT = KnowledgeError(
    isrf_width="0 %",
    gain_slope="0 %",
    zero_level="0 %",
    wavelength_spectel=0,
    ephemeris_position="0 m",
    attitude="0 rad",
)
DEFAULT = KnowledgeError()  # 0.1 % width, 0.1 % slope, 0.02 % zero level, 0.02 spectel
SEED = 11
part_per_million = 1e-6


@pytest.fixture(scope="module")
def instrument():
    return asbuilt.load("microcarb")


@pytest.fixture(scope="module")
def true(instrument):
    return ckd.known(instrument, PERFECT, SEED)


@pytest.fixture(scope="module")
def known(instrument):
    return ckd.known(instrument, DEFAULT, SEED)


def changed(true, known):
    return {f"{g}/{v}" for g in true for v in true[g] if not np.array_equal(true[g][v], known[g][v])}


def test_perfect_knowledge_is_the_instrument_summed_over_rows(instrument, true):
    assert true["dark"]["offset"][2, 1] == pytest.approx(np.full(1024, instrument.adc_offset[2, 1].sum()))
    assert true["dark"]["dark_rate"].mean() == pytest.approx(40 * 50, rel=0.01)
    assert true["noise"]["read_noise"] == pytest.approx(np.full((4, 3), 13.5 * np.sqrt(40)))
    assert true["prnu"]["prnu"].mean(axis=2) == pytest.approx(np.ones((4, 3)), abs=1e-9)
    assert true["prnu"]["prnu"].std() == pytest.approx(0.01 / np.sqrt(40), rel=0.02)
    assert np.array_equal(true["spectral"]["dispersion"], instrument.dispersion)


def test_perfect_knowledge_turns_counts_back_into_radiance(instrument, true):
    """The inverse written here from the comments of icd/ckd.yaml alone."""
    for band in range(4):
        radiance = instrument.mean_radiance[band] * np.linspace(0.05, 2.0, 1024)
        for fov in range(3):
            dn = expose.expose_band(radiance, instrument, band, fov, None)[0].astype(float)
            row = (dn - true["dark"]["offset"][band, fov]) / true["noise"]["rows"]
            c = true["nonlinearity"]["coefficient"][band, fov, 0]
            linear = true["noise"]["rows"] * row * (1 + c * row / true["readout"]["full_scale_dn"])
            electrons = linear * true["readout"]["electron_per_dn"][band, fov]
            electrons -= true["dark"]["dark_rate"][band, fov] * true["readout"]["integration_time"]
            response = true["radiometric"]["responsivity"] * true["prnu"]["prnu"]
            count = instrument.electron_per_dn / response[band, fov]
            error = np.abs(electrons / response[band, fov] - radiance)
            assert np.all(error < 0.51 * count + 20 * part_per_million * radiance)


def test_the_errors_touch_only_their_own_variables(true, known):
    assert changed(true, known) == {
        "dark/offset",
        "radiometric/responsivity",
        "spectral/dispersion",
        "isrf/isrf_offset",
        "isrf/isrf",
    }


def test_zero_level_is_a_fraction_of_the_continuum_counts(true, known):
    error = (known["dark"]["offset"] - true["dark"]["offset"])[:, 0, 0]
    continuum_dn = np.array([9.02e4, 1.28e5, 3.93e4, 1.52e5]) / 3.05
    assert np.abs(error) == pytest.approx(2e-4 * continuum_dn, rel=1e-6)


def test_gain_slope_runs_from_edge_to_edge_about_the_centre(true, known):
    ratio = known["radiometric"]["responsivity"] / true["radiometric"]["responsivity"]
    assert np.abs(ratio[..., -1] - ratio[..., 0]) == pytest.approx(np.full((4, 3), 1e-3), rel=1e-6)
    assert ratio.mean(axis=2) == pytest.approx(np.ones((4, 3)), abs=1e-9)


def test_wavelength_error_is_a_constant_shift_in_spectels(true, known):
    error = known["spectral"]["dispersion"] - true["spectral"]["dispersion"]
    spectel_nm = true["spectral"]["dispersion"][..., 1]
    assert np.abs(error[..., 0]) == pytest.approx(0.02 * spectel_nm, rel=1e-6)
    assert not error[..., 1:].any()


def test_isrf_error_widens_and_keeps_the_area(true, known):
    def moments(groups):
        x, f = groups["isrf"]["isrf_offset"][:, None, None], groups["isrf"]["isrf"]
        return np.trapezoid(f, x=x, axis=-1), np.sqrt(np.trapezoid(f * x**2, x=x, axis=-1))

    (area, width), (true_area, true_width) = moments(known), moments(true)
    assert area == pytest.approx(true_area, abs=1e-12)
    assert np.abs(width / true_width - 1) == pytest.approx(np.full(width.shape, 1e-3), rel=1e-6)


def test_signs_differ_between_bands_effects_and_seeds(instrument, true):
    signs = []
    for seed in range(40):
        groups = ckd.known(instrument, DEFAULT, seed)
        zero = np.sign(groups["dark"]["offset"] - true["dark"]["offset"])[:, 0, 0]
        shift = np.sign(groups["spectral"]["dispersion"] - true["spectral"]["dispersion"])[:, 0, 0]
        signs.append(np.concatenate([zero, shift]))
    table = np.array(signs)
    four_sigma = 4 / np.sqrt(40)
    assert np.all(np.abs(table.mean(axis=0)) < four_sigma)
    assert np.all(np.abs(np.corrcoef(table.T) - np.eye(8)) < four_sigma)


def test_the_file_is_what_the_table_says(instrument, known, tmp_path):
    ckd_id = ckd.write(tmp_path / "ckd.nc", instrument, DEFAULT, SEED)
    table = yaml.safe_load((netcdf.ICD / "ckd.yaml").read_text())
    with netCDF4.Dataset(tmp_path / "ckd.nc") as file:
        assert file.ckd_id == ckd_id
        assert file.ckd_version == table["version"] == 1
        assert set(table["attributes"]) <= set(file.ncattrs())
        assert set(file.groups) == set(table["groups"])
        for name, rows in table["groups"].items():
            assert file[name].uncertainty
            assert set(file[name].variables) == set(rows)
            for key, row in rows.items():
                variable = file[name][key]
                assert list(variable.dimensions) == row["dims"]
                assert (variable.units, variable.long_name) == (row["units"], row["long_name"])
                assert np.array_equal(variable[...], known[name][key])
    assert [p.name for p in tmp_path.iterdir()] == ["ckd.nc"]


def test_the_id_names_the_content(instrument, tmp_path):
    one = ckd.write(tmp_path / "a.nc", instrument, DEFAULT, SEED)
    same = ckd.write(tmp_path / "b.nc", instrument, DEFAULT, SEED)
    other = ckd.write(tmp_path / "c.nc", instrument, PERFECT, SEED)
    assert one == same != other
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
