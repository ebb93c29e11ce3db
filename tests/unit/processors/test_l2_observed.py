"""Real spectra: files in the layouts of OCO-2 and of ground-based spectrometers, read and fitted.

The files are made here: OCO-2 radiances by the retrieval's own forward model from a known state; direct-Sun
spectra by the truth's cross-sections, layers of the test and a transform, none of which the fit uses.
"""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from oco2_files import (
    BACKGROUND,
    DISPERSION_UM,
    FILL,
    FOOTPRINT,
    FOOTPRINTS,
    FRAME,
    FWHM_NM,
    PHOTON,
    RECESSION_M_S,
    SAMPLES,
    SOUNDING,
    SUN_M_S,
    write_l1b,
    write_met,
)
from scipy.interpolate import CubicSpline

from processors.job import BadInput
from processors.l2 import airglow, atmosphere, cia, particles, solar, tables
from processors.l2.auxiliary import Auxiliary
from processors.l2.bands import BANDS
from processors.l2.forward import ForwardModel
from processors.l2.observed import __main__ as program
from processors.l2.observed import folder, oco2, plot, profiles, sounding, sunlight, sunspectrum
from processors.l2.observed.sunpath import Place, airmass
from processors.l2.retrieval import read_spectra, setup
from processors.l2.state import Options
from truth.spectroscopy.absorber import LineAbsorber
from truth.spectroscopy.lines import read_lines
from truth.spectroscopy.partition import PartitionSums

ROOT = Path(__file__).parents[3]
DATA = ROOT / "truth" / "data"
AUX = {
    "partition_sums.csv": "partition_sums.csv",
    "cia_v1.csv": "cia.csv",
    "solar_lines_v1.csv": "solar_lines.csv",
    "solar_continuum.csv": "solar_continuum.csv",
}
CLEAR = Options(bands=(0, 1, 2), particles=(), airglow=False)
LIMITS = (
    (13115, 13140),
    (6226, 6240),
    (4879, 4895),
    (7878, 7880),
)  # cm-1, a tenth of the cost of whole bands
NARROW = tuple(
    replace(band, first_cm1=first, last_cm1=last) for band, (first, last) in zip(BANDS, LIMITS, strict=True)
)
third_of_ppm = 0.3
twentieth_of_hpa = 0.05
three_per_mille = 3e-3
tenth_of_percent = 1e-3


@pytest.fixture(scope="module")
def aux_folder(tmp_path_factory):
    """The aux/ folder of a run."""
    to = tmp_path_factory.mktemp("observed") / "aux"
    (to / "lines").mkdir(parents=True)
    for path in DATA.glob("*.par"):
        shutil.copy(path, to / "lines")
    for source, name in AUX.items():
        shutil.copy(DATA / source, to / name)
    shutil.copy(ROOT / "twin" / "data" / "particles.csv", to)
    return to


@pytest.fixture(scope="module")
def narrow(aux_folder):
    """Make auxiliary data with narrow windows for the responses of a sounding."""
    sources = tables.read(folder.spectroscopy(aux_folder))
    band_tables = [tables.build(band, sources) for band in NARROW]
    gaussians = cia.read(aux_folder / "cia.csv")

    def make(isrf):
        return Auxiliary(
            tables=band_tables,
            sun=folder.sun(aux_folder),
            cia=[cia.coefficient(gaussians, t.band.name, t.wavenumber_cm1) for t in band_tables],
            airglow=airglow.spectra(sources.lines["O2"], band_tables[3].wavenumber_cm1),
            optics=particles.read(aux_folder / "particles.csv"),
            ckd={"isrf": isrf},
        )

    return make


FLAT = np.repeat(np.array([[3.0e20], [1.1e20], [5.0e19]]), SAMPLES, axis=1)


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """An L1bSc file without lines, and an L2Met file with another count of frames."""
    to = tmp_path_factory.mktemp("flat")
    write_l1b(to / "l1b.h5", FLAT)
    write_met(to / "met.h5", shift=3)
    return to / "l1b.h5", to / "met.h5"


@pytest.fixture(scope="module")
def known(flat, narrow, tmp_path_factory):
    """Files of a sounding with a known state: paths, XCO2 (ppm) less its prior by level, and psurf (hPa)."""
    seen = oco2.read(*flat, SOUNDING)
    own = setup(seen.sounding, seen.forecast, read_spectra(seen.sounding), narrow(seen.isrf), CLEAR)
    sv, x = own.state, own.state.x_a.copy()
    change = 2.0 + 3.0 * atmosphere.SIGMA**2
    x[sv["co2"]] += change
    x[sv["psurf"]] += 1.0
    x[sv["h2o"]] *= 1.1
    x[sv["dispersion_0"]] += (0.001, 0.0)
    for b, albedo in enumerate((0.25, 0.21, 0.18)):
        x[sv[f"surface_{b}"]] = (albedo, 0.005, 0.0)
    model = ForwardModel([own], narrow(seen.isrf).models(CLEAR), CLEAR)
    F = model([0], [x])[0].F.reshape(3, -1)[:, :SAMPLES]
    path = tmp_path_factory.mktemp("known") / "l1b.h5"
    write_l1b(path, np.where(np.isfinite(F), F, FLAT))
    return (path, flat[1]), change, float(x[sv["psurf"]][0])


# OCO-2


def test_noise_follows_the_published_formula():
    """NEN = (M/100) sqrt(|100 L/M| c_ph^2 + c_bg^2): background alone at no light, light alone without it."""
    largest = 7.0e20
    light = np.array([0.0, 7.0e18, 7.0e20, -7.0e18])
    assert oco2.noise(light, largest, np.zeros(4), np.full(4, 0.3)) == pytest.approx(2.1e18)
    expected = 7.0e18 * 0.1 * np.sqrt([0.0, 1.0, 100.0, 1.0])
    assert oco2.noise(light, largest, np.full(4, 0.1), np.zeros(4)) == pytest.approx(expected)


def test_a_sounding_is_read_under_our_names(flat):
    seen = oco2.read(*flat, SOUNDING)
    s = seen.sounding
    assert (s["solar_zenith_angle"], s["sensor_zenith_angle"], s["latitude"]) == (40.0, 12.0, 46.0)
    assert s["sensor_recession_speed"] == RECESSION_M_S
    assert s["sun_recession_speed"] == SUN_M_S
    assert s["earth_sun_distance"] == pytest.approx(1.01)
    assert s["operation_mode"] == 0
    f = seen.forecast
    assert (f["surface_pressure"], f["wind_speed"], f["surface_altitude"]) == (98_600.0, 5.0, 270.0)
    assert f["co2"] == pytest.approx(400.0 + 2.3 * 5.458, abs=0.01)  # June 2020


def test_spectra_are_whole_intensities_padded_to_1024(flat):
    s = oco2.read(*flat, SOUNDING).sounding
    assert s["radiance"].shape == s["wavelength"].shape == s["spectel_quality"].shape == (4, 1024)
    assert s["radiance"][:3, 0] == pytest.approx(FLAT[:, 0], rel=1e-6)
    sigma = oco2.noise(
        0.5 * FLAT[:, 0], np.array(oco2.LARGEST_SIGNAL), np.array(PHOTON), np.array(BACKGROUND)
    )
    assert s["radiance_uncertainty"][:3, 0] == pytest.approx(2.0 * sigma, rel=1e-6)
    for b, (c0, c1, c2) in enumerate(DISPERSION_UM):
        assert s["wavelength"][b, 0] == pytest.approx(1e3 * (c0 + c1 + c2), abs=1e-9)  # samples count from 1
        assert np.all(np.diff(s["wavelength"][b]) > 0.0)
    assert np.all(s["spectel_quality"][:, 1016:] != 0)
    assert np.all(s["spectel_quality"][3] != 0)
    assert np.flatnonzero(s["spectel_quality"][1, :1016]).tolist() == [400]


def test_responses_are_on_an_even_grid_with_area_one(flat):
    isrf = oco2.read(*flat, SOUNDING).isrf
    for b, fwhm in enumerate(FWHM_NM):
        x, shape = isrf["isrf_offset"][b], isrf["isrf"][b, 0]
        assert np.diff(x) == pytest.approx(x[1] - x[0])
        assert np.trapezoid(shape, x) == pytest.approx(1.0)
        gauss = np.exp(-4.0 * np.log(2.0) * (x / fwhm) ** 2)
        assert shape[4] / shape[4].max() == pytest.approx(gauss, abs=3e-3)


def test_place_and_identifier_name_the_same_sounding(flat):
    assert oco2.read(*flat, FRAME * FOOTPRINTS + FOOTPRINT).sounding_id == SOUNDING


def test_water_is_seen_in_glint(flat, tmp_path):
    write_l1b(tmp_path / "sea.h5", FLAT, water=True)
    assert oco2.read(tmp_path / "sea.h5", flat[1], SOUNDING).sounding["operation_mode"] == 1


def test_a_known_state_comes_back_from_the_files(known, narrow):
    """XCO2 against the truth as the kernel sees it, surface pressure against the truth."""
    paths, change, psurf = known
    seen = oco2.read(*paths, SOUNDING)
    found = sounding.fit(seen, narrow(seen.isrf), CLEAR)
    n = found.numbers
    smoothed = n["xco2_apriori_ppm"] + np.sum(np.array(n["pressure_weight"]) * n["xco2_kernel"] * change)
    assert n["converged"]
    assert n["xco2_ppm"] == pytest.approx(smoothed, abs=third_of_ppm)
    assert n["psurf_hpa"] == pytest.approx(psurf, abs=twentieth_of_hpa)
    assert n["bands"]["B1"]["shift_nm"] == pytest.approx(0.001, abs=2e-4)
    for panel, window, reach_nm in zip(
        found.panels, NARROW[:3], seen.isrf["isrf_offset"][:3, -1], strict=True
    ):
        assert panel.at.min() - reach_nm > 1e7 / window.last_cm1  # all the light they see is computed
        assert panel.at.max() + reach_nm < 1e7 / window.first_cm1
    for band in n["bands"].values():
        assert band["chi2"] < 0.05
        assert 50 < band["spectels"] < 300


def test_a_prior_is_taken_from_a_table(flat, tmp_path):
    table = tmp_path / "co2.csv"
    table.write_text("# mine\nco2_ppm,pressure_hpa\n430,1000\n410,100\n400,1\n")
    co2 = oco2.read(*flat, SOUNDING, table).forecast["co2"]
    assert co2[0] == pytest.approx(400.0, abs=3.0)
    assert co2[-1] == pytest.approx(430.0, abs=0.5)


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("InstrumentHeader/snr_coef", SOUNDING, "expected InstrumentHeader/snr_coef, got none"),
        (
            "SoundingGeometry/sounding_azimuth",
            SOUNDING,
            "expected SoundingGeometry/sounding_azimuth, got none",
        ),
        ("", SOUNDING + 999, "expected a sounding_id of the file"),
        ("", 0, "got fill: take another sounding"),
    ],
)
def test_what_a_file_lacks_is_named(flat, tmp_path, name, number, said):
    write_l1b(tmp_path / "l1b.h5", FLAT, leave_out=(name,))
    with pytest.raises(BadInput, match=said):
        oco2.read(tmp_path / "l1b.h5", flat[1], number)


def test_a_band_without_light_is_refused(flat, narrow, tmp_path):
    dark = FLAT.copy()
    dark[2] = 2.0 * FILL
    write_l1b(tmp_path / "l1b.h5", dark)
    seen = oco2.read(tmp_path / "l1b.h5", flat[1], SOUNDING)
    with pytest.raises(BadInput, match="expected 50 good spectels or more in B3, got 0"):
        sounding.fit(seen, narrow(seen.isrf), CLEAR)


# Sun


PRESSURE_HPA = np.geomspace(0.5, 1000.0, 41)
TEMPERATURE_K = np.interp(
    np.log(PRESSURE_HPA), np.log([0.5, 1, 10, 100, 200, 500, 1000]), [255.0, 265, 228, 208, 218, 256, 290]
)
WATER = 0.012 * (PRESSURE_HPA / 1000.0) ** 3
CO2_PPM = np.interp(PRESSURE_HPA, [100.0, 300.0, 1000.0], [408.0, 412.0, 416.0])
STEP_CM1, SAMPLE_CM1, SHIFT_CM1 = 0.002, 0.00753, 0.002
PATH_CM, FIELD_RAD = 45.0, 2.4e-3


@pytest.fixture(scope="module")
def atmosphere_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("air") / "air.csv"
    rows = zip(PRESSURE_HPA, TEMPERATURE_K, WATER, CO2_PPM, strict=True)
    text = "\n".join(
        ",".join(f"{value:.9g}" for value in row) for row in reversed(list(rows))
    )  # ground first
    path.write_text(f"# made up\npressure_hpa,temperature_k,h2o_vmr,co2_ppm\n{text}\n")
    return path


def layers_of_the_test():
    """Give p (Pa), T (K), water, CO2 (ppm), mol m-2 and height (m) of 80 layers, hydrostatic."""
    edges = 100.0 * np.concatenate([[1e-4], np.geomspace(0.3, 1000.0, 80)])
    p, log_p = 0.5 * (edges[1:] + edges[:-1]), np.log(100.0 * PRESSURE_HPA)
    t, h2o, co2 = (np.interp(np.log(p), log_p, values) for values in (TEMPERATURE_K, WATER, CO2_PPM))
    thick = 29.27 * t * np.log(edges[1:] / np.maximum(edges[:-1], 1.0))
    height = np.cumsum(thick[::-1])[::-1] - 0.5 * thick
    gravity = 9.80620 / (1.0 + height / 6.371e6) ** 2  # at 45 degrees
    moles = np.diff(edges) / gravity / (1e-3 * (18.01528 * h2o + 28.9644 * (1.0 - h2o)))
    return p, t, h2o, co2, moles, height


def toon_sun(nu, recession_m_s):
    """Transmittance of the solar atmosphere, Toon (2010), read from the table of lines."""
    table = np.genfromtxt(DATA / "solar_lines_v1.csv", delimiter=",", names=True, comments="#")
    rest = nu * (1.0 + recession_m_s / 299_792_458.0)
    tau = np.zeros_like(nu)
    for line in table[np.abs(table["wavenumber_cm1"] - nu.mean()) < 40.0]:
        x2 = (rest - line["wavenumber_cm1"]) ** 2
        d, w = line["doppler_width_cm1"], line["lorentz_width_cm1"]
        tau += line["optical_depth"] * np.exp(-x2 / np.sqrt(d**4 + x2 * w**2))
    return np.exp(-tau)


def fts_spectrum(gas, first, last, sza_deg, scale, water_scale):
    """Give (wavenumber, signal) of a spectrum cut at PATH_CM by a transform, its scale SHIFT_CM1 off."""
    nu = np.arange(first - 6.0, last + 6.0, STEP_CM1)
    p, t, h2o, co2, moles, height = layers_of_the_test()
    dry = moles * 6.02214076e23 * (1.0 - h2o)
    slant = 1.0 / np.sqrt(1.0 - (np.sin(np.radians(sza_deg)) / (1.0 + height / 6.378e6)) ** 2)
    source, sums = read_lines(DATA), PartitionSums(DATA / "partition_sums.csv")
    tau = 0.0
    share = 1e-6 * co2 if gas == "CO2" else 0.2095
    for name, column in ((gas, scale * share * dry), ("H2O", water_scale * moles * 6.02214076e23 * h2o)):
        tau = tau + (slant * column) @ LineAbsorber(source, name, sums).cross_section(nu, t, p)
    light = toon_sun(nu, SUN_M_S) * np.exp(-tau) * (1.0 + 0.1 * (nu - first) / (last - first))
    x = np.fft.rfftfreq(nu.size, STEP_CM1)
    cut = (x <= PATH_CM) * np.sinc(x * 0.5 * (first + last) * FIELD_RAD**2 / 8.0)
    seen = CubicSpline(nu, np.fft.irfft(cut * np.fft.rfft(light), nu.size))
    at = np.arange(first + 0.01, last, SAMPLE_CM1)
    return at, 5e3 * seen(at + SHIFT_CM1)


@pytest.mark.parametrize(
    ("window", "sza_deg"), [("B2:6222-6229.5", 40.0), ("B1:13110-13116", 30.0), ("B4:7882-7888", 50.0)]
)
def test_the_column_of_an_independent_spectrum_comes_back(aux_folder, atmosphere_file, window, sza_deg):
    part = sunspectrum.parse_window(window)
    nu, signal = fts_spectrum(part.band.gas, part.first_cm1, part.last_cm1, sza_deg, 1.02, 0.9)
    spectrum = sunspectrum.Spectrum(nu, signal, Path("made-up"))
    air, instrument = profiles.read_atmosphere(atmosphere_file), sunspectrum.Instrument(PATH_CM, FIELD_RAD)
    n = sunlight.fit(spectrum, air, Place(sza_deg), instrument, part, aux_folder).numbers
    assert n["converged"]
    assert n["column_scale"] == pytest.approx(1.02, abs=three_per_mille)
    assert n["residual_rms_percent"] < 0.05
    assert n["shift_nm"] == pytest.approx(-SHIFT_CM1 * 1e7 / nu.mean() ** 2, rel=0.02)
    assert n["sun_recession_m_s"] == pytest.approx(SUN_M_S, abs=max(5.0, n["sun_recession_uncertainty_m_s"]))


def test_derivatives_of_direct_sunlight_are_those_of_differences(aux_folder, atmosphere_file):
    part = sunspectrum.parse_window("B2:6224-6228")
    nu = np.arange(part.first_cm1, part.last_cm1, SAMPLE_CM1)
    instrument = sunspectrum.Instrument(20.0)
    model = sunlight.DirectSun(
        sunspectrum.Spectrum(nu, np.ones(nu.size), Path("flat")), profiles.read_atmosphere(atmosphere_file),
        Place(50.0), instrument, sunlight.absorbers(aux_folder, part.computed(instrument)),
    )  # fmt: skip
    x = np.array([1.05, 0.9, 1.0, 0.05, -0.02, 0.0004, 200.0, 0.01])
    _, K = model(x)
    for column, step in enumerate((0.02, 0.05, 0.01, 0.01, 0.01, 3e-4, 100.0, 0.01)):
        at = np.eye(x.size)[column] * step
        slope = (model(x + at)[0] - model(x - at)[0]) / (2.0 * step)
        assert K[:, column] == pytest.approx(slope, abs=5e-3 * np.abs(slope).max())


def test_the_line_shape_is_the_transform_of_a_cut_interferogram():
    """Against the cosine transform of a boxcar times the sinc of a field of view."""
    instrument = sunspectrum.Instrument(PATH_CM, FIELD_RAD)
    nu, x = 6220.0, np.linspace(-0.3, 0.3, 61)
    path = (np.arange(20_000) + 0.5) * PATH_CM / 20_000
    weight = np.sinc(path * nu * FIELD_RAD**2 / 8.0)
    expected = 2.0 * np.cos(2.0 * np.pi * np.outer(x, path)) @ weight * PATH_CM / path.size
    assert instrument.shape(x, nu) == pytest.approx(expected, abs=1e-4 * expected.max())
    assert sunspectrum.Instrument(PATH_CM, 0.0).shape(np.zeros(1), nu)[0] == pytest.approx(2.0 * PATH_CM)


@pytest.mark.parametrize("sza_deg", [0.0, 30.0, 60.0, 75.0, 80.0])
def test_air_mass_is_that_of_refracted_light(atmosphere_file, sza_deg):
    """Against the closed form of Young (1994) by the true zenith angle."""
    c = np.cos(np.radians(sza_deg))
    young = (1.002432 * c**2 + 0.148386 * c + 0.0096467) / (
        c**3 + 0.149864 * c**2 + 0.0102963 * c + 0.000303978
    )
    air = profiles.read_atmosphere(atmosphere_file)
    assert airmass(Place(sza_deg), air) == pytest.approx(young, rel=tenth_of_percent)


def test_text_and_netcdf_give_the_same_spectrum(tmp_path):
    nu, signal = np.linspace(6200.0, 6210.0, 200), np.linspace(1.0, 2.0, 200)
    with netCDF4.Dataset(tmp_path / "s.nc", "w") as file:
        file.createDimension("sample", nu.size)
        for name, values in (("wavenumber", nu[::-1]), ("signal", signal[::-1])):
            file.createVariable(name, "f8", ("sample",))[:] = values
    rows = "\n".join(f"{a:.9f}, {b:.9f}" for a, b in zip(nu, signal, strict=True))
    (tmp_path / "s.txt").write_text(f"wavenumber signal\n# comment\n{rows}\n")
    for name in ("s.nc", "s.txt"):
        read = sunspectrum.read_spectrum(tmp_path / name)
        assert read.wavenumber_cm1 == pytest.approx(nu)
        assert read.signal == pytest.approx(signal)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pressure_hpa,temperature_k,co2_ppm\n1,200,400\n1000,290,400\n", "h2o_vmr"),
        ("pressure_hpa,temperature_k,h2o_vmr,co2_ppm\n1,200,0,400\n1000,17,0.01,400\n", "temperature_k"),
        ("pressure_hpa,temperature_k,h2o_vmr,co2_ppm\n1,200,0,400\n100000,290,0.01,400\n", "in hPa"),
        ("pressure_hpa,temperature_k,h2o_vmr,co2_ppm\n1,200,0,400\n1,290,0.01,400\n", "none of them twice"),
    ],
)
def test_an_atmosphere_in_other_units_is_refused(tmp_path, text, said):
    (tmp_path / "air.csv").write_text(text)
    with pytest.raises(BadInput, match=said):
        profiles.read_atmosphere(tmp_path / "air.csv")


# The program


def test_the_program_fits_a_sounding_and_draws_it(known, narrow, aux_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(folder, "auxiliary", lambda path, isrf, cache: narrow(isrf))
    picture = tmp_path / "fit.png"
    given = ["oco2", *map(str, known[0]), "--sounding", str(SOUNDING), "--aux", str(aux_folder)]
    assert program.main([*given, "--mode", "clear", "--out", str(picture)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1
    assert json.loads(printed[0])["bands"]["B2"]["residual_rms_percent"] < 0.1
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_the_program_fits_sunlight(aux_folder, atmosphere_file, tmp_path, capsys):
    nu, signal = fts_spectrum("CO2", 6224.0, 6228.0, 35.0, 0.98, 1.0)
    np.savetxt(tmp_path / "sun.txt", np.column_stack([nu, signal]))
    given = ["sun", str(tmp_path / "sun.txt"), str(atmosphere_file), "--sza", "35", "--aux", str(aux_folder)]
    assert program.main([*given, "--window", "B2:6224-6228", "--out", str(tmp_path / "fit.png")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["windows"][0]["column_scale"] == pytest.approx(0.98, abs=three_per_mille)
    assert (tmp_path / "fit.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "command line"),
        (["oco2", "none.h5", "none.h5", "--sounding", "0"], "none.h5: expected an HDF5 file"),
        (["sun", "none.txt", "AIR", "--sza", "30", "--window", "B2"], "none.txt: expected a text file"),
        (["sun", "SUN", "AIR", "--sza", "30", "--window", "B7"], "--window: expected one of B1, B2, B3, B4"),
        (
            ["sun", "SUN", "AIR", "--sza", "30", "--window", "B2:6100-6200"],
            "expected limits within 6174 to 6266",
        ),
        (["sun", "SUN", "AIR", "--sza", "89", "--window", "B2"], "--sza: expected 0 to 88 degrees"),
        (["sun", "SUN", "AIR", "--sza", "30", "--window", "B3"], "expected 50 samples and more in 4872"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, said, aux_folder, atmosphere_file, tmp_path, capsys):
    nu = np.arange(6200.0, 6210.0, 0.01)
    np.savetxt(tmp_path / "sun.txt", np.column_stack([nu, np.ones(nu.size)]))
    names = {"SUN": str(tmp_path / "sun.txt"), "AIR": str(atmosphere_file)}
    given = [names.get(word, word) for word in arguments]
    assert program.main([*given, "--aux", str(aux_folder)] if given else given) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1


def test_a_folder_without_its_files_is_named(tmp_path):
    with pytest.raises(BadInput, match="lines: expected an auxiliary file, got none"):
        folder.check(tmp_path)


def test_without_matplotlib_only_the_picture_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BadInput, match="matplotlib: expected for a picture"):
        plot.check()


def test_the_sun_of_the_test_is_that_of_the_retrieval(aux_folder):
    """Two readings of Toon's formula agree, so that the fits above are not by luck."""
    nu = np.arange(6220.0, 6230.0, 0.01)
    ours = solar.photon_irradiance(folder.sun(aux_folder), nu, SUN_M_S, 1.0)
    ratio = ours / toon_sun(nu, SUN_M_S)
    assert ratio / ratio.mean() == pytest.approx(1.0, abs=three_per_mille)
