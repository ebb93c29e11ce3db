"""What the ground is given of lines and continua: nature's own bytes, or with the errors of the scenario."""

from pathlib import Path

import numpy as np
import pytest

from processors.l2 import cia
from processors.l2 import lines as ground
from processors.l2.bands import BANDS
from truth.spectroscopy.lines import read_lines
from truth.spectroscopy.partition import PartitionSums
from twin import provenance, scenario, spectroscopy
from twin.errors import BadInput
from twin.scenario import Spectroscopy

DATA = Path(__file__).parents[3] / "truth" / "data"
EXACT = Spectroscopy()
five_digits, fourth_decimal, one_part_in_1e4 = 5e-5, 1e-4, 1e-4
TEXT = """\
# Whose lines?
name: lines
start: 2026-07-01T20:40:00Z
observation: {mode: nadir, soundings: 3, start_latitude: 22 degree}
truth: {lines: lists/mine}
spectroscopy: {co2_intensity: 0.7 %, o2_intensity: 0 %, width: 0.5 %, cia: true}
requirements:
  - {figure: packets_unaccounted, at_most: 0}
"""


def given(folder: Path, asked: Spectroscopy) -> dict[str, ground.LineList]:
    spectroscopy.write(folder, DATA, DATA, asked)
    return ground.read_lines(folder / "lines")


def test_nothing_asked_copies_every_byte(tmp_path):
    spectroscopy.write(tmp_path, DATA, DATA, EXACT)
    for path in DATA.glob("*.par"):
        assert (tmp_path / "lines" / path.name).read_bytes() == path.read_bytes()
    assert (tmp_path / "cia.csv").read_bytes() == (DATA / "cia_v1.csv").read_bytes()
    assert (tmp_path / "partition_sums.csv").read_bytes() == (DATA / "partition_sums.csv").read_bytes()
    assert ground.digest(tmp_path / "lines") == read_lines(DATA).sha256


def test_the_ground_reads_what_was_scaled_and_nothing_else_changed(tmp_path):
    asked = Spectroscopy(co2_intensity=0.007, o2_intensity=-0.002, width=0.005)
    before, after = ground.read_lines(DATA), given(tmp_path, asked)
    for gas, factor in (("CO2", 1.007), ("O2", 0.998), ("H2O", 1.0)):
        np.testing.assert_allclose(after[gas].strength, factor * before[gas].strength, rtol=five_digits)
        np.testing.assert_allclose(after[gas].gamma_air, 1.005 * before[gas].gamma_air, atol=fourth_decimal)
        mean = after[gas].gamma_air.mean() / before[gas].gamma_air.mean()
        assert mean == pytest.approx(1.005, rel=one_part_in_1e4)
        for name in ("isotopologue", "center_cm1", "lower_energy_cm1", "temperature_exponent", "shift"):
            np.testing.assert_array_equal(getattr(after[gas], name), getattr(before[gas], name))
    assert ground.digest(tmp_path / "lines") != read_lines(DATA).sha256
    assert (
        read_lines(tmp_path / "lines").records.keys() == read_lines(DATA).records.keys()
    )  # still whole records


@pytest.mark.parametrize("share", [-0.5, 0.5])
def test_the_layout_holds_at_the_largest_errors(tmp_path, share):
    asked = Spectroscopy(co2_intensity=share, o2_intensity=share, width=share)
    before, after = ground.read_lines(DATA), given(tmp_path, asked)
    for gas in before:
        np.testing.assert_allclose(
            after[gas].gamma_air, (1 + share) * before[gas].gamma_air, atol=fourth_decimal
        )
    assert len(read_lines(tmp_path / "lines").records["O2"]) == before["O2"].center_cm1.size


def test_records_keep_their_layout_to_the_last_column():
    record = next(r for r in (DATA / "lines_v1.par").read_text().splitlines() if r.startswith(" 2"))
    wide, methane = record[:35] + "0.900" + record[40:], " 6" + record[2:]
    asked = Spectroscopy(width=0.2, co2_intensity=0.01)
    first, second = spectroscopy.scaled(f"{wide}\n{methane}\n", asked).splitlines()
    assert (first[35:40], second) == ("1.080", methane)
    assert len(first) == 160
    weak = record[:15] + "1.000E-101" + record[25:]
    assert spectroscopy.scaled(weak, asked)[15:25] == "1.010E-101"


def test_without_continuum_the_ground_sees_none(tmp_path):
    given(tmp_path, Spectroscopy(cia=False))
    table = cia.read(tmp_path / "cia.csv")
    for band in BANDS:
        assert not cia.coefficient(table, band.name, band.wavenumber_cm1).any()


def test_every_isotopologue_of_a_real_list_is_known_to_both_sides(tmp_path):
    record = next(r for r in (DATA / "lines_v1.par").read_text().splitlines() if r.startswith(" 21"))
    codes = {" 1": "1234567", " 2": "1234567890AB", " 7": "123"}
    text = [number + code + record[3:] for number, all_of in codes.items() for code in all_of]
    (tmp_path / "all.par").write_text("\n".join([*text, " 61" + record[3:]]) + "\n")
    sums, theirs = PartitionSums(DATA / "partition_sums.csv"), ground.read_lines(tmp_path)
    table = ground.read_partition_sums(DATA / "partition_sums.csv")
    for gas, number, count in (("H2O", 1, 7), ("CO2", 2, 12), ("O2", 7, 3)):
        assert sorted(theirs[gas].isotopologue) == list(range(1, count + 1))
        for isotopologue in range(1, count + 1):
            assert sums(number, isotopologue, 251.0) > 1.0
            assert (gas, isotopologue) in table


def test_a_malformed_record_is_told_by_the_ground_with_its_line(tmp_path):
    record = (DATA / "lines_v1.par").read_text().splitlines()[0]
    (tmp_path / "bad.par").write_text(f"{record}\n{record[:30]}\n")
    with pytest.raises(ValueError, match=r"bad\.par:2: expected a 160-column line record"):
        ground.read_lines(tmp_path)


@pytest.fixture
def named(tmp_path) -> Path:
    """Write a scenario and the list it names from its own folder."""
    folder = tmp_path / "lists" / "mine"
    folder.mkdir(parents=True)
    (folder / "a.par").write_text((DATA / "lines_v1.par").read_text())
    path = tmp_path / "lines.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_list_is_found_from_the_scenario_s_folder_and_hashed_by_content(named, monkeypatch, tmp_path):
    monkeypatch.chdir("/")
    loaded = scenario.load(named)
    assert loaded.truth.lines == str(named.parent / "lists" / "mine")
    assert loaded.spectroscopy.model_dump() == pytest.approx(
        {"co2_intensity": 0.007, "o2_intensity": 0.0, "width": 0.005, "cia": True}
    )
    first = provenance.run_hash(loaded)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (named.parent / "lists").rename(moved / "lists")
    named.rename(moved / "lines.yaml")
    again = scenario.load(moved / "lines.yaml")
    assert provenance.run_hash(again) == first  # wherever it lies
    file = moved / "lists" / "mine" / "a.par"
    file.write_text(file.read_text().replace("2", "3", 1))
    assert provenance.run_hash(again) != first


def test_a_list_that_goes_bad_further_on_is_bad_input_before_the_run(named):
    with (named.parent / "lists" / "mine" / "a.par").open("a") as stream:
        stream.write("not a line\n")
    with pytest.raises(BadInput, match=r"a\.par:\d+: expected 160 characters, got 10"):
        provenance.run_hash(scenario.load(named))


def test_a_folder_without_lines_is_told_with_its_place(named):
    named.write_text(TEXT.replace("lists/mine", "lists/none"))
    with pytest.raises(BadInput, match=r"5:9: truth\.lines: expected lines-v1, hapi or a folder of \*\.par"):
        scenario.load(named)
