"""The plan of a run: variants, granules, batches and job orders, before any program starts."""

import ast
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from twin import chain, provenance
from twin.scenario import Scenario

START = datetime(2026, 7, 1, 20, 40, tzinfo=UTC)
PARTS_IN_1E12 = 1e-12  # relative


def scenario(soundings: int = 30, mismatch: int = 12, **more) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "small",
            "start": START,
            "observation": {"mode": "glint", "soundings": soundings, "start_latitude": 22.0},
            "mismatch": {"soundings": mismatch, "co2_intensity": 0.003},
            "requirements": [],
            **more,
        },
        context={"stored_units": True},
    )


@pytest.fixture
def plan(tmp_path):
    def plan(*arguments, workers: int = 2, **options) -> chain.Chain:
        made = chain.Chain(tmp_path, scenario(*arguments, **options), "0" * 64, workers)
        starts = [START.timestamp() + 5.216 * granule for granule in range(made.variants[0].granules)]
        told = [{"start_unix_s": s, "boot": 1, "first_frame": 4 * n} for n, s in enumerate(starts)]
        (tmp_path / chain.GRANULES).write_text(json.dumps({"granules": told}))
        for variant in made.variants:
            (tmp_path / variant.root).mkdir(parents=True, exist_ok=True)
            (tmp_path / variant.path(chain.SENT)).write_text(json.dumps({"passes": [1]}))
        return made

    return plan


def stage(name: str) -> chain.Stage:
    return next(stage for stage in chain.MISSION if stage.name == name)


def order(made: chain.Chain, task) -> dict:
    return yaml.safe_load((made.directory / task.command[-1]).read_text())


def test_the_order_of_the_stages():
    nature = ["truth", "instrument", "telemetry", "auxiliary"]
    after = [*nature, "install_l0", "l0", "l1a", "l1b", "install_l2", "l2", "ground", "verify", "report"]
    assert [stage.name for stage in chain.OBSERVATION] == ["orbit", "events", *after]
    assert [stage.name for stage in chain.MISSION] == ["plan", "events", "orbit", *after]


@pytest.mark.parametrize(("soundings", "granules"), [(3, 1), (12, 1), (13, 2), (24, 2), (25, 3), (120, 10)])
def test_granules_hold_12_soundings(soundings, granules):
    assert chain.variants(scenario(soundings))[0].granules == granules


def test_the_mismatch_is_the_first_soundings_with_other_co2_lines_in_truth_only():
    nominal, other = chain.variants(scenario(30, 12))
    assert other.scenario.truth.co2_intensity_scale == pytest.approx(1.003, rel=PARTS_IN_1E12)
    assert other.scenario.observation.soundings == 12
    assert other.path("geometry.nc") == Path("mismatch/geometry.nc")
    same = {"truth", "observation"}
    assert other.scenario.model_dump(exclude=same) == nominal.scenario.model_dump(exclude=same)


def test_no_mismatch_when_none_is_asked_and_never_more_than_there_are():
    assert len(chain.variants(scenario(30, 0))) == 1
    assert chain.variants(scenario(6, 12))[1].scenario.observation.soundings == 6


def test_batches_share_all_missing_granules_among_the_workers(plan):
    made = plan(60)
    batches = made.batches(made.items(), lambda item: item[0].path("{}", item[1]))
    assert [len(batch) for batch in batches] == [3, 3]
    assert sorted((v.name, g) for batch in batches for v, g in batch) == sorted(
        (v.name, g) for v, g in made.items()
    )


@pytest.mark.parametrize(
    ("workers", "soundings", "sizes"), [(2, 12, [1]), (2, 120, [5, 5]), (4, 36, [1] * 3), (2, 240, [7, 7, 6])]
)
def test_batches_are_one_a_worker_and_of_8_granules_at_most(plan, workers, soundings, sizes):
    made = plan(soundings, 0, workers=workers)
    batches = made.batches(made.items(), lambda item: item[0].path("{}", item[1]))
    assert sorted(map(len, batches), reverse=True) == sizes


def test_batches_leave_out_what_exists(plan):
    made = plan(60)
    for granule in (0, 1, 2):
        (made.directory / f"{granule}").write_text("")
    batches = made.batches(made.items(), lambda item: item[0].path("{}", item[1]))
    assert sorted((v.name, g) for batch in batches for v, g in batch) == [("", 3), ("", 4), ("mismatch", 0)]


def test_products_are_named_by_the_pattern_of_the_interface_files(plan):
    made = plan(30)
    variant = made.variants[1]
    assert made.product("l2", made.variants[0], 2) == Path(
        "l2/co2twin_SIMULATION_L2_20260701T204010Z_0002.nc"
    )
    assert made.product("l1b", variant, 0).parent == Path("mismatch/l1b")


def test_an_l2_order_names_every_input_and_as_many_outputs_as_l1b_files(plan):
    made = plan(30, settings={"l2": {"levels": 20}})
    tasks = stage("l2").tasks(made)
    assert sum(len(task.outputs) for task in tasks) == len(made.items())
    job = order(made, tasks[0])
    assert (job["step"], job["settings"], job["scenario_hash"]) == ("l2", {"levels": 20}, "0" * 64)
    assert set(job["inputs"]) == {
        *("l1b", "ckd", "prior", "lines"),
        *("partition_sums", "cia", "solar_lines", "solar_continuum", "particles"),
    }
    assert len(job["inputs"]["l1b"]) == len(job["outputs"]["l2"]) == len(tasks[0].outputs)


def test_no_order_for_the_ground_names_truth(plan):
    made = plan(30)
    for name in ("l0", "l1a", "l1b", "l2"):
        for task in stage(name).tasks(made):
            text = (made.directory / task.command[-1]).read_text()
            assert not any(word in text for word in ("truth", "geometry", "events", "sent_packets"))


def test_another_program_takes_the_place_of_a_step(plan):
    made = plan(30, processors={"l2": ["/opt/agency/l2", "--fast"]})
    assert stage("l2").tasks(made)[0].command[:3] == ("/opt/agency/l2", "--fast", "l2")
    assert stage("l1b").tasks(made)[0].command[1:4] == ("-m", "processors", "l1b")


def test_only_the_twins_own_programs_speak_of_the_scenario(plan):
    made = plan(30)
    assert stage("truth").tasks(made)[0].own
    assert not stage("l0").tasks(made)[0].own


def test_tables_of_nature_depend_on_their_own_code_alone():
    """The folder is named by that code: it may lean on nothing else of truth."""
    folder = provenance.package_root("truth.spectroscopy")
    imported = {
        node.module
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("truth")
    }
    assert imported
    inside = {module for module in imported if module.startswith("truth.spectroscopy")}
    assert imported - inside == {"truth.constants"}
    assert provenance.TABLES_CODE["truth"] == ("spectroscopy/*", "constants.py")
