"""A scenario whose CO2 comes from a file: found beside it, hashed with it, refused when it does not fit."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml

from twin import provenance, scenario, worker
from twin.errors import BadInput

TEXT = """\
# Does CO2 of a file pass through?
name: filed
start: 2026-07-01T20:40:00Z
observation: {mode: nadir, soundings: 3, start_latitude: 22 degree}
truth: {co2: file, co2_file: {path: fields/xco2.nc, layout: oco2_geos}}
requirements:
  - {figure: packets_unaccounted, at_most: 0}
"""


@pytest.fixture
def filed(tmp_path) -> Path:
    """Write the scenario and a day of XCO2 in a folder beside it."""
    (tmp_path / "fields").mkdir()
    write_field(tmp_path, "2026-07-01T12:00:00")
    path = tmp_path / "filed.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def write_field(folder: Path, day: str, ppm: float = 421.0) -> None:
    grid = {"lat": np.arange(-90.0, 91.0, 30.0), "lon": np.arange(-180.0, 180.0, 30.0)}
    data = xr.Dataset(
        {"XCO2": (("time", "lat", "lon"), np.full((1, 7, 12), ppm))},
        {"time": np.array([day], dtype="datetime64[ns]"), **grid},
    )
    data["XCO2"].attrs["units"] = "ppm"
    data.to_netcdf(folder / "fields" / "xco2.nc")


def test_the_path_is_read_from_the_folder_of_the_scenario(filed, monkeypatch):
    monkeypatch.chdir("/")
    found = scenario.load(filed).truth.co2_file.path
    assert found == str(filed.parent / "fields" / "xco2.nc")
    filed.write_text(TEXT.replace("fields/xco2.nc", found))
    assert scenario.load(filed).truth.co2_file.path == found


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("xco2.nc", "none.nc", "F:5:31: truth.co2_file.path: expected a.* file, .*none.nc"),
        ("oco2_geos", "wrf", "F:5:53: truth.co2_file.layout: expected 'cams', .*, got 'wrf'"),
        (
            ", co2_file: {path: fields/xco2.nc, layout: oco2_geos}",
            "",
            "F:5:1: truth: expected co2_file with path and layout for co2: file, got none",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(filed, was, now, said):
    filed.write_text(TEXT.replace(was, now))
    with pytest.raises(BadInput, match=said.replace("F:", f"{filed}:")):
        scenario.load(filed)


def test_the_hash_follows_the_contents_of_the_file(filed):
    first = provenance.run_hash(scenario.load(filed))
    write_field(filed.parent, "2026-07-01T12:00:00", 422.0)
    assert provenance.run_hash(scenario.load(filed)) != first


def test_a_file_of_another_day_is_bad_input(filed, tmp_path, monkeypatch, capsys):
    """The task ends with exit code 2 and a line that names file, time wanted and times found."""
    write_field(filed.parent, "2026-08-01T12:00:00")
    run = tmp_path / "run"
    run.mkdir()
    monkeypatch.chdir(run)
    Path("scenario.json").write_text(scenario.dump(scenario.load(filed)))
    order = {"granules": [["", 0]], "outputs": ["truth/scene_{:04d}.nc"], "tables": str(tmp_path)}
    Path("job.yaml").write_text(yaml.safe_dump(order))
    assert worker.main(["orbit", "job.yaml"]) == 0
    assert json.loads(Path("granules.json").read_text())["granules"][0]["start_unix_s"]
    assert worker.main(["truth", "job.yaml"]) == 2
    said = capsys.readouterr().err
    assert "truth.co2_file: " in said
    assert "expected a file that holds 2026-07-01T20:40:0" in said
    assert "found times 2026-08-01T12:00:00Z to 2026-08-01T12:00:00Z" in said
