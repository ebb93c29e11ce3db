"""Line sources: package data, the user's directory, a download; what each records and refuses."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from truth.spectroscopy import sources
from truth.spectroscopy.absorber import MOLAR_MASS_G, WING_CM1, LineAbsorber
from truth.spectroscopy.grid import BANDS
from truth.spectroscopy.lines import ISOTOPOLOGUES, read_lines
from truth.spectroscopy.partition import PartitionSums

DATA = Path(__file__).parents[3] / "truth" / "data"
CO2 = next(line for line in (DATA / "lines_v1.par").read_text().splitlines() if line.startswith(" 21"))
one_part_in_1e3 = 1e-3


def test_the_own_list_is_package_data():
    source = sources.open_source("lines-v1")
    assert source.attributes == {
        "line_source": "lines-v1",
        "line_files": "h2o_hitran2012.par lines_v1.par",
        "line_list_sha256": read_lines(DATA).sha256,
        "line_records_skipped": 0,
    }


def test_a_directory_may_hold_other_molecules_and_all_isotopologues(tmp_path):
    methane = " 6" + CO2[2:]
    all_of_co2 = [CO2[:2] + code + CO2[3:] for code in ISOTOPOLOGUES]
    (tmp_path / "a.par").write_text("\n".join([methane, *all_of_co2]) + "\n")
    (tmp_path / "b.par").write_text(methane + "\r\n")
    source = sources.open_source(str(tmp_path))
    assert source.skipped == source.attributes["line_records_skipped"] == 2
    assert len(source.records["CO2"]) == len(ISOTOPOLOGUES) == 12
    nu = np.linspace(-0.1, 0.1, 41) + float(CO2[3:15])
    sums = PartitionSums(DATA / "partition_sums.csv")
    assert np.all(LineAbsorber(source, "CO2", sums).cross_section(nu, 250.0, 5e4) > 0.0)


def test_the_character_of_an_isotopologue_is_read_as_hitran_means_it(tmp_path):
    """Twelve copies of a line differ by partition sum and mass alone: the absorber must take each its own."""
    sums = PartitionSums(DATA / "partition_sums.csv")
    nu0, high_k = float(CO2[3:15]), 320.0
    nu = nu0 + np.linspace(-1.0, 1.0, 4001)
    for code, number in ISOTOPOLOGUES.items():
        (tmp_path / "one.par").write_text(CO2[:2] + code + CO2[3:] + "\n")
        absorber = LineAbsorber(read_lines(tmp_path), "CO2", sums)
        area = [absorber.cross_section(nu, t, 100.0)[0].sum() for t in (296.0, high_k)]
        lower = float(CO2[45:55])
        boltzmann = np.exp(-1.438776877 * lower * (1.0 / high_k - 1.0 / 296.0))
        expected = boltzmann * sums(2, number, 296.0) / sums(2, number, high_k)
        assert area[1] / area[0] == pytest.approx(expected, rel=one_part_in_1e3)
        assert (2, number) in MOLAR_MASS_G


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (CO2[:-1], "expected 160 characters, got 159"),
        ("CO" + CO2[2:], "expected a molecule number in columns 1-2, got 'CO'"),
        (CO2[:2] + "x" + CO2[3:], "expected an isotopologue of 1234567890AB in column 3, got 'x'"),
        (CO2[:15] + "      none" + CO2[25:], "expected a number as intensity in columns 16-25"),
        (CO2[:35] + "  nan" + CO2[40:], "expected a number as air width in columns 36-40"),
    ],
)
def test_a_malformed_record_is_told_with_its_line(tmp_path, record, said):
    (tmp_path / "mine.par").write_text(f"{CO2}\n{record}\n")
    with pytest.raises(ValueError, match=rf"mine\.par:2: {said}"):
        read_lines(tmp_path)


def test_a_file_that_is_no_text_is_told_with_its_line(tmp_path):
    (tmp_path / "mine.par").write_bytes(f"{CO2}\n".encode() + b"\xff" * 160)
    with pytest.raises(ValueError, match=r"mine\.par:2: expected ASCII text, got byte 0xff"):
        read_lines(tmp_path)


def test_a_name_that_is_no_source_is_told(tmp_path):
    with pytest.raises(ValueError, match="expected lines-v1, hapi or a directory"):
        sources.open_source(str(tmp_path / "none"))


class Hapi(ModuleType):
    """Enough of the package to download from; it talks as the real one does."""

    def __init__(self, record: str = CO2, failure: Exception | None = None):
        super().__init__("hapi")
        print("HAPI version 0")
        self.ISO = {(m, i): (100 * m + i,) for m, n in ((1, 7), (2, 12), (7, 3)) for i in range(1, n + 1)}
        self.record, self.failure, self.asked = record, failure, []

    def db_begin(self, folder):
        self.folder = folder

    def fetch_by_ids(self, table, identifiers, low, high):
        print("BEGIN DOWNLOAD")
        if self.failure:
            raise self.failure
        self.asked.append((tuple(identifiers), low, high))
        Path(self.folder, f"{table}.data").write_text(self.record + "\n")


def test_hapi_downloads_once_and_keeps_stdout_clean(tmp_path, monkeypatch, capsys):
    module = Hapi()
    capsys.readouterr()
    monkeypatch.setitem(sys.modules, "hapi", module)
    cache = tmp_path / "cache"
    folder = sources.directory("hapi", cache)
    assert len(read_lines(folder).records["CO2"]) == 9  # a fake record in each file
    assert len(module.asked) == 9
    assert (tuple(range(201, 213)), 6140.0, 6300.0) in module.asked
    module.failure = OSError("no network")
    assert sources.directory("hapi", cache) == folder
    assert capsys.readouterr().out == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "cache.lock"]


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (None, "the package hitran-api is not installed"),
        (Hapi(failure=NameError("GLOBAL_HOST")), "the download of H2O failed"),
        (Hapi(record="<html>no"), "expected 160 characters"),
    ],
)
def test_without_network_or_package_one_error_says_what_to_do(tmp_path, monkeypatch, module, said):
    monkeypatch.setitem(sys.modules, "hapi", module)
    with pytest.raises(ValueError, match=said) as caught:
        sources.directory("hapi", tmp_path / "cache")
    assert "pip install hitran-api" in str(caught.value)
    assert not (tmp_path / "cache").exists()


def test_windows_hold_every_line_the_bands_and_the_airglow_need():
    for band in BANDS:
        low, high = band.wavenumber_cm1[[0, -1]] + (-WING_CM1, WING_CM1)
        assert any(a <= low and high <= b for a, b in sources.WINDOWS_CM1["H2O"]), band.name
