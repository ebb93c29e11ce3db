"""`twin plan` as a user meets it: files, table, exit codes; the picture and the memory it draws."""

import json

import numpy as np
import pytest
from matplotlib.image import imread
from typer.testing import CliRunner

from twin import cli
from twin.mission.planning.check import violations
from twin.mission.timeline import Activity, Contact, Timeline
from twin.report import gantt
from twin.scenario import load
from twin.telemetry import commands

MISSION = """# What is planned?
name: morning
start: 2026-07-01T10:00:00Z
observation: {mode: plan, start_latitude: 60 degree}
mission:
  duration: 2 hour
  requests:
    - {name: orleans, kind: target, latitude: 47.97 degree, longitude: 2.11 degree, priority: 50}
    - {name: paris, kind: city, latitude: 48.86 degree, longitude: 2.35 degree}
    - {name: dark_1, kind: dark}
requirements: [{figure: packets_unaccounted, at_most: 0}]
"""
FRAME_US, FRAME_BITS = 1_304_000, 12 * 2590 * 8 + 32 * 8


@pytest.fixture
def twin():
    def invoke(*arguments: str):
        return CliRunner().invoke(cli.app, list(arguments), catch_exceptions=False)

    return invoke


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "morning.yaml"
    path.write_text(MISSION)
    return path


def test_plan_leaves_its_four_files_the_same_on_repeat(twin, scenario, tmp_path):
    contents = []
    for runs in ("first", "second"):
        result = twin("plan", str(scenario), "--runs", str(tmp_path / runs))
        assert result.exit_code == 0
        (folder,) = (tmp_path / runs).iterdir()
        assert folder.name.startswith("morning-plan-")
        names = ["commands.bin", "gantt.png", "opportunities.json", "timeline.json"]
        assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == names
        contents.append({name: (folder / name).read_bytes() for name in names if name != "gantt.png"})
    assert contents[0] == contents[1]
    made = Timeline.restore(contents[0]["timeline.json"].decode())
    assert not list(violations(load(scenario), made))
    activities, contacts = commands.decode(contents[0]["commands.bin"])
    assert activities == made.activities
    assert contacts == tuple(one for one in made.contacts if one.band == "x")
    (day,) = json.loads(contents[0]["opportunities.json"])
    chosen = {day["opportunities"][k]["request"] for k in day["chosen"]}
    assert chosen == {one.request for one in activities if one.request} == {"orleans", "dark_1"}
    picture = imread(folder / "gantt.png")
    assert picture.shape[1] > 1500
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 20


def test_the_table_tells_what_is_served_and_why_not(twin, scenario, tmp_path):
    result = twin("plan", str(scenario), "--runs", str(tmp_path))
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["target", "1", "1"] in rows
    assert ["city", "0", "1"] in rows
    assert ["1", "conflicts", "with", "another", "paris"] in rows
    assert any(row[:2] == ["X", "Kiruna"] for row in rows)
    assert "cp_sat: objective" in result.stdout
    assert "gap 0.00%, optimal" in result.stdout
    assert "programming" in result.stderr
    greedy = twin("plan", str(scenario), "--runs", str(tmp_path), "--method", "greedy")
    assert "greedy: objective" in greedy.stdout
    assert "no bound known" in greedy.stdout
    assert len(list(tmp_path.glob("morning-plan-*"))) == 2


def test_an_own_method_lies_beside_the_scenario(twin, scenario, tmp_path):
    (tmp_path / "lazy_method.py").write_text("def rest(problem):\n    return []\n")
    result = twin("plan", str(scenario), "--runs", str(tmp_path / "runs"), "--method", "lazy_method:rest")
    assert result.exit_code == 0
    assert "lazy_method:rest: objective" in result.stdout


def test_bad_input_ends_with_2(twin, scenario, tmp_path):
    for arguments, words in (
        (("nadir_land",), "expected observation.mode plan and a mission"),
        ((str(scenario), "--method", "nothing"), "expected cp_sat, greedy, module:Name or an executable"),
        ((str(tmp_path / "missing.yaml"),), "missing.yaml"),
    ):
        result = twin("plan", *arguments, "--runs", str(tmp_path / "runs"))
        assert (result.exit_code, result.stdout) == (2, "")
        assert words in result.stderr


def test_the_fill_of_the_memory_by_hand():
    """100 frames, then a pass that empties it, then 50 frames left to the end."""
    minute_us = 60_000_000
    plan = Timeline(
        0,
        20 * minute_us,
        (
            Activity(0, 100 * FRAME_US, "nadir"),
            Activity(10 * minute_us, 10 * minute_us + 50 * FRAME_US, "glint"),
        ),
        (
            Contact("Kiruna", "x", 5 * minute_us, 6 * minute_us, 20.0),
            Contact("Kourou", "s", 15 * minute_us, 16 * minute_us, 20.0),
        ),
        (),
        "greedy",
        0.0,
    )
    points = gantt.memory_levels(plan)
    levels = {int(at): bits for at, bits in points}
    assert levels[5 * minute_us] == pytest.approx(100 * FRAME_BITS + 300 * 800)
    assert levels[6 * minute_us] == 0.0
    assert levels[20 * minute_us] == pytest.approx(50 * FRAME_BITS + 14 * 60 * 800)
    emptied = next(at for at, bits in points if at > 5 * minute_us and bits == 0.0)
    on_air_s = (100 * FRAME_BITS + 300 * 800) * 1279 / 1107 / 156e6
    assert (emptied - 5 * minute_us) / 1e6 == pytest.approx(on_air_s, rel=0.01)


def test_a_long_plan_is_drawn_up_to_three_days(tmp_path):
    day_us = 86_400_000_000
    plan = Timeline(0, 10 * day_us, (), (), (), "greedy", 0.0)
    gantt.draw(plan, [(0, day_us // 2)], 10**12, tmp_path / "long.png")
    long = imread(tmp_path / "long.png")
    gantt.draw(Timeline(0, 3 * day_us, (), (), (), "greedy", 0.0), [], 10**12, tmp_path / "three.png")
    assert long.shape == imread(tmp_path / "three.png").shape
