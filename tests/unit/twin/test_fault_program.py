"""The wrapper of a struck program, around shell commands: first attempt bad, second as it was."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import netCDF4
import pytest
import yaml

from twin.products import Check

CONTENT = bytes(range(256)) * 400
patience_s = 120.0
READ = "sha256sum < s_vc1.cadu > out.part && mv out.part out"


@pytest.fixture
def job(tmp_path) -> Path:
    (tmp_path / "s_vc1.cadu").write_bytes(CONTENT)
    (tmp_path / "prior.nc").write_text("forecast")
    order = {"inputs": {"stream": ["s_vc1.cadu"], "prior": "prior.nc"}, "outputs": {"l0": "out"}}
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(order))
    return tmp_path


def strike(folder: Path, fault: str, attempt: int, script: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "twin.faults.program", fault, "l0", "job.yaml", "--", "sh", "-c", script]
    environment = dict(os.environ, TWIN_ATTEMPT=str(attempt), PYTHONPATH=str(Path(__file__).parents[3]))
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=patience_s
    )


def said(folder: Path) -> str:
    return (folder / "out").read_text().split()[0]


@pytest.mark.parametrize(
    "fault", ["file_truncated", "file_empty", "file_checksum_mismatch", "file_half_written"]
)
def test_the_step_reads_another_stream_first_and_the_right_one_then(job, fault):
    whole = hashlib.sha256(CONTENT).hexdigest()
    assert strike(job, fault, 1, READ).returncode == 0
    assert said(job) != whole
    assert strike(job, fault, 2, READ).returncode == 0
    assert said(job) == whole
    assert (job / "s_vc1.cadu").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("fault", "there"),
    [("file_late", "s_vc1.cadu"), ("file_renamed", "s_vc1.cadu"), ("prior_missing", "prior.nc")],
)
def test_a_file_is_not_there_first_and_there_then(job, fault, there):
    test = f"test -e {there} && echo found > out"
    assert strike(job, fault, 1, test).returncode != 0
    assert (job / there).exists()
    assert strike(job, fault, 2, test).returncode == 0


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        *((name, "s_vc1.cadu") for name in ("file_late", "file_truncated", "file_half_written")),
        ("prior_missing", "prior.nc"),
    ],
)
def test_a_run_that_was_stopped_while_the_fault_struck_goes_on_as_if_it_had_not(job, fault, struck):
    whole = (job / struck).read_bytes()
    command = [sys.executable, "-m", "twin.faults.program", fault, "l0", "job.yaml", "--", "sh", "-c"]
    environment = dict(os.environ, TWIN_ATTEMPT="1", PYTHONPATH=str(Path(__file__).parents[3]))
    with subprocess.Popen([*command, "touch begun; exec sleep 60"], cwd=job, env=environment,
                          start_new_session=True) as program:  # fmt: skip
        end = time.monotonic() + patience_s
        while not (job / "begun").exists() and time.monotonic() < end:
            time.sleep(0.02)
        os.killpg(program.pid, signal.SIGKILL)
    assert not (job / struck).exists() or (job / struck).read_bytes() != whole
    assert strike(job, fault, 2, f"cat {struck} > out").returncode == 0
    assert (job / "out").read_bytes() == whole


def test_a_second_delivery_is_read_and_what_was_said_is_noted(job):
    script = f"{READ}; test $(stat -c %s s_vc1.cadu) -gt 0 || exit 2"
    assert strike(job, "file_duplicated", 1, script).returncode == 0
    assert json.loads((job / "job.again.json").read_text())["product_unchanged"] is True
    assert strike(job, "file_redelivered_changed", 1, script).returncode == 0
    assert json.loads((job / "job.again.json").read_text())["product_unchanged"] is False
    assert (job / "s_vc1.cadu").read_bytes() == CONTENT


def test_crash_and_kill_end_the_first_attempt(job):
    crashed = strike(job, "processor_crash", 1, READ)
    assert (crashed.returncode, "fault injected" in crashed.stderr) == (1, True)
    assert strike(job, "processor_crash", 2, READ).returncode == 0
    assert strike(job, "processor_crash_lasting", 3, READ).returncode == 1
    assert strike(job, "worker_killed", 1, "exec sleep 60").returncode == -9


def test_a_full_disk_and_a_full_memory_stop_the_step(job):
    large = "head -c 1000000 /dev/zero > big && mv big out"
    assert strike(job, "disk_full", 1, large).returncode != 0
    assert strike(job, "disk_full", 2, large).returncode == 0
    hungry = f"{sys.executable} -c 'bytearray(10**9)'"
    assert strike(job, "memory_full", 1, hungry).returncode != 0
    assert strike(job, "memory_full", 2, hungry).returncode == 0


def product(path: Path, ids: list[int]) -> None:
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("sounding", len(ids))
        file.createVariable("sounding_id", "i8", ("sounding",))[:] = ids


def test_wrong_and_torn_outputs_end_well_and_are_found_by_the_check(job):
    product(job / "in.nc", [1, 2, 3])
    copy = "cp in.nc out"
    check = Check("l1b", {job / "out": job / "in.nc"})
    for fault, word in (
        ("wrong_output", "the step mixed them"),
        ("torn_output", "expected a netCDF product"),
    ):
        assert strike(job, fault, 1, copy).returncode == 0
        assert word in check(job / "out")
        assert strike(job, fault, 2, copy).returncode == 0
        assert check(job / "out") == ""


def test_the_check_wants_the_rows_of_its_level(tmp_path):
    product(tmp_path / "p.nc", [1])
    assert "none with the variable apid" in Check("l0", {})(tmp_path / "p.nc")
    assert Check("l2", {})(tmp_path / "p.nc") == ""
