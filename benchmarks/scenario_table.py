"""Turn the verdicts of a folder of runs into the table of docs/scenarios.md, given the folder."""

import json
import sys
from pathlib import Path


def main(runs: Path) -> None:
    print("| scenario | soundings | seed | verdict | measured against its limits | wall, s |")
    print("|---|---|---|---|---|---|")
    for path in sorted(runs.glob("*/verdict.json")):
        verdict = json.loads(path.read_text())
        rows = "; ".join(_row(row) for row in verdict["requirements"] if not _is_zero(row))
        if verdict.get("faults"):
            held = sum(row["holds"] for row in verdict["faults"])
            rows = f"{held} of {len(verdict['faults'])} faults hold"
        wall = sum(stage["wall_s"] for stage in verdict["stages"])
        count = verdict["figures"]["soundings_expected"]
        word = "pass" if verdict["holds"] else "**fail**"
        print(f"| {verdict['scenario']} | {count} | {verdict['seed']} | {word} | {rows} | {wall:.0f} |")


def _row(row: dict) -> str:
    measured = "not measured" if row["measured"] is None else f"{row['measured']:.3g}"
    limits = [
        f"{word} {row[key]:g}" for key, word in (("at_least", "≥"), ("at_most", "≤")) if row[key] is not None
    ]
    text = f"{row['figure']} {measured} ({', '.join(limits)})"
    return text if row["holds"] else f"**{text}**"


def _is_zero(row: dict) -> bool:
    """Tell a row that counts losses and found none: the same in all scenarios, said once above the table."""
    return row["at_most"] == 0 and row["at_least"] is None and row["measured"] == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
