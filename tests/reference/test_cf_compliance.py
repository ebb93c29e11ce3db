"""Products of every level as another program judges them: compliance-checker, CF 1.11, all priorities."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from processors import products

LEVELS = ("l0", "l1a", "l1b", "l2", "prior")
SIZES = {"vertex": 4, "band": 4, "spectel": 1024, "level": 20}
CHECK = "cf:1.11"
CHECKER = Path(sysconfig.get_path("scripts")) / "compliance-checker"


def plausible(level: str) -> dict[str, np.ndarray]:
    """Fill the level's table: the middle of the valid range, else the first flag, else one."""
    variables = {}
    for name, row in products.table(level)["variables"].items():
        value = np.mean(row["valid_range"]) if "valid_range" in row else row.get("flag_values", [1])[0]
        variables[name] = np.full([SIZES.get(dimension, 3) for dimension in row["dims"]], value)
    if "time" in variables:
        variables["time"] = 1_780_000_000.0 + np.arange(3)
    for name in {"vertex_latitude", "vertex_longitude"} & set(variables):
        variables[name] = variables[name.removeprefix("vertex_")][:, None] + [-0.1, -0.1, 0.1, 0.1]
    return variables


def verdicts(files: list[Path], folder: Path) -> dict[str, dict]:
    """Run the checker once over all files; key its judgement by file stem."""
    report = folder / "report.json"
    command = [sys.executable, "-W", "ignore", str(CHECKER), "--test", CHECK, "--criteria", "strict"]
    done = subprocess.run(
        [*command, "-f", "json_new", "-o", str(report), *map(str, files)], capture_output=True, text=True
    )
    assert report.exists(), done.stderr
    return {Path(name).stem: verdict[CHECK] for name, verdict in json.loads(report.read_text()).items()}


def complaints(verdict: dict) -> list[str]:
    return [
        f"{check['name']}: {said}"
        for priority in ("high_priorities", "medium_priorities", "low_priorities")
        for check in verdict[priority]
        for said in check["msgs"]
    ]


@pytest.fixture(scope="module")
def judged(tmp_path_factory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("cf")
    for level in LEVELS:
        products.write(
            folder / f"{level}.nc", level, plausible(level), {"ckd_id": "c", "scenario_hash": "s"}, ["p.nc"]
        )
    products.write(folder / "spoilt.nc", "prior", plausible("prior"), {})
    with netCDF4.Dataset(folder / "spoilt.nc", "a") as dataset:
        dataset["temperature"].units = "furlong"
        dataset["wind_speed"].standard_name = "windiness"
    return verdicts(sorted(folder.glob("*.nc")), folder)


@pytest.mark.parametrize("level", LEVELS)
def test_product_is_clean(judged, level):
    assert complaints(judged[level]) == []
    assert judged[level]["possible_points"] > 0


def test_checker_sees_a_spoilt_product(judged):
    said = " ".join(complaints(judged["spoilt"]))
    assert "furlong" in said
    assert "windiness" in said
