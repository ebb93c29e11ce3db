"""Every row of tests/requirements.yaml has evidence that exists."""

from pathlib import Path

import pytest

from twin.verify import coverage

ROOT = Path(__file__).parents[3]


def test_every_requirement_has_its_evidence():
    rows = coverage.load(ROOT / "tests" / "requirements.yaml")
    assert coverage.problems(rows, ROOT) == []
    assert len({row["requirement"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    "evidence",
    [
        "tests/unit/twin/test_coverage.py::test_that_is_not_there",
        "tests/unit/twin/test_nothing.py::test_x",
        "scenarios/sunglint_ocean.yaml:dof_co2",
        "scenarios/nothing.yaml:dof_co2",
        "benchmarks/nothing.py",
    ],
)
def test_absent_evidence_is_told(evidence):
    (problem,) = coverage.problems([{"requirement": "a row", "shown_by": [evidence]}], ROOT)
    assert problem.startswith(f"a row: expected {evidence}, found none")


def test_a_row_without_evidence_is_told():
    assert coverage.problems([{"requirement": "a row"}], ROOT)[0].startswith(
        "a row: expected evidence, got none"
    )
