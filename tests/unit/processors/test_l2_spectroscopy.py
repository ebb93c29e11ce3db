"""Line shapes, tables and continua of L2 against direct formulas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import wofz

from processors.job import BadInput
from processors.l2 import airglow, atmosphere, auxiliary, cia, lines, tables
from processors.l2.bands import (
    BANDS,
    LAYER_EDGES_PA,
    LAYER_MID_PA,
    T_MARGIN_K,
    Band,
    reference_temperature_k,
    temperature_span_k,
)
from processors.l2.lineshape import voigt_cross_section

at_the_seam = 1e-4  # largest where the asymptotic form of w takes over, |z| = 15
SMALL = (Band(0, "B1", "O2", 13120, 13122, 50), Band(1, "B2", "CO2", 6230, 6231, 100))
FOURTH = Band(3, "B4", "O2", 7880, 7881, 80)


@pytest.mark.parametrize("ratio", [1e-4, 0.01, 0.3, 1.0, 3.0, 8.0, 12.0, 14.9, 15.1, 50.0])
def test_voigt_is_the_real_part_of_w(ratio):
    """Lorentz over Doppler width from the mesosphere to the ground and beyond; 25 cm-1 to each side."""
    doppler, center, step = 0.01, 6230.00123, 0.001
    first, points = 6215.0, 30_001
    found = voigt_cross_section(
        first, points, step, *(np.array([v]) for v in (center, 2.0, ratio * doppler, doppler))
    )
    x = (first + step * np.arange(points) - center) / doppler
    expected = 2.0 * wofz(x + 1j * ratio).real / (np.sqrt(np.pi) * doppler)
    np.testing.assert_allclose(found, expected, rtol=at_the_seam)


def test_wings_end_at_25_wavenumbers_and_lines_beyond_the_grid_reach_in():
    one = [np.array([v]) for v in (1.0, 0.05, 0.01)]
    found = voigt_cross_section(6200.0, 6001, 0.01, np.array([6195.0]), *one)
    nu = 6200.0 + 0.01 * np.arange(6001)
    assert np.all(found[nu < 6219.995] > 0.0)
    assert np.all(found[nu > 6220.005] == 0.0)


def direct(gas: str, nu: np.ndarray, p: float, t: float, data: Path) -> np.ndarray:
    """Give a cross-section from the columns of the files, by wofz, in constants of its own."""
    number = {"CO2": 2, "O2": 7, "H2O": 1}[gas]
    sums = np.genfromtxt(data / "partition_sums.csv", delimiter=",", names=True, comments="#")
    total = np.zeros(nu.size)
    for path in data.glob("*.par"):
        for row in path.read_text().splitlines():
            center, iso = float(row[3:15]), int(row[2])
            if int(row[:2]) != number or not nu[0] - 25 < center < nu[-1] + 25:
                continue
            strength, width, energy = float(row[15:25]), float(row[35:40]), float(row[45:55])
            exponent, shift = float(row[55:59]), float(row[59:67])
            own = (sums["molecule"] == number) & (sums["isotopologue"] == iso)
            q = np.interp([296.0, t], sums["temperature_k"][own], sums["q"][own])
            c2 = 1.438776877
            strength *= q[0] / q[1] * np.exp(-c2 * energy * (1 / t - 1 / 296.0))
            strength *= (1 - np.exp(-c2 * center / t)) / (1 - np.exp(-c2 * center / 296.0))
            mass = lines.MASS_G_MOL[gas, iso]
            doppler = center / 299792458.0 * np.sqrt(2 * 8.314462618 * t / (mass * 1e-3))
            lorentz = width * p / 101325.0 * (296.0 / t) ** exponent
            x = nu - center - shift * p / 101325.0
            shape = wofz((x + 1j * lorentz) / doppler).real / (np.sqrt(np.pi) * doppler)
            total += np.where(np.abs(x) <= 25.0, strength * shape, 0.0)
    return total


def gauss_points(layer: int, gas: str) -> list[tuple[float, float, float]]:
    """Give pressure (Pa), temperature less the layer's (K) and share of the gas of two points of a layer."""
    dp = np.diff(LAYER_EDGES_PA)[layer]
    p = LAYER_MID_PA[layer] + dp / np.sqrt(12.0) * np.array([-1.0, 1.0])
    lapse = reference_temperature_k(p)
    share = p**3.5 if gas == "H2O" else np.ones(2)
    return list(zip(p, lapse - lapse.mean(), share / share.sum(), strict=True))


@pytest.mark.parametrize(
    ("b", "gas", "column"),
    [(0, "O2", 4.5e24), (1, "CO2", 8.7e21), (2, "CO2", 8.7e21), (2, "H2O", 6e23), (3, "H2O", 6e23)],
)
@pytest.mark.parametrize("layer", [1, 10, 18, 25])
def test_tables_give_the_transmittance_of_line_by_line(narrow, l2_kit, b, gas, column, layer):
    """Against wofz, all over the temperatures tabled; one layer at air mass 2, 18 g/kg of water below."""
    one_in_10_000 = 1e-4
    table = narrow.aux.tables[b]
    kept = table.h2o if gas == "H2O" else table.gas
    nu, t_ref = table.wavenumber_cm1[::3], tables.T_REFERENCE_K[layer]
    in_layer = 2.0 * column * np.diff(LAYER_EDGES_PA)[layer] / 101325.0
    if gas == "H2O":
        in_layer *= (LAYER_MID_PA[layer] / 101325.0) ** 3
    for t in (-0.95, -0.4, 0.3, 0.95):
        cubic = (kept[layer].astype(float).T @ t ** np.arange(kept.shape[1]))[::3]
        here = t_ref + t * tables.T_SPAN_K[layer]
        exact = sum(w * direct(gas, nu, p, here + dt, l2_kit.DATA) for p, dt, w in gauss_points(layer, gas))
        error = np.abs(np.exp(-in_layer * cubic) - np.exp(-in_layer * exact)).max()
        assert error < one_in_10_000


# Temperature (K) at these pressures (hPa) and at the ground; pressure and specific humidity at the ground,
# which falls with the cube of pressure
PROFILE_HPA = [1, 3, 10, 30, 50, 80, 100, 150, 200, 300, 500, 700, 850]
AIR = {
    "tropics": ([265, 250, 232, 218, 207, 196, 193, 204, 220, 242, 268, 284, 292, 300], 1010.0, 0.018),
    "mid summer": ([274, 255, 235, 224, 219, 216, 216, 217, 221, 238, 261, 278, 287, 294], 1013.0, 0.012),
    "mid winter": ([262, 244, 226, 217, 216, 216, 216, 217, 218, 224, 248, 262, 269, 273], 1018.0, 0.0035),
    "polar summer": ([278, 260, 238, 229, 227, 226, 226, 225, 225, 228, 252, 268, 276, 284], 1010.0, 0.006),
    "polar winter": ([255, 232, 213, 206, 205, 206, 208, 213, 217, 218, 237, 249, 254, 252], 1013.0, 0.001),
}
MOST_HUMID = 0.03  # kg kg-1, and all of warm air
# Ends of the range of temperatures over latitudes and seasons, and of what is tabled, as (share, K beyond)
ENDS = {
    "coldest": (-1.0, 0.0),
    "warmest": (1.0, 0.0),
    "coldest tabled": (-1.0, 15.0),
    "warmest tabled": (1.0, 15.0),
}


def column(name: str, gas: str) -> tuple[np.ndarray, np.ndarray]:
    """Give temperature (layer) and slant column (layer), cm-2, at air mass 2.5 of an atmosphere."""
    kelvin, psurf_hpa, humidity = AIR.get(name, AIR["mid winter"])
    if name in ("warmest", "warmest tabled"):
        humidity = MOST_HUMID
    temperature = np.interp(np.log(LAYER_MID_PA / 100.0), np.log([*PROFILE_HPA, psurf_hpa]), kelvin)
    if name in ENDS:
        sign, beyond = ENDS[name]
        span = temperature_span_k(LAYER_MID_PA) - T_MARGIN_K + beyond
        temperature = reference_temperature_k(LAYER_MID_PA) + sign * span
    held = np.maximum(np.diff(np.minimum(LAYER_EDGES_PA, 100.0 * psurf_hpa)), 0.0)
    air = 2.5 * held / 9.8 * 6.02214076e23 / 28.9647e-3 * 1e-4
    water = np.minimum(humidity * (LAYER_MID_PA / (100.0 * psurf_hpa)) ** 3, 1.0) * 28.9647 / 18.01528
    return temperature, air * {"O2": 0.2095, "CO2": 420e-6, "H2O": water}[gas]


def interpolation_error(ground, lists, partition, b: int, gas: str, name: str) -> float:
    """Give the largest error of the monochromatic transmittance of a gas, by tables instead of lines."""
    band_tables = ground.aux.tables[b]
    nu, table = band_tables.band.wavenumber_cm1, band_tables.h2o if gas == "H2O" else band_tables.gas
    kept = lists[gas].within(nu[0] - 25.0, nu[-1] + 25.0)
    grid = (nu[0], nu.size, band_tables.band.step_cm1)
    temperature, slant = column(name, gas)
    t, _ = tables.coordinate(temperature)
    exact, tabled = np.zeros((2, band_tables.index.size))
    for layer in np.flatnonzero(slant > 0.0):
        tabled += slant[layer] * (table[layer].astype(float).T @ t[layer] ** np.arange(table.shape[1]))
        for p, dt, w in gauss_points(layer, gas):
            kelvin = temperature[layer] + dt
            each = lines.cross_section(kept, gas, partition, grid, p, kelvin)[band_tables.index]
            exact += w * slant[layer] * each
    return float(np.abs(np.exp(-exact) - np.exp(-tabled)).max())


@pytest.fixture(scope="module")
def line_data(l2_kit):
    return lines.read_lines(l2_kit.DATA), lines.read_partition_sums(l2_kit.DATA / "partition_sums.csv")


@pytest.mark.parametrize("name", [*AIR, *ENDS])
def test_tables_keep_the_column_s_transmittance(whole, line_data, name):
    """O2, CO2 and water of the mission's bands at air mass 2.5 within 1e-4.

    In five atmospheres from the tropics to the polar winter, at the ends of the range of temperatures over
    latitudes and seasons and with all layers at an end of the tables.
    """
    one_in_10_000 = 1e-4
    for b, gas in enumerate(("O2", "CO2", "CO2", "O2")):
        for each in (gas, "H2O"):
            error = interpolation_error(whole, *line_data, b, each, name)
            assert error <= one_in_10_000, f"{each} in B{b + 1}"


def test_coordinate_is_one_at_the_span_and_its_slope_is_a_difference():
    """Layers of their own reference and span, all at once or some of them."""
    half_kelvin = 0.5
    ends = [tables.T_REFERENCE_K + sign * tables.T_SPAN_K for sign in (-1.0, 0.0, 1.0)]
    found = np.array([tables.coordinate(kelvin)[0] for kelvin in ends])
    np.testing.assert_allclose(
        found, np.repeat([[-1.0], [0.0], [1.0]], LAYER_MID_PA.size, axis=1), atol=1e-12
    )
    kelvin = tables.T_REFERENCE_K + np.linspace(-20.0, 20.0, LAYER_MID_PA.size)
    t, slope = tables.coordinate(np.stack([kelvin, kelvin + half_kelvin]))
    np.testing.assert_allclose((t[1] - t[0]) / half_kelvin, slope[0], rtol=1e-12)
    some = np.array([4, 0, 25])
    part, part_slope = tables.coordinate(kelvin[some], some)
    np.testing.assert_array_equal(part, t[0, some])
    np.testing.assert_array_equal(part_slope, slope[0, some])
    assert np.ptp(tables.T_SPAN_K) > 1.0  # they differ from layer to layer


def test_grids_have_the_steps_of_their_bands():
    for band in BANDS:
        nu = band.wavenumber_cm1
        np.testing.assert_allclose(np.diff(nu), band.step_cm1, rtol=1e-9)
        assert (nu[0], nu[-1], nu.size) == (
            band.first_cm1, band.last_cm1, (band.last_cm1 - band.first_cm1) * band.per_cm1 + 1
        )  # fmt: skip


def test_single_precision_costs_nothing(narrow, line_data):
    """Transmittance with tables in single and double precision, air mass 4."""
    one_in_100_000, b = 1e-5, 2
    lists, partition = line_data
    table = narrow.aux.tables[b]
    nu, at = table.band.wavenumber_cm1, table.index
    kept = lists["CO2"].within(nu[0] - 25.0, nu[-1] + 25.0)
    grid, tau = (nu[0], nu.size, table.band.step_cm1), np.zeros((2, at.size))
    for layer in range(0, LAYER_MID_PA.size, 5):  # each for the five about it
        reference, span = tables.T_REFERENCE_K[layer], tables.T_SPAN_K[layer]
        low, high = (reference - span) ** -1.5, (reference + span) ** -1.5
        nodes = 0.5 * ((low + high) + (low - high) * np.cos(np.pi * np.array([1, 3, 5, 7]) / 8.0))
        nodes = nodes ** (-2.0 / 3.0)
        at_nodes = [
            sum(w * lines.cross_section(kept, "CO2", partition, grid, p, kelvin + dt)[at]
                for p, dt, w in gauss_points(layer, "CO2"))
            for kelvin in nodes
        ]  # fmt: skip
        exact = np.linalg.solve(np.vander((nodes - reference) / span, 4, increasing=True), at_nodes)
        powers = 0.4 ** np.arange(4)
        slant = 4.0 * 8.7e21 * 5.0 * np.diff(LAYER_EDGES_PA)[layer] / 101325.0
        tau += slant * np.array([powers @ exact, powers @ table.gas[layer].astype(float)])
    double, single = np.exp(-tau)
    assert 0.0 < np.abs(single - double).max() < one_in_100_000


def test_a_product_may_run_without_water(narrow):
    assert not tables.coefficients(SMALL[0], "H2O", {}, {}).any()


def test_continuum_depth_of_oxygen_pairs(l2_kit):
    """PHYSICS: vertical 0.010 in the A band, 0.04 at 1.27 um; isothermal-lapse air, one exponential."""
    five_percent, one_digit = 0.05, 0.25
    table = cia.read(l2_kit.DATA / "cia_v1.csv")
    z = np.arange(0.0, 60_000.0, 50.0)
    t = np.maximum(288.15 - 6.5e-3 * z, 216.65)
    p = 101325.0 * np.exp(
        -np.concatenate([[0], np.cumsum(9.80665 / 287.05 / (0.5 * (t[1:] + t[:-1])) * 50.0)])
    )
    amagat = p / 101325.0 * 273.15 / t
    path_cm = 100.0 * np.trapezoid(amagat**2, z)
    for band, expected in ((BANDS[0], 0.010), (BANDS[3], 0.04)):
        peak = cia.coefficient(table, band.name, band.wavenumber_cm1).max()
        assert peak * path_cm == pytest.approx(expected, rel=one_digit)
    at_13060 = cia.coefficient(table, "B1", np.array([13060.0]))[0]
    assert at_13060 == pytest.approx(1.57e-8, rel=five_percent)
    assert not cia.coefficient(table, "B2", BANDS[1].wavenumber_cm1).any()


def test_cia_depth_of_the_model_s_layers(l2_kit, narrow):
    """The layers' own integral of squared density against a fine integration over height, dry air."""
    one_percent = 0.01
    meteo = narrow.model(l2_kit.Case(psurf=1013.25)).setups[0].meteo
    got = atmosphere.layers(meteo, 101_325.0, np.zeros(6), 0.0).amount[atmosphere.CIA].sum()
    p = np.geomspace(50.0, 101_325.0, 20_000)
    t = np.interp(np.log(p), np.log(meteo.pressure_pa), meteo.temperature_k)
    dz = 8.314462618 * t / (28.9644e-3 * 9.79 * p)  # m Pa-1
    amagat = p / 101325.0 * 273.15 / t
    assert got == pytest.approx(100.0 * np.trapezoid(amagat**2 * dz, p), rel=one_percent)


def test_airglow_carries_one_megarayleigh(l2_kit):
    """Integrated over a grid that holds the whole band: 1e16/(4 pi) photons; colder means narrower."""
    one_percent = 0.01
    o2 = lines.read_lines(l2_kit.DATA)["O2"]
    nu = np.arange(7700.0, 8000.0, 0.002)
    for temperature in (220.0, 260.0):
        photons = np.trapezoid(airglow.emission(o2, nu, temperature) * 1e4 / nu**2, nu)
        assert photons == pytest.approx(1e16 / (4 * np.pi), rel=one_percent)
    value, slope = airglow.spectra(o2, nu)
    expected = airglow.emission(o2, nu, 252.0) - value
    np.testing.assert_allclose(2.0 * slope, expected, atol=0.02 * np.abs(expected).max())


BUILD = """
import sys
from pathlib import Path
from processors.l2 import tables
from processors.l2.bands import Band
tables.BANDS = {bands}
tables.load(tables.Spectroscopy(*map(Path, sys.argv[2:])), Path(sys.argv[1]))
"""


def test_two_processes_share_the_building(tmp_path, l2_kit):
    """At once into one cache, and alone into another: the same bytes, no litter."""
    folders = [tmp_path / "shared", tmp_path / "shared", tmp_path / "alone"]
    code = BUILD.format(bands=SMALL)
    builders = [subprocess.Popen([sys.executable, "-c", code, f, *l2_kit.SPECTROSCOPY]) for f in folders]
    assert [builder.wait(120) for builder in builders] == [0, 0, 0]
    files = {side: sorted((tmp_path / side).rglob("*.npy")) for side in ("shared", "alone")}
    names = sorted(tables.ARRAYS)
    assert [f.stem for f in files["shared"]] == [f"{band}-{name}" for band in ("B1", "B2") for name in names]
    assert [f.read_bytes() for f in files["shared"]] == [f.read_bytes() for f in files["alone"]]
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(("name", "left"), [("gas", 0), ("gas", 5000), ("weight", 60)])
def test_a_truncated_table_is_built_again(tmp_path, monkeypatch, l2_kit, name, left):
    monkeypatch.setattr(tables, "BANDS", SMALL[1:])
    source = tables.Spectroscopy(*l2_kit.SPECTROSCOPY)
    whole = np.array(tables.load(source, tmp_path)[0].gas)
    [path] = tmp_path.rglob(f"B2-{name}.npy")
    path.write_bytes(path.read_bytes()[:left])
    np.testing.assert_array_equal(tables.load(source, tmp_path)[0].gas, whole)


def test_tables_follow_the_files(tmp_path, monkeypatch, l2_kit):
    """Another line file, partition sum or Sun asks for another folder; the same ones do not."""
    text = (l2_kit.DATA / "lines_v1.par").read_text()
    folder = tmp_path / "lines"
    folder.mkdir()
    (folder / "a.par").write_text(text)
    sums = tmp_path / "sums.csv"
    sums.write_bytes((l2_kit.DATA / "partition_sums.csv").read_bytes())
    sun = tmp_path / "sun.csv"
    sun.write_bytes(l2_kit.SPECTROSCOPY[2].read_bytes())
    source = tables.Spectroscopy(folder, sums, sun, l2_kit.SPECTROSCOPY[3])
    first = source.digest()
    assert source.digest() == first
    sums.write_text(sums.read_text() + "\n")
    second = source.digest()
    (folder / "a.par").write_text(text.replace("2.7", "2.8", 1))
    third = source.digest()
    sun.write_text(sun.read_text() + "\n")
    assert len({first, second, third, source.digest()}) == 4


BROKEN = {
    "partition_sums": ["", "molecule,isotopologue\n2,1\n", "molecule,isotopologue,temperature_k,q\n2,1,100\n",
                       "molecule,isotopologue,temperature_k,q\n2,1,warm,3\n"],
    "cia": ["", "band,center_cm1\nB1,3\n",
            "band,peak_cm1_amagat2,amplitude,center_cm1,width_cm1\nB1,1e-8,x,1,1\n",
            "band,peak_cm1_amagat2,amplitude,center_cm1,width_cm1\nB1,1e-8,1\n"],
    "solar_lines": ["", "wavenumber_cm1\n3\n",
                    "wavenumber_cm1,optical_depth,lorentz_width_cm1,doppler_width_cm1\n1,2\n"],
    "solar_continuum": ["", "nm\n3\n", "wavelength_nm,irradiance_w_m2_um\n760,much\n"],
    "particles": ["", "type,wavelength_um\nfine,0.755\n",
                  "type,wavelength_um,extinction,single_scattering_albedo,asymmetry\nfine,0.755,1.0,x,0.7\n",
                  "type,wavelength_um,extinction,single_scattering_albedo,asymmetry\nfine,0.755,1.0\n"],
    "lines": ["", "no line at all\n", " 71 13120.000000 1.0E-24\n", "\x00\x01\xff\n"],
}  # fmt: skip


class Order:
    """The part of a job that auxiliary.load asks for."""

    def __init__(self, folder: Path, inputs: dict[str, Path]) -> None:
        self.inputs, self.cache, self.path = inputs, folder / "cache", folder / "job.yaml"

    def input(self, name: str) -> Path:
        return self.inputs[name]


CASES = [(name, n) for name, texts in BROKEN.items() for n in range(len(texts))]


@pytest.mark.parametrize(("name", "n"), CASES)
def test_malformed_auxiliary_files_are_refused(tmp_path, monkeypatch, l2_kit, name, n):
    """Empty, without a column, cut short, or with a word for a number: BadInput that names the job."""
    monkeypatch.setattr(tables, "BANDS", (*SMALL, FOURTH))
    inputs = {"lines": l2_kit.DATA, "ckd": tmp_path, "particles": l2_kit.PARTICLES}
    for key in ("partition_sums", "solar_lines", "solar_continuum", "cia"):
        suffix = {"cia": "_v1", "solar_lines": "_v1"}.get(key, "")
        inputs[key] = l2_kit.DATA / f"{key}{suffix}.csv"
    bad = tmp_path / "bad.par" if name == "lines" else tmp_path / "bad.csv"
    bad.write_text(BROKEN[name][n], encoding="latin-1")
    inputs[name] = tmp_path if name == "lines" else bad
    with pytest.raises(BadInput, match="expected"):
        auxiliary.load(Order(tmp_path, inputs))
