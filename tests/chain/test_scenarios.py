"""Every shipped scenario, run as a user runs it, with few soundings.

Rationale: the pieces are proven alone elsewhere; here the one command must carry data through all of them.
Setup: `python -m twin run SCENARIO --soundings 3` for each file of scenarios/, in one folder of runs.
Expected behaviour: exit code 0 or 1 as the printed table says, every product there, every packet accounted
for, no sounding lost; the same again, with another number of workers, gives the same bytes and values.
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from twin.scenario import load

FOLDER = Path(__file__).parents[2] / "scenarios"
# missions and faults have tests of their own
SCENARIOS = [p for p in sorted(FOLDER.glob("*.yaml")) if not (load(p).faults or load(p).mission)]
SOUNDINGS = 3
LIMIT_S = 900  # s, of one run on a busy machine
two_gigabytes = 2048.0  # MB, the most a program may take
three_tenths_of_a_percent_ppm = (0.9, 1.6)  # ppm that 0.3 % of CO2 intensity makes of some 425 ppm
STAGES = (
    *("orbit", "events", "truth", "instrument", "telemetry", "auxiliary"),
    *("install_l0", "l0", "l1a", "l1b", "install_l2", "l2", "ground", "verify", "report"),
)
LEFT = (
    *("scenario.yaml", "geometry.nc", "events.csv", "ledger.sqlite", "truth.nc", "ckd.nc", "prior.nc"),
    *("l0_stream/pass_0001_vc1.cadu", "l0_stream/pass_0001_vc2.cadu", "l0_stream/pass_0001.json"),
    *("sent_packets.csv", "verdict.json", "report.html", "aux/lines/lines_v1.par", "aux/cia.csv"),
)


@dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str
    directory: Path

    def verdict(self) -> dict:
        return json.loads((self.directory / "verdict.json").read_text())


def twin(runs: Path, scenario: Path, *options: str) -> Outcome:
    command = [sys.executable, "-m", "twin", "run", str(scenario), "--runs", str(runs), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    made = list(runs.glob(f"{scenario.stem}-*/scenario.json"))  # written anew by every run
    assert made, done.stderr
    newest = max(made, key=lambda path: path.stat().st_mtime_ns).parent
    return Outcome(done.returncode, done.stdout, done.stderr, newest)


@pytest.fixture(scope="module")
def runs(new_runs) -> Path:
    return new_runs()


@pytest.fixture(scope="module")
def coming(request, runs) -> Iterator[dict[Path, Future]]:
    """The scenarios that the chosen tests ask for, several at once: few soundings keep one core each."""
    calls = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    asked = dict.fromkeys(call["outcome"] for call in calls if "outcome" in call)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {path: pool.submit(twin, runs, path, "--soundings", str(SOUNDINGS)) for path in asked}


@pytest.fixture(scope="module", params=SCENARIOS, ids=lambda path: path.stem)
def outcome(request, coming) -> Outcome:
    return coming[request.param].result()


@pytest.fixture(scope="module")
def twice(runs, coming, new_runs) -> tuple[Outcome, Outcome]:
    """The same scenario in two folders, with two workers and with one."""
    scenario = next(path for path in SCENARIOS if path.stem == "sunglint_ocean")
    options = ("--soundings", str(SOUNDINGS))
    if scenario in coming:
        coming[scenario].result()  # a folder takes one run at a time
    first = twin(runs, scenario, *options, "--workers", "2")
    return first, twin(new_runs(), scenario, *options, "--workers", "1")


def products(directory: Path, level: str) -> list[Path]:
    return sorted((directory / level).glob("*.nc"))


def test_the_exit_code_is_that_of_the_printed_table(outcome):
    assert outcome.code in (0, 1), outcome.stderr
    rows = outcome.verdict()["requirements"]
    assert outcome.code == (0 if all(row["holds"] for row in rows) else 1)
    lines = outcome.stdout.splitlines()
    assert [line.split()[0] for line in lines[1 : len(rows) + 1]] == [row["figure"] for row in rows]
    assert str(outcome.directory / "report.html") in outcome.stdout


def test_progress_goes_to_stderr_stage_by_stage(outcome):
    told = [line.split()[0] for line in outcome.stderr.splitlines()]
    assert [word for word in told if word in STAGES] == list(STAGES)


def test_everything_a_user_gets_is_there(outcome):
    assert [name for name in LEFT if not (outcome.directory / name).is_file()] == []
    for level in ("l0", "l1a", "l1b", "l2"):
        (product,) = products(outcome.directory, level)
        assert "SIMULATION" in product.name
    assert list(outcome.directory.rglob("*.part")) == []


def test_no_packet_and_no_sounding_is_lost(outcome):
    figures = outcome.verdict()["figures"]
    assert figures["packets_unaccounted"] == 0
    assert figures["soundings_missing"] == 0
    assert figures["soundings_expected"] == SOUNDINGS


def test_soundings_keep_their_identity_from_truth_to_l2(outcome):
    with netCDF4.Dataset(outcome.directory / "truth.nc") as truth:
        expected = truth["sounding_id"][:]
    for level in ("l1a", "l1b", "l2"):
        with netCDF4.Dataset(products(outcome.directory, level)[0]) as product:
            np.testing.assert_array_equal(product["sounding_id"][:], expected)


def test_the_ledger_measured_every_program_and_none_took_too_much(outcome):
    with sqlite3.connect(outcome.directory / "ledger.sqlite") as ledger:
        rows = ledger.execute("SELECT stage, state, wall_s, cpu_s, peak_rss_mb FROM tasks").fetchall()
    ledger.close()
    assert {row[0] for row in rows} == set(STAGES)
    assert {row[1] for row in rows} == {"done"}
    assert all(wall_s > 0 and cpu_s > 0 for _, _, wall_s, cpu_s, _ in rows)
    assert max(row[4] for row in rows) < two_gigabytes


def test_repeating_the_command_does_nothing_again(outcome, runs):
    scenario = next(path for path in SCENARIOS if outcome.directory.name.startswith(path.stem))
    before = {path: path.stat().st_mtime_ns for path in outcome.directory.rglob("*.nc")}
    again = twin(runs, scenario, "--soundings", str(SOUNDINGS))
    assert again.directory == outcome.directory, "the sources were edited between the two runs"
    assert again.code == outcome.code
    assert again.stdout == outcome.stdout
    assert {path: path.stat().st_mtime_ns for path in outcome.directory.rglob("*.nc")} == before


def test_two_runs_give_the_same_l0_bytes_and_l2_values(twice):
    first, second = (outcome.directory for outcome in twice)
    assert first.name == second.name
    for name in ("l0_stream/pass_0001_vc1.cadu", "l0_stream/pass_0001_vc2.cadu"):
        digests = {hashlib.sha256((run / name).read_bytes()).hexdigest() for run in (first, second)}
        assert len(digests) == 1
    a, b = (netCDF4.Dataset(products(run, "l2")[0]) for run in (first, second))
    with a, b:
        for name, variable in a.variables.items():
            np.testing.assert_array_equal(variable[:].filled(), b[name][:].filled(), err_msg=name)


def test_another_seed_gives_another_stream(twice, new_runs):
    first, _ = twice
    scenario = next(path for path in SCENARIOS if path.stem == "sunglint_ocean")
    other = twin(new_runs(), scenario, "--soundings", "3", "--seed", "99")
    assert other.directory.name != first.directory.name
    streams = [(run.directory / "l0_stream/pass_0001_vc1.cadu").read_bytes() for run in (first, other)]
    assert streams[0][: len(streams[1])] != streams[1]


def test_other_co2_lines_in_truth_show_in_xco2(twice):
    run = twice[0].directory
    pair = []
    for folder in (run, run / "mismatch"):
        with netCDF4.Dataset(products(folder, "l2")[0]) as product:
            pair.append(product["xco2"][:])
    low, high = three_tenths_of_a_percent_ppm
    assert low < float(np.mean(pair[1] - pair[0])) < high


def test_a_failing_processor_ends_the_run_with_3_and_its_first_error_line(tmp_path, new_runs):
    text = next(path for path in SCENARIOS if path.stem == "sunglint_ocean").read_text()
    program = tmp_path / "l0"
    program.write_text(
        "#!/bin/sh\necho 'pass_0001_vc1.cadu: expected CADUs, got none: ask again' >&2\nexit 3\n"
    )
    program.chmod(0o755)
    scenario = tmp_path / "sunglint_ocean.yaml"
    scenario.write_text(f"{text}mismatch: {{soundings: 0}}\nprocessors: {{l0: [{program}]}}\n")
    failed = twin(new_runs(), scenario, "--soundings", "3")
    assert failed.code == 3
    assert "l0-0000: exit code 3: pass_0001_vc1.cadu: expected CADUs, got none: ask again" in failed.stderr
    assert not (failed.directory / "verdict.json").exists()
