"""Account for packets, time and memory of a run, from what became of its packets and from its ledger."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np

from twin.verify.packets import KINDS

GROUND = ("l0", "l1a", "l1b", "l2")
DAY_SIDE_SOUNDINGS_PER_S = 2.3  # s-1, 3 FOVs each 1.304 s: real time where the Sun shines
Table = list[dict[str, Any]]


def packet_figures(table: Table) -> dict[str, float]:
    kinds = ("sent", *KINDS, "unaccounted")
    return {f"packets_{kind}": sum(row[kind] for row in table) for kind in kinds}


def stages(path: Path) -> Table:
    """Give wall and CPU time, peak memory and number of programs of each finished stage, in their order."""
    if not path.exists():
        return []
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    try:
        query = "SELECT stage, wall_s, cpu_s, peak_rss_mb, tasks FROM stages ORDER BY started_unix_s"
        return [dict(row) for row in db.execute(query)]
    finally:
        db.close()


def speed_figures(table: Table, soundings: int) -> dict[str, float]:
    """Give times and rates of `soundings` retrieved, all variants together, up to L2."""
    up_to_l2 = [row for row in table if row["stage"] not in ("ground", "verify", "report")]
    ground = [row for row in up_to_l2 if row["stage"] in GROUND]
    figures: dict[str, float] = {"peak_rss_mb": max((row["peak_rss_mb"] for row in up_to_l2), default=np.nan)}
    for name, rows in (("chain", up_to_l2), ("ground", ground)):
        wall_s = sum(row["wall_s"] for row in rows)
        rate = soundings / wall_s if wall_s > 0 else np.nan
        figures[f"{name}_wall_s"] = wall_s if rows else np.nan
        figures[f"{name}_soundings_per_s"] = rate
        figures[f"{name}_real_time_factor"] = rate / DAY_SIDE_SOUNDINGS_PER_S
    return figures
