"""Print wall and CPU time and memory of every stage of a finished run.

Usage: python benchmarks/run_times.py RUN_DIRECTORY
"""

import sqlite3
import sys
from pathlib import Path


def main(run: Path) -> None:
    with sqlite3.connect(run / "ledger.sqlite") as ledger:
        rows = ledger.execute(
            "SELECT stage, tasks, wall_s, cpu_s, peak_rss_mb FROM stages ORDER BY started_unix_s"
        ).fetchall()
    print("| stage | programs | wall s | CPU s | peak MB a program |\n|---|---|---|---|---|")
    for stage, tasks, wall, cpu, peak in rows:
        print(f"| {stage} | {tasks} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |")
    print(f"| sum | | {sum(r[2] for r in rows):.1f} | {sum(r[3] for r in rows):.1f} | |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
