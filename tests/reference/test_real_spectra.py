"""Real spectra of a satellite and of the Sun seen from the ground, fitted by the retrieval's forward model.

Rationale: what agrees with itself may still be far from nature; spectra that were measured are the judge.
Setup: files of the user, named by environment variables, since none may be passed on here:
  CO2_TWIN_OCO2_L1B, CO2_TWIN_OCO2_MET      L1bSc and L2Met HDF5; CO2_TWIN_OCO2_SOUNDING a clear sounding_id
  CO2_TWIN_SUN_SPECTRUM, CO2_TWIN_SUN_ATMOSPHERE   see processors/l2/observed; CO2_TWIN_SUN_SZA in degrees;
  CO2_TWIN_SUN_WINDOW a window, B2:6200-6235 unless told; CO2_TWIN_SPECTRA_OUT a folder for the pictures
Expected behaviour: the fit converges; XCO2 is one of our time; columns are those of the atmosphere within the
few per cent at which lines-v1 was held against a real spectrum; residuals stay at what missing lines leave.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from processors.l2.observed.__main__ import main

ROOT = Path(__file__).parents[2]
AUX = {
    "partition_sums.csv": "partition_sums.csv",
    "cia_v1.csv": "cia.csv",
    "solar_lines_v1.csv": "solar_lines.csv",
    "solar_continuum.csv": "solar_continuum.csv",
}
of_our_time_ppm = (385.0, 450.0)
few_per_cent = 0.06
missing_lines_percent = 3.0


@pytest.fixture(scope="module")
def aux(tmp_path_factory):
    """The aux/ folder of a run."""
    to, data = tmp_path_factory.mktemp("real") / "aux", ROOT / "truth" / "data"
    (to / "lines").mkdir(parents=True)
    for path in data.glob("*.par"):
        shutil.copy(path, to / "lines")
    for source, name in AUX.items():
        shutil.copy(data / source, to / name)
    shutil.copy(ROOT / "twin" / "data" / "particles.csv", to)
    return to


def given(*names):
    """Give the values of environment variables, or skip."""
    missing = [name for name in names if name not in os.environ]
    if missing:
        pytest.skip(f"no file of the user: set {', '.join(missing)}")
    return [os.environ[name] for name in names]


def picture(tmp_path, name):
    return str(Path(os.environ.get("CO2_TWIN_SPECTRA_OUT", tmp_path)) / name)


def test_an_oco2_sounding_is_fitted(aux, tmp_path, capsys):
    names = ("CO2_TWIN_OCO2_L1B", "CO2_TWIN_OCO2_MET", "CO2_TWIN_OCO2_SOUNDING")
    l1b, met, number = given(*names)
    words = ["oco2", l1b, met, "--sounding", number, "--aux", str(aux), "--cache", str(tmp_path)]
    code = main([*words, "--out", picture(tmp_path, "oco2.png")])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    found = json.loads(printed.out)
    assert found["converged"]
    assert of_our_time_ppm[0] < found["xco2_ppm"] < of_our_time_ppm[1]
    for band in found["bands"].values():
        assert band["residual_rms_percent"] < missing_lines_percent


def test_a_spectrum_of_the_sun_is_fitted(aux, tmp_path, capsys):
    names = ("CO2_TWIN_SUN_SPECTRUM", "CO2_TWIN_SUN_ATMOSPHERE", "CO2_TWIN_SUN_SZA")
    spectrum, atmosphere, sza_deg = given(*names)
    window = os.environ.get("CO2_TWIN_SUN_WINDOW", "B2:6200-6235")
    words = ["sun", spectrum, atmosphere, "--sza", sza_deg, "--window", window, "--aux", str(aux)]
    code = main([*words, "--out", picture(tmp_path, "sun.png")])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    (found,) = json.loads(printed.out)["windows"]
    assert found["converged"]
    assert found["column_scale"] == pytest.approx(1.0, abs=few_per_cent)
    assert found["residual_rms_percent"] < missing_lines_percent
