"""Keep what every program of a run did (state, exit code, times, memory) in one SQLite file."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, fields
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    task_id TEXT PRIMARY KEY,
    stage TEXT NOT NULL,
    granule TEXT NOT NULL,           -- granules of the task, comma separated, or empty
    state TEXT NOT NULL,             -- running, done, failed, timeout, interrupted
    attempts INTEGER NOT NULL,
    exit_code INTEGER,               -- negative: killed by that signal
    started_unix_s REAL NOT NULL,
    wall_s REAL NOT NULL,
    cpu_s REAL NOT NULL,             -- user + system, of the program and what it started
    peak_rss_mb REAL NOT NULL,
    command TEXT NOT NULL,
    error_tail TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS stages (
    stage TEXT PRIMARY KEY,
    started_unix_s REAL NOT NULL,
    wall_s REAL NOT NULL,            -- of all attempts at it, the interrupted ones too
    cpu_s REAL NOT NULL,             -- likewise
    peak_rss_mb REAL NOT NULL,       -- of its largest program
    tasks INTEGER NOT NULL
) STRICT;
"""
BUSY_S = 30.0  # s, wait for another process's lock


@dataclass(frozen=True)
class Row:
    """One task as the ledger keeps it."""

    task_id: str
    stage: str
    granule: str
    state: str
    attempts: int
    exit_code: int | None
    started_unix_s: float
    wall_s: float
    cpu_s: float
    peak_rss_mb: float
    command: str
    error_tail: str


COLUMNS = tuple(field.name for field in fields(Row))


class Ledger:
    """Open (or create) the ledger of a run directory; every write is its own transaction."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def put(self, row: Row) -> None:
        """Insert the row or replace the one of the same task."""
        marks = ",".join("?" * len(COLUMNS))
        values = [getattr(row, name) for name in COLUMNS]
        self._db.execute(f"INSERT OR REPLACE INTO tasks ({','.join(COLUMNS)}) VALUES ({marks})", values)

    def get(self, task_id: str) -> Row | None:
        query = f"SELECT {','.join(COLUMNS)} FROM tasks WHERE task_id = ?"
        found = self._db.execute(query, (task_id,)).fetchone()
        return Row(*found) if found else None

    def rows(self, stage: str | None = None) -> list[Row]:
        """Give all rows, or those of a stage, in the order they started."""
        where, values = ("WHERE stage = ?", (stage,)) if stage else ("", ())
        query = f"SELECT {','.join(COLUMNS)} FROM tasks {where} ORDER BY started_unix_s, task_id"
        return [Row(*found) for found in self._db.execute(query, values)]

    def put_stage(self, stage: str, started_unix_s: float, wall_s: float) -> dict[str, float | int | str]:
        """Add the programs since `started_unix_s` to the stage's figures; store and return them."""
        rows = self.rows(stage)
        fresh = [row for row in rows if row.started_unix_s >= started_unix_s]
        query = "SELECT started_unix_s, wall_s, cpu_s, peak_rss_mb FROM stages WHERE stage = ?"
        before = self._db.execute(query, (stage,)).fetchone() or (started_unix_s, 0.0, 0.0, 0.0)
        figures: dict[str, float | int | str] = {
            "stage": stage,
            "started_unix_s": before[0],
            "wall_s": round(before[1] + wall_s, 3),
            "cpu_s": round(before[2] + sum(row.cpu_s for row in fresh), 3),
            "peak_rss_mb": max(before[3], *(row.peak_rss_mb for row in fresh), 0.0),
            "tasks": sum(row.state == "done" for row in rows),
        }
        marks = ",".join("?" * len(figures))
        query = f"INSERT OR REPLACE INTO stages ({','.join(figures)}) VALUES ({marks})"
        self._db.execute(query, tuple(figures.values()))
        return figures
