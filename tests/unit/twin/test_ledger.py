"""The ledger: rows come back as written, others may read meanwhile, stage sums are sums."""

import sqlite3
from dataclasses import replace

import pytest

from twin.ledger import Ledger, Row

ROW = Row("l2-0000", "l2", "0,2", "done", 1, 0, 100.0, 4.0, 3.5, 210.0, "python -m processors l2 x", "")


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    yield ledger
    ledger.close()


def test_a_row_comes_back_as_written_and_is_replaced_by_its_task(ledger):
    ledger.put(ROW)
    assert ledger.get("l2-0000") == ROW
    later = replace(ROW, state="failed", exit_code=3, error_tail="no")
    ledger.put(later)
    assert ledger.rows() == [later]


def test_rows_come_by_stage_in_the_order_they_started(ledger):
    early = replace(ROW, task_id="l2-0001", started_unix_s=50.0)
    other = replace(ROW, task_id="l0-0000", stage="l0")
    for row in (ROW, early, other):
        ledger.put(row)
    assert ledger.rows("l2") == [early, ROW]


def test_a_stage_adds_up_its_programs_and_takes_the_largest_memory(ledger):
    ledger.put(ROW)
    ledger.put(replace(ROW, task_id="b", cpu_s=1.5, peak_rss_mb=300.0))
    ledger.put(replace(ROW, task_id="c", stage="l1b", cpu_s=9.0, peak_rss_mb=900.0))
    figures = ledger.put_stage("l2", 100.0, 6.0)
    assert figures == {
        "stage": "l2",
        "started_unix_s": 100.0,
        "wall_s": 6.0,
        "cpu_s": 5.0,
        "peak_rss_mb": 300.0,
        "tasks": 2,
    }


def test_a_stage_counts_the_time_of_an_interrupted_attempt_too(ledger):
    ledger.put(replace(ROW, state="interrupted", cpu_s=2.0, peak_rss_mb=500.0))
    assert ledger.put_stage("l2", 100.0, 3.0)["tasks"] == 0
    ledger.put(replace(ROW, started_unix_s=200.0))
    figures = ledger.put_stage("l2", 200.0, 6.0)
    assert (figures["started_unix_s"], figures["tasks"]) == (100.0, 1)
    assert (figures["wall_s"], figures["cpu_s"], figures["peak_rss_mb"]) == (9.0, 5.5, 500.0)


def test_another_connection_reads_while_the_ledger_is_open(ledger, tmp_path):
    ledger.put(ROW)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert other.execute("SELECT state FROM tasks").fetchall() == [("done",)]
    other.close()


def test_a_value_of_another_kind_is_refused(ledger):
    with pytest.raises(sqlite3.IntegrityError):
        ledger.put(replace(ROW, wall_s="long"))
