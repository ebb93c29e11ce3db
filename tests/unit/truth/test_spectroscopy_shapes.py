"""Line shapes: Voigt against w, mixing against the whole matrix, speed dependence against its mean."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import wofz

from truth.spectroscopy import mixing, tables
from truth.spectroscopy.absorber import WING_CM1, LineAbsorber
from truth.spectroscopy.grid import BANDS, Band
from truth.spectroscopy.lines import read_lines
from truth.spectroscopy.mixing import LineMixing
from truth.spectroscopy.parameters import REFERENCE_PRESSURE_PA, Parameters
from truth.spectroscopy.partition import PartitionSums
from truth.spectroscopy.speed import SpeedDependence, speed_dependent, speed_ratio, voigt
from truth.spectroscopy.tables import LineShape

DATA = Path(__file__).parents[3] / "truth" / "data"
T = np.array([296.0, 220.0])
one_part_in_1e4, one_part_in_1e5, one_part_in_1e6, rounding = 1e-4, 1e-5, 1e-6, 1e-12


@pytest.fixture(scope="module")
def sums():
    return PartitionSums(DATA / "partition_sums.csv")


@pytest.fixture(scope="module")
def oxygen():
    return Parameters.of("O2", read_lines(DATA).within("O2", *mixing.BAND_CM1))


@pytest.fixture(scope="module")
def main(oxygen):
    return oxygen.where(oxygen.isotopologue == 1)


def a_line(tmp_path, width: float) -> LineAbsorber:
    record = next(r for r in (DATA / "lines_v1.par").read_text().splitlines() if r.startswith(" 21"))
    record = (
        f"{record[:3]}{6230.00123:12.6f}{record[15:35]}{width:5.3f}{record[40:55]}0.00 .000000{record[67:]}"
    )
    (tmp_path / "one.par").write_text(record + "\n")
    return LineAbsorber(read_lines(tmp_path), "CO2", PartitionSums(DATA / "partition_sums.csv"))


@pytest.mark.parametrize("pressure_pa", [1.0, 1e2, 1e3, 1e4, 3e4, 1e5])
def test_voigt_of_the_absorber_is_the_real_part_of_w(tmp_path, pressure_pa):
    """One line, Lorentz over Doppler width from 1e-4 to 10, 24 cm-1 to each side.

    To 1e-4 of the local value from 1 kPa on; at 1 Pa it misses 1 % where the line is 1e-4 of its peak.
    """
    nu = np.concatenate((6230.0 + np.linspace(-24.0, 24.0, 4801), 6230.0 + np.linspace(-0.2, 0.2, 2001)))
    computed = a_line(tmp_path, 0.07).cross_section(np.sort(nu), 296.0, pressure_pa)[0]
    doppler = 6230.00123 * 4.301422e-7 * np.sqrt(296.0 / 43.98983)
    z = (np.sort(nu) - 6230.00123 + 0.07j * pressure_pa / 101_325.0) / doppler
    expected = wofz(z).real
    error = computed / computed.max() * expected.max() - expected
    assert np.abs(error).max() < one_part_in_1e5 * expected.max()
    if pressure_pa >= 1e3:
        assert np.abs(error / expected).max() < one_part_in_1e4


def test_levels_follow_from_positions_and_energies(main):
    """P lines from N'' = 1 and R lines to J' = 46, both spin components: every line finds its own place."""
    j_upper, branch, fits = mixing.levels(main)
    assert fits.all()
    assert set(branch) == {-2, -1, 1, 2}
    assert len(set(zip(j_upper, branch, strict=True))) == len(branch) == 75
    assert not np.any(j_upper % 2)
    p1p1 = np.argmin(np.abs(main.centre_cm1 - 13118.0447))  # P1P1, N'' = J'' = 1
    assert (j_upper[p1p1], branch[p1p1]) == (0, 1)


def test_hot_bands_and_other_lines_find_no_place(main):
    two = ([1, 1], [12990.0, 13100.0], [1e-26] * 2, [0.05] * 2, [1600.0, 12.0], [0.7] * 2, [0.0] * 2)
    strange = Parameters(main.number, *map(np.array, two))
    assert not mixing.levels(strange)[2].any()


def test_a_line_that_stands_twice_does_no_harm(main, sums):
    """Halves at one place mix with the rest as the whole did."""
    two = main.where(np.array([0, *range(75)]))
    strength = two.strength(T, sums)
    strength[:, :2] /= 2.0
    y = mixing.coefficients(two, strength, T)
    whole = mixing.coefficients(main, main.strength(T, sums), T)
    assert np.all(np.isfinite(y))
    np.testing.assert_allclose(y[:, 1:], whole, atol=0.05 * np.abs(whole).max())


@pytest.fixture
def rates(monkeypatch):
    """Keep the relaxation matrices that coefficients are made of."""
    kept = []
    monkeypatch.setattr(mixing, "relaxation", lambda *a, f=mixing.relaxation: kept.append(f(*a)) or kept[-1])
    return kept


def test_coefficients_obey_sum_rule_and_detailed_balance(main, sums, rates):
    strength, width = main.strength(T, sums), main.lorentz_cm1(REFERENCE_PRESSURE_PA, T)
    y = mixing.coefficients(main, strength, T)
    for s, g, each, matrix in zip(strength, width, y, rates, strict=True):
        assert abs(np.sum(s * each)) < rounding * np.sum(np.abs(s * each))
        np.testing.assert_allclose(matrix, matrix.T, rtol=rounding)
        np.testing.assert_allclose(matrix.sum(axis=1), s * g, rtol=rounding)
        assert matrix.min() == 0.0


def test_first_order_is_the_limit_of_the_whole_matrix(main, sums, rates):
    """Im of s^T [nu - nu0 - i p W]^-1 s, W symmetric, at rising pressure: the rest grows as its square."""
    s = main.strength(T[:1], sums)
    y = mixing.coefficients(main, s, T[:1])[0]
    root, gamma = np.sqrt(s[0]), main.lorentz_cm1(REFERENCE_PRESSURE_PA, T[:1])[0]
    matrix = np.diag(gamma) - rates[0] / np.outer(root, root)
    nu = np.arange(13050.0, 13190.0, 0.37)
    rest, effect = [], []
    for atm in (0.05, 0.1):
        x = nu[:, None] - main.centre_cm1
        lorentz = (s * gamma * atm / (x**2 + (gamma * atm) ** 2)).sum(axis=1)
        mixed = lorentz + (s * y * atm * x / (x**2 + (gamma * atm) ** 2)).sum(axis=1)
        resolvent = [np.linalg.solve(np.diag(v - main.centre_cm1) - 1j * atm * matrix, root) for v in nu]
        whole = np.imag(np.array(resolvent) @ root)
        rest.append(np.abs(mixed - whole) / lorentz)
        effect.append(np.abs(lorentz - whole) / lorentz)
    assert np.median(rest[1]) < 0.02 * np.median(effect[1])
    assert np.median(rest[1] / rest[0]) == pytest.approx(4.0, rel=0.1)


def slant(nu, cross_section_m2, pressure_pa):
    """Give the vertical optical depth of O2 in layers of equal pressure difference."""
    return 0.2095 * (101_325.0 / len(pressure_pa)) / 9.81 / 4.81e-26 * cross_section_m2.sum(axis=0)


@pytest.fixture(scope="module")
def column(oxygen, sums):
    """Wavenumber and vertical optical depth without and with mixing."""
    nu = np.arange(13001.0, 13193.0, 0.02)
    pressure_pa = (np.arange(12) + 0.5) / 12 * 101_325.0
    absorber = LineAbsorber(read_lines(DATA), "O2", sums)
    temperature_k = 217.0 + 75.0 * (pressure_pa / 1e5) ** 0.8
    plain = absorber.cross_section(nu, temperature_k, pressure_pa)
    added = np.zeros_like(plain)
    for i, t in enumerate(temperature_k):
        LineMixing(oxygen, sums, np.array([t]), WING_CM1).add(added[i : i + 1], nu, pressure_pa[i])
    return nu, slant(nu, plain, pressure_pa), slant(nu, plain + 1e-4 * added, pressure_pa)


def test_mixing_changes_the_transmittance_as_published(column):
    """Published: up to 0.07; here 0.057 at air mass 2.5 and 0.064 at 3, beyond the head, where it reduces."""
    nu, plain, mixed = column
    change = {m: np.exp(-m * mixed) - np.exp(-m * plain) for m in (2.5, 3.0)}
    assert change[2.5].max() == pytest.approx(0.058, abs=0.01)
    assert 0.05 < np.abs(change[3.0]).max() < 0.09
    assert 13160.0 < nu[np.argmax(change[3.0])] < 13170.0
    assert change[3.0].min() > -0.04


def test_mixing_never_leaves_negative_absorption(column):
    nu, _, mixed = column
    assert mixed.min() > 0.0
    assert mixed[nu > 13185.0].max() < 1e-3  # 20 cm-1 beyond the head nothing is left of the band


@pytest.mark.parametrize(("gamma0", "doppler"), [(0.05, 0.015), (0.003, 0.006), (5e-4, 0.006)])
def test_speed_dependence_is_the_mean_over_the_speeds(gamma0, doppler):
    """Boone's closed form against the Maxwell average of the Lorentz lines, angle done by hand."""
    gamma2 = 0.1 * gamma0
    u = np.linspace(5e-4, 6.5, 4000)
    width = gamma0 + gamma2 * (u**2 - 1.5)
    for x in (0.0, doppler, 3.0 * (gamma0 + doppler)):
        angle = (np.arctan((x + doppler * u) / width) - np.arctan((x - doppler * u) / width)) / (doppler * u)
        mean = np.trapezoid(2.0 * np.pi**-1.5 * u**2 * np.exp(-(u**2)) * angle, u)
        closed = speed_dependent(np.array([x]), gamma0, gamma2, doppler)[0]
        assert closed == pytest.approx(mean, rel=one_part_in_1e6)


def test_speed_dependence_keeps_the_area_and_raises_the_centre():
    x = np.linspace(-6.0, 6.0, 120_001)
    change = speed_dependent(x, 0.05, 0.005, 0.015) - voigt(x, 0.05, 0.015)
    assert abs(change.sum() * (x[1] - x[0])) < one_part_in_1e6
    assert change[60_000] / voigt(x, 0.05, 0.015)[60_000] == pytest.approx(0.0193, abs=0.001)


def test_speed_ratio_is_that_of_the_dispersion_force():
    """d ln k / d v^2 of a rate that grows as the 3/5 power of the root mean square relative speed."""
    for mass, expected in ((43.98983, 0.079), (31.98983, 0.095), (18.010565, 0.123)):
        lighter = (
            mass / 28.9647
        )  # mean square speed of the partner over the absorber's, 3/2 in units of v_p^2
        rate = lambda u2, lighter=lighter: (u2 + 1.5 * lighter) ** 0.3  # noqa: E731
        slope = (rate(1.5 + 1e-5) - rate(1.5 - 1e-5)) / 2e-5 / rate(1.5)
        assert speed_ratio(mass) == pytest.approx(slope, rel=one_part_in_1e6)
        assert speed_ratio(mass) == pytest.approx(expected, abs=5e-4)


def test_what_is_left_out_beyond_the_reach_is_small(sums):
    """Strong CO2, the whole grid instead of the reach, relative to the strongest absorption."""
    lines = Parameters.of("CO2", read_lines(DATA).within("CO2", 4880.0, 4884.0))
    nu = np.arange(4879.0, 4885.0, 0.006)
    got, every = np.zeros((2, nu.size)), np.zeros((2, nu.size))
    SpeedDependence(lines, sums, T).add(got, nu, 5e4)
    gamma, doppler, strength = lines.lorentz_cm1(5e4, T), lines.doppler_cm1(T), lines.strength(T, sums)
    ratio = speed_ratio(lines.mass_g)
    for n, centre in enumerate(lines.shifted_cm1(5e4)):
        g, d = gamma[:, n, None], doppler[:, n, None]
        change = speed_dependent(nu - centre, g, ratio[n] * g, d) - voigt(nu - centre, g, d)
        every += strength[:, n, None] * change
    assert np.abs(got - every).max() < one_part_in_1e4 * np.abs(every).max()


def test_shapes_have_tables_of_their_own(tmp_path, monkeypatch):
    """Options enter the key; mixing touches the A band's oxygen alone and leaves nothing negative."""
    monkeypatch.setattr(
        tables, "BANDS", (Band("B1", 759.6, 759.8, 0.1, 0.05), Band("B2", 1602.0, 1602.2, 0.1, 0.05))
    )
    source, sums_path = read_lines(DATA), DATA / "partition_sums.csv"
    shapes = {name: LineShape(**{name: True}) for name in ("line_mixing", "speed_dependence")}
    plain = tables.prepare(tmp_path, source, sums_path)
    other = {name: tables.prepare(tmp_path, source, sums_path, shape) for name, shape in shapes.items()}
    assert len(list(tmp_path.glob("B1_O2_*.npy"))) == 3
    mixed = other["line_mixing"]
    np.testing.assert_array_equal(mixed["B2"].cross_section["CO2"], plain["B2"].cross_section["CO2"])
    np.testing.assert_array_equal(mixed["B1"].cross_section["H2O"], plain["B1"].cross_section["H2O"])
    ratio = mixed["B1"].cross_section["O2"][-1] / plain["B1"].cross_section["O2"][-1]
    assert np.abs(ratio - 1.0).max() > 0.01
    assert mixed["B1"].cross_section["O2"].min() > 0.0
    faster = other["speed_dependence"]["B2"].cross_section["CO2"][-1] / plain["B2"].cross_section["CO2"][-1]
    assert 0.002 < faster.max() - 1.0 < 0.03  # the grid seldom meets a centre
    assert BANDS[0].wavenumber_cm1[-1] < 13220.0
