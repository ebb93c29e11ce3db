"""The catalogue of faults, run as a user runs it.

Rationale: a fault must cost what its assertion says and nothing more, through all the programs of the chain.
Setup: `python -m twin run scenarios/fault_catalogue.yaml`, two granules: one to strike, one to leave alone.
Expected behaviour: exit code 0; the verdict names each fault, what showed that it struck, and what became
of the soundings; `twin account` accounts for every packet of a fault; a ground that overlooks a fault is
found out. The other scenarios of faults ask for parts of the catalogue.
"""

import sys
from pathlib import Path

import pytest

from twin.faults.catalogue import CATALOGUE
from twin.scenario import load

FOLDER = Path(__file__).parents[2] / "scenarios"
SCENARIOS = [FOLDER / "fault_catalogue.yaml"]
SOUNDINGS = 24
LIMIT_S = 1500  # s, of one run on a busy machine


def faults(outcome) -> dict[str, dict]:
    return {row["fault"]: row for row in outcome.verdict()["faults"]}


@pytest.fixture(scope="module", params=SCENARIOS, ids=lambda path: path.stem)
def asked(request) -> Path:
    return request.param


@pytest.mark.timeout(LIMIT_S)
def test_every_fault_struck_and_cost_no_more_than_it_may(outcome):
    assert outcome.code == 0, outcome.said[-3000:]
    problems = {name: row["problems"] for name, row in faults(outcome).items() if not row["holds"]}
    assert problems == {}
    for row in faults(outcome).values():
        assert row["shown"]
        assert sum(row["soundings"].values()) == SOUNDINGS
        assert f"fault {row['fault']}: {row['what']}: holds" in outcome.said


@pytest.mark.timeout(LIMIT_S)
def test_what_was_lost_has_a_reason(outcome, twin_at_work):
    for name, row in faults(outcome).items():
        lost = row["packets"]["missing"] + row["packets"]["quarantined"] + row["soundings"]["missing"]
        assert bool(row["reasons"]) == bool(lost), name
    name = next(iter(faults(outcome)))
    code, said = twin_at_work.command("account", str(outcome.directory / "faults" / name))
    assert (code, "all accounted for" in said) == (0, True), said


def test_the_catalogue_is_tried_whole_and_the_other_scenarios_ask_for_parts_of_it():
    asked = {scenario.name: scenario for scenario in map(load, FOLDER.glob("*.yaml")) if scenario.faults}
    assert asked["fault_catalogue"].faults == ["all"]
    assert len(CATALOGUE) >= 45
    assert set(asked) >= {"fault_catalogue", "bit_errors", "processor_crash", "late_meteo"}
    for scenario in asked.values():
        rows = {row.figure: row.at_most for row in scenario.requirements}
        assert rows["faults_failed"] == 0


@pytest.mark.timeout(LIMIT_S)
def test_a_ground_that_overlooks_a_stuck_band_is_found_out(tmp_path, new_runs, twin_at_work):
    """The same scenario with an L1A program that forgets its doubts must fail, on that fault alone."""
    blind = tmp_path / "l1a.py"
    blind.write_text(
        "import sys\n"
        "import numpy as np\n"
        "from processors import __main__ as ground\n"
        "from processors.l1a import doubts\n"
        "doubts._stuck = lambda science: np.zeros(science.sounding_id.size, bool)\n"
        "sys.exit(ground.main(sys.argv[1:]))\n"
    )
    text = next(path for path in SCENARIOS if path.stem == "fault_catalogue").read_text()
    scenario = tmp_path / "blind.yaml"
    scenario.write_text(
        text.replace("name: fault_catalogue", "name: blind")
        .replace("faults: [all]", "faults: [stuck_band, wrong_mode_word]")
        .replace("at_least: 45", "at_least: 2")
        + f"processors: {{l1a: [{sys.executable}, {blind}]}}\n"
    )
    outcome = twin_at_work.run(scenario, new_runs(), SOUNDINGS)
    assert outcome.code == 1, outcome.said[-3000:]
    assert {name: row["holds"] for name, row in faults(outcome).items()} == {
        "stuck_band": False,
        "wrong_mode_word": True,
    }
    assert "6 soundings changed without a flag" in outcome.said
