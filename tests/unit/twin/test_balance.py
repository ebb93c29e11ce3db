"""Where packets and soundings of a hand-written run ended, and what is said of those that are lost."""

from __future__ import annotations

import shutil

import pytest
from typer.testing import CliRunner

from twin.cli import app
from twin.errors import BadInput
from twin.ledger import Ledger, Row
from twin.verify import balance

CONVERGED, LIMIT, DECLINED = 0, 1, 3


def test_every_sounding_ends_somewhere(fake_run):
    fake_run.outcome = {0: LIMIT, 1: DECLINED, 2: DECLINED}
    fake_run.reasons = {0: 1, 1: 2, 2: 2, 7: 4}
    found = balance.of(fake_run.write())
    assert found.outcomes == {
        "kept": 20,
        "converged, of bad quality": 1,
        "not converged": 1,
        "declined by the retrieval": 2,
        "missing": 0,
    }
    assert sum(found.reasons.values()) == 4
    assert [(row["level"], row["files"], row["soundings"], row["missing"]) for row in found.levels] == [
        ("l1b", 2, 24, 0), ("l2", 2, 24, 0)
    ]  # fmt: skip
    assert found.complaints == []


def test_a_granule_lost_by_the_ground_is_named(fake_run):
    root = fake_run.write()
    (root / "l2" / "l2_0001.nc").unlink()
    found = balance.of(root)
    assert found.outcomes["missing"] == 12
    assert sum(found.outcomes.values()) == 24
    assert found.complaints == ["12 soundings are lost between l1b and l2"]


def test_soundings_of_packets_that_did_not_arrive_are_excused(fake_run):
    root = fake_run.write()
    for level in ("l1b", "l2"):
        (root / level / f"{level}_0001.nc").unlink()
    lost = ["10 soundings are lost between the packets that arrived and l1b"]  # two packets excuse two
    assert balance.of(root).complaints == lost
    shutil.rmtree(root)
    fake_run.lost = 11  # of each kind
    fake_run.write()
    for level in ("l1b", "l2"):
        (root / level / f"{level}_0001.nc").unlink()
    found = balance.of(root)
    assert found.packets[0]["missing"] == 11
    assert found.complaints == []


def test_a_program_that_failed_excuses_its_own_granules_alone(fake_run):
    root = fake_run.write()
    ledger = Ledger(root / "ledger.sqlite")
    ledger.put(Row("l2--0001", "l2", "1", "failed", 2, 1, 1e10, 1.0, 1.0, 1.0, "", "x\nIt broke"))
    ledger.close()
    (root / "l2" / "l2_0001.nc").unlink()
    assert balance.of(root).complaints == []
    (root / "l2" / "l2_0000.nc").unlink()
    assert balance.of(root).complaints == ["12 soundings are lost between l1b and l2"]


def test_packets_and_soundings_from_nowhere_are_named(fake_run):
    fake_run.sent = {apid: count + 1 for apid, count in fake_run.sent.items()}
    root = fake_run.write()
    shutil.copy(root / "l2" / "l2_0000.nc", root / "l2" / "l2_0009.nc")
    said = balance.of(root).complaints
    assert said[0].startswith("1 packets of APID 256 (science) are not accounted for")
    assert said[-1] == "12 soundings of l2 were not observed or are there twice"


def test_the_command_tells_by_its_exit_code(fake_run, tmp_path):
    root = fake_run.write()
    done = CliRunner().invoke(app, ["account", str(root)])
    assert done.exit_code == 0, done.output
    assert "all accounted for" in done.output
    assert "kept" in done.output
    (root / "l2" / "l2_0001.nc").unlink()
    assert CliRunner().invoke(app, ["account", str(root)]).exit_code == 1
    nothing = CliRunner().invoke(app, ["account", str(tmp_path / "none")])
    assert nothing.exit_code == 2
    with pytest.raises(BadInput, match="expected the directory of a run with"):
        balance.of(tmp_path / "none")
