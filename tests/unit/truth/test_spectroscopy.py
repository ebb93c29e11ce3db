"""Cross-sections, continua and their tables against other packages and closed forms."""

import contextlib
import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from truth.spectroscopy import tables
from truth.spectroscopy.absorber import MOLAR_MASS_G, LineAbsorber
from truth.spectroscopy.continuum import cia_coefficient, read_cia
from truth.spectroscopy.grid import BANDS, Band
from truth.spectroscopy.lines import read_lines
from truth.spectroscopy.partition import PartitionSums

DATA = Path(__file__).parents[3] / "truth" / "data"
PARTITION_SUMS = DATA / "partition_sums.csv"
NARROW = Band("B2", 1602.0, 1603.0, 0.1, 0.0075)  # a small grid keeps the builds short
two_parts_in_1e6 = 2e-6
one_part_in_1e4 = 1e-4
three_percent = 0.03


@pytest.fixture(scope="module")
def hapi():
    with contextlib.redirect_stdout(io.StringIO()):
        return pytest.importorskip("hapi")


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr(tables, "BANDS", (NARROW,))
    return NARROW


def test_partition_sums_agree_with_hapi_between_the_nodes(hapi):
    sums = PartitionSums(PARTITION_SUMS)
    for molecule, isotopologue in MOLAR_MASS_G:
        for temperature_k in (101.3, 187.7, 251.1, 296.0, 399.0):
            expected = hapi.partitionSum(molecule, isotopologue, temperature_k)
            assert sums(molecule, isotopologue, temperature_k) == pytest.approx(
                expected, rel=two_parts_in_1e6
            )


def test_molar_masses_agree_with_hapi(hapi):
    for key, mass_g in MOLAR_MASS_G.items():
        assert mass_g == pytest.approx(hapi.molecularMass(*key), rel=two_parts_in_1e6)


def test_partition_sums_refuse_what_the_table_lacks():
    sums = PartitionSums(PARTITION_SUMS)
    assert sums(2, 1, 100.0) > 0.0
    assert sums(2, 1, 400.0) > 0.0
    for temperature_k in (99.9, 400.1):
        with pytest.raises(ValueError, match="within the partition sum table"):
            sums(2, 1, temperature_k)
    with pytest.raises(ValueError, match="molecule 2 isotopologue 13"):
        sums(2, 13, 296.0)


def test_line_source_records_its_origin(tmp_path):
    source = read_lines(DATA)
    assert source.files == ("h2o_hitran2012.par", "lines_v1.par")
    assert sum(map(len, source.records.values())) == 3477  # PHYSICS section 1
    shutil.copy(DATA / "lines_v1.par", tmp_path / "mine.par")
    alone = read_lines(tmp_path)
    assert alone.sha256 != source.sha256
    assert alone.records["O2"] == source.records["O2"]
    assert alone.records["H2O"] == ()


def test_line_source_explains_bad_files(tmp_path):
    with pytest.raises(ValueError, match="expected at least one"):
        read_lines(tmp_path)
    (tmp_path / "short.par").write_text((DATA / "lines_v1.par").read_text()[:161] + "x" * 159 + "\n")
    with pytest.raises(ValueError, match=r"short\.par:2: expected 160 characters, got 159"):
        read_lines(tmp_path)


def test_cia_at_13060_has_the_published_value():
    """Tran and Hartmann: 1.57e-8 cm-1 amagat-2 at 13060 cm-1."""
    loschmidt_m3 = 2.686780111e25  # CODATA 2018
    terms = read_cia(DATA / "cia_v1.csv")
    per_cm = cia_coefficient(terms["B1"], np.array([13060.0]))[0] * loschmidt_m3**2 / 100.0
    assert per_cm == pytest.approx(1.57e-8, rel=three_percent)


def test_cia_peaks():
    terms = read_cia(DATA / "cia_v1.csv")
    assert set(terms) == {"B1", "B4"}
    assert terms["B1"].shape == terms["B4"].shape == (3, 4)
    ratio = (
        cia_coefficient(terms["B4"], np.linspace(7800, 8000, 2001)).max()
        / cia_coefficient(terms["B1"], np.linspace(13000, 13200, 2001)).max()
    )
    assert ratio == pytest.approx(1.17e-7 / 2.808e-8, rel=three_percent)


def test_grid_covers_the_bands_with_margin_and_avoids_round_numbers():
    margin_nm = {"B1": 0.35, "B2": 0.7, "B3": 0.9, "B4": 0.55}
    assert [band.name for band in BANDS] == ["B1", "B2", "B3", "B4"]
    for band in BANDS:
        nu = band.wavenumber_cm1
        assert np.all(np.diff(nu) > 0.0)
        assert np.diff(nu).max() <= 0.01 + 1e-9
        assert 1e7 / nu[-1] <= band.shortest_nm - margin_nm[band.name]
        assert 1e7 / nu[0] >= band.longest_nm + margin_nm[band.name]
        assert abs(nu[0] * 1000 - round(nu[0] * 1000)) > 0.1


@pytest.mark.parametrize("gas", ["CO2", "H2O"])
def test_interpolated_transmittance_matches_direct_computation(tmp_path, monkeypatch, gas):
    """A slant path (air mass 2.5) between the nodes where it is worst: strong CO2, a hot water line.

    Over all bands and gases, air masses 1 to 6 and profiles up to 22 K colder the largest error is 6e-5.
    """
    monkeypatch.setattr(tables, "BANDS", (Band("B3", 2030.0, 2036.0, 0.1, 0.006),))
    table = tables.prepare(tmp_path, read_lines(DATA), PARTITION_SUMS)["B3"]
    edges_pa = np.concatenate(([5.0], np.geomspace(12.0, 2e4, 25), np.linspace(2.5e4, 101_300.0, 30)))
    pressure_pa = (edges_pa[1:] + edges_pa[:-1]) / 2.0
    temperature_k = 213.0 + 78.0 * (pressure_pa / 101_300.0) ** 0.5
    mole_fraction = {"CO2": 420e-6, "H2O": 0.012 * (pressure_pa / 101_300.0) ** 3}[gas]
    column_m2 = mole_fraction * np.diff(edges_pa) / 9.81 / 4.81e-26
    direct = LineAbsorber(read_lines(DATA), gas, PartitionSums(PARTITION_SUMS)).cross_section(
        table.wavenumber_cm1, temperature_k, pressure_pa
    )
    tabulated = table.optical_depth(gas, (pressure_pa, temperature_k, column_m2)).sum(axis=0)
    error = np.exp(-2.5 * tabulated) - np.exp(-2.5 * (direct * column_m2[:, None]).sum(axis=0))
    assert np.abs(error).max() < one_part_in_1e4


def test_grid_samples_the_narrowest_lines_finely_enough():
    """Strong CO2, air mass 2.5, seen through a Gaussian response of 0.0787 nm."""
    source, sums = read_lines(DATA), PartitionSums(PARTITION_SUMS)
    absorber = LineAbsorber(source, "CO2", sums)
    edges_pa = np.concatenate(([5.0], np.geomspace(50.0, 2e4, 14), np.linspace(3e4, 101_300.0, 8)))
    pressure_pa = (edges_pa[1:] + edges_pa[:-1]) / 2.0
    temperature_k = 213.0 + 78.0 * (pressure_pa / 101_300.0) ** 0.5
    column_m2 = 420e-6 * np.diff(edges_pa) / 9.81 / 4.81e-26
    centre_nm = np.linspace(2034.0, 2036.0, 80)
    seen = []
    for spacing_cm1 in (BANDS[2].spacing_cm1, 0.001):
        nu = np.arange(1e7 / 2036.5, 1e7 / 2033.5, spacing_cm1)
        depth = column_m2 @ absorber.cross_section(nu, temperature_k, pressure_pa)
        response = np.exp(-0.5 * ((1e7 / nu - centre_nm[:, None]) / (0.0787 / 2.3548)) ** 2) / nu**2
        seen.append(response @ np.exp(-2.5 * depth) / response.sum(axis=1))
    assert np.abs(seen[0] - seen[1]).max() < one_part_in_1e4 / 2.0


def test_tables_depend_on_the_lines(tmp_path, narrow):
    lines = tmp_path / "lines"
    lines.mkdir()
    text = (DATA / "lines_v1.par").read_text()
    (lines / "one.par").write_text(text)
    first = tables.prepare(tmp_path / "cache", lines, PARTITION_SUMS)["B2"]
    strongest = float(first.cross_section["CO2"].max())
    doubled = [line[:15] + f"{2 * float(line[15:25]):10.3E}" + line[25:] for line in text.splitlines()]
    (lines / "one.par").write_text("\n".join(doubled) + "\n")
    second = tables.prepare(tmp_path / "cache", lines, PARTITION_SUMS)["B2"]
    assert float(second.cross_section["CO2"].max()) == pytest.approx(2.0 * strongest, rel=1e-3)


BUILD = """
import sys
from truth.spectroscopy import tables
from truth.spectroscopy.grid import Band
tables.BANDS = (Band("B2", 1602.0, 1603.0, 0.1, 0.0075),)
table = tables.prepare(sys.argv[1], sys.argv[2], sys.argv[3])["B2"]
print(float(table.cross_section["CO2"].max()))
"""


def test_two_processes_share_one_build(tmp_path):
    command = [sys.executable, "-c", BUILD, str(tmp_path), str(DATA), str(PARTITION_SUMS)]
    made = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate(timeout=120)[0] for process in made]
    assert float(answers[0]) > 0.0
    assert answers[0] == answers[1]
    assert not list(tmp_path.glob("*.tmp"))
    assert len(list(tmp_path.glob("B2_CO2_*.npy"))) == 1


def test_tables_refuse_states_outside():
    inside = np.array([250.0])
    column = np.ones(1)
    tables.node_weights(np.array([tables.PRESSURE_PA[-1]]), inside, column)
    with pytest.raises(ValueError, match="the tables hold"):
        tables.node_weights(np.array([tables.PRESSURE_PA[-1] * 1.001]), inside, column)
    with pytest.raises(ValueError, match="the tables hold"):
        tables.node_weights(np.array([5e4]), np.array([tables.TEMPERATURE_K[-1] + 0.1]), column)


def test_node_weights_reproduce_a_cubic():
    pressure_pa, temperature_k = np.array([31.0, 5.5e4]), np.array([203.0, 288.0])
    weights = tables.node_weights(pressure_pa, temperature_k, np.array([1.0, 3.0]))
    log_p, t = np.log(tables.PRESSURE_PA)[:, None], tables.TEMPERATURE_K[None, :]
    cubic = (1.0 + 0.1 * log_p**3) * (2.0 - 1e-7 * t**3)
    expected = (1.0 + 0.1 * np.log(pressure_pa) ** 3) * (2.0 - 1e-7 * temperature_k**3) * (1.0, 3.0)
    np.testing.assert_allclose(weights @ cubic.ravel(), expected, rtol=one_part_in_1e4)
