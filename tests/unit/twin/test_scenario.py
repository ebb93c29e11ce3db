"""Scenario files: what is accepted, and where and how each error is told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from twin import scenario
from twin.errors import BadInput

SHIPPED = sorted((Path(__file__).parents[3] / "scenarios").glob("*.yaml"))
GOOD = """\
# Is this question kept?
name: small
start: 2026-07-01T22:40:00+02:00
observation: {mode: glint, soundings: 12, start_latitude: 22 degree}
requirements:
  - {figure: xco2_error_scatter_ppm, at_most: 1.5}
"""
rounding = 1e-12  # relative, of one unit conversion in float64


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "small.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def errors(path: Path, **overrides) -> list[str]:
    with pytest.raises(BadInput) as caught:
        scenario.load(path, **overrides)
    return [line.replace(str(path), "F") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_scenario_loads_under_its_own_name(path):
    assert scenario.load(path).name == path.stem


def test_times_become_utc_and_the_first_line_is_the_question(write):
    loaded = scenario.load(write(GOOD))
    assert loaded.start == datetime(2026, 7, 1, 20, 40, tzinfo=UTC)
    assert loaded.start.utcoffset().total_seconds() == 0
    assert loaded.question == "Is this question kept?"
    naive = GOOD.replace("+02:00", "").replace("22:40", "20:40")
    assert scenario.load(write(naive)).start == loaded.start


@pytest.mark.parametrize(
    ("line", "model", "field", "value"),
    [
        ("truth: {wind_speed: 36 km/h}", "truth", "wind_speed", 10.0),
        ("prior: {surface_pressure: 250 Pa}", "prior", "surface_pressure", 2.5),
        ("prior: {co2_offset: -3 ppm}", "prior", "co2_offset", -3.0),
        ("prior: {humidity: 10 %}", "prior", "humidity", 0.1),
        ("prior: {humidity: 0.1}", "prior", "humidity", 0.1),
        ("knowledge_error: {attitude: 0.005 mrad}", "knowledge_error", "attitude", 5.0),
        ("knowledge_error: {ephemeris_position: 0.02 km}", "knowledge_error", "ephemeris_position", 20.0),
    ],
)
def test_quantities_are_stored_in_the_unit_of_their_type(write, line, model, field, value):
    loaded = scenario.load(write(GOOD + line + "\n"))
    assert getattr(getattr(loaded, model), field) == pytest.approx(value, rel=rounding)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sead: 4", "F:7:1: sead: expected one of name,"),
        ("truth: {surfce: ocean}", "F:7:9: truth.surfce: expected one of co2,"),
        (
            "truth: {wind_speed: 7 km}",
            'F:7:9: truth.wind_speed: expected a quantity with its unit, like "1 m/s"',
        ),
        ("truth: {wind_speed: 7}", "F:7:9: truth.wind_speed: expected a quantity with its unit"),
        ("truth: {wind_speed: 31 m/s}", "F:7:9: truth.wind_speed: expected at most 30 m/s, got '31 m/s'"),
        ("truth: {wind_speed: nan m/s}", "F:7:9: truth.wind_speed: expected a finite number"),
        ("truth: {airglow: 1}", "F:7:9: truth.airglow: expected true or false, got 1"),
        (
            "truth: {surface: sea}",
            "F:7:9: truth.surface: expected 'map', 'ocean', 'vegetation', 'forest', 'soil', 'desert', 'snow'",
        ),
        ("truth: ocean", "F:7:1: truth: expected a mapping of keys, got 'ocean'"),
        ("prior: {temperature: 1 degC}", "F:7:9: prior.temperature: expected a quantity with its unit"),
        ("orbit: {repeat_days: 0.5}", "F:7:9: orbit.repeat_days: expected a whole number, got 0.5"),
        ("orbit: {repeat_days: 30}", "F:7:1: orbit: expected 13 to 16 revolutions a day"),
        ("seed: -1", "F:7:1: seed: expected at least 0, got -1"),
        ("processors: {l5: [x]}", "F:7:14: processors.l5: expected 'l0', 'l1a', 'l1b' or 'l2', got 'l5'"),
        ("processors: {l2: []}", "F:7:14: processors.l2: expected at least 1 entry, got []"),
        ("processors: {l2: [no-such]}", "F:7:14: processors.l2: expected an executable, got 'no-such'"),
        ("instrument: {name: nowhere}", "F:7:14: instrument.name: expected one of "),
        ("  - {figure: b}", "F:7:5: requirements.1: expected at_most or at_least for b, got no limit"),
        ("  - {figure: b, at_mots: 3}", "F:7:17: requirements.1.at_mots: expected one of figure, at_most"),
        (
            "  - {figure: dof_co, at_least: 1}",
            "F:7:6: requirements.1.figure: expected a figure of the verdict, got",
        ),
        ("truth: {wind_speed: [", "F:8:1: expected YAML, got: "),
        ("name: small", "F:7:1: expected YAML, got: found duplicate key"),
        (
            "  - {figure: dof_co2, at_least: 2, at_most: 1}",
            "F:7:5: requirements.1: expected at_least up to at_most for dof_co2, got 2 above 1",
        ),
        (
            "truth: {aerosol: [{type: ice, optical_depth: 0.1, height: 9 km}]}",
            "F:7:20: truth.aerosol.0.type: expected 'dust', 'sea_salt', 'sulphate', 'organic', ",
        ),
        (
            "truth: {cirrus: {type: dust, optical_depth: 0.1, height: 9 km}}",
            "F:7:18: truth.cirrus.type: expected 'ice', got 'dust'",
        ),
    ],
)
def test_an_error_names_file_line_column_key_and_what_was_expected(write, line, expected):
    assert errors(write(GOOD + line + "\n"))[0].startswith(expected)


@pytest.mark.parametrize("year", [1980, 2053, 9999])
def test_a_start_without_gps_time_or_ephemeris_is_refused(write, year):
    told = errors(write(GOOD.replace("2026", str(year))))
    assert told[0].startswith("F:3:1: start: expected a time from 1981 to 2052, got")


def test_a_cirrus_is_of_ice_unless_told(write):
    loaded = scenario.load(write(GOOD + "truth: {cirrus: {optical_depth: 0.1, height: 9 km}}\n"))
    assert loaded.truth.cirrus.type == "ice"


def test_a_scenario_that_requires_nothing_is_refused(write):
    text = GOOD.partition("requirements:")[0] + "requirements: []\n"
    assert errors(write(text)) == [
        "F:5:1: requirements: expected at least one, got none: a run without any passes"
    ]


def test_files_that_do_not_hold_what_their_key_says_are_told(write, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.par").write_text("not a line\n")
    (tmp_path / "field.nc").write_text("no netCDF")
    told = errors(write(GOOD + "truth: {lines: mine, co2: file, co2_file: {path: field.nc, layout: cams}}\n"))
    assert [line.partition(", got")[0] for line in told] == [
        "F:7:9: truth.lines: expected lines-v1, hapi or a folder of *.par files",
        "F:7:44: truth.co2_file.path: expected a netCDF file",
    ]
    assert told[0].endswith("got records not of 160 columns: a.par of 10")


SITE = "site: {latitude: 48.9 degree, longitude: 2.3 degree}"


@pytest.mark.parametrize(
    ("observation", "expected"),
    [
        ("mode: target", "F:4:1: observation: expected site in mode target, got none: add site: {latitude:"),
        ("mode: city, site: paris", "F:4:27: observation.site: expected a mapping of keys, got 'paris'"),
        ("mode: city, site: {latitude: 48.9 degree}", "F:4:27: observation.site.longitude: expected a value"),
        (
            "mode: city, site: {latitud: 1 degree, longitude: 2 degree}",
            "F:4:27: observation.site.latitude: expected a value, got none",
        ),
        (f"mode: city, sweeps: 4, {SITE}", "F:4:27: observation.sweeps: expected 2 or 3, got 4"),
        (f"mode: city, sweeps: three, {SITE}", "F:4:27: observation.sweeps: expected 2 or 3, got 'three'"),
        (
            f"mode: city, soundings: 181, {SITE}",
            "F:4:1: observation: expected at most 180 soundings in a city scan of 3 sweeps, got 181",
        ),
        (
            f"mode: city, start_latitude: 3 degree, {SITE}",
            "F:4:1: observation: expected no start_latitude in mode city: remove it, site sets the pass",
        ),
        (
            f"mode: target, track_offset: 1001 km, {SITE}",
            "F:4:29: observation.track_offset: expected at most 1e+06 metre, got '1001 km'",
        ),
        ("mode: nadir", "F:4:1: observation: expected start_latitude in mode nadir, got none: add start_"),
        (
            f"mode: nadir, start_latitude: 3 degree, {SITE}",
            "F:4:1: observation: expected no site in mode nad",
        ),
        (
            "mode: glint, start_latitude: 3 degree, sweeps: 3",
            "F:4:1: observation: expected no sweeps in mode",
        ),
        (
            "mode: glint, start_latitude: 3 degree, track_offset: 3 km",
            "F:4:1: observation: expected no track_offset in mode glint",
        ),
    ],
)
def test_a_mode_with_what_it_lacks_or_cannot_use_is_told_in_one_line(write, observation, expected):
    text = GOOD.replace("mode: glint, soundings: 12, start_latitude: 22 degree", observation)
    assert errors(write(text))[0].startswith(expected)


@pytest.mark.parametrize(
    ("observation", "soundings", "sweeps"),
    [
        (f"mode: city, {SITE}", 180, 3),
        (f"mode: city, sweeps: 2, {SITE}", 120, 2),
        (f"mode: city, soundings: 180, {SITE}", 180, 3),
        (f"mode: target, {SITE}", 120, None),
    ],
)
def test_a_city_scan_has_the_soundings_of_its_sweeps(write, observation, soundings, sweeps):
    text = GOOD.replace("mode: glint, soundings: 12, start_latitude: 22 degree", observation)
    path = write(text)
    loaded = scenario.load(path).observation
    assert (loaded.soundings, loaded.sweeps) == (soundings, sweeps)
    path.with_suffix(".json").write_text(scenario.dump(scenario.load(path)))
    assert scenario.restore(path.with_suffix(".json")).observation == loaded
    assert scenario.load(path, soundings=6).observation.soundings == 6


def test_an_unknown_key_of_an_optional_model_is_told(write):
    text = GOOD.replace(
        "start_latitude: 22 degree", "site: {latitude: 1 degree, longitude: 2 degree, hight: 3}"
    )
    assert errors(write(text))[0] == (
        "F:4:91: observation.site.hight: expected one of latitude, longitude, got an unknown key"
    )


def test_an_unknown_key_suggests_the_nearest(write):
    assert errors(write(GOOD + "sead: 4\n"))[0].endswith("did you mean seed?")


def test_all_errors_are_told_at_once_in_the_order_of_the_file(write):
    bad = GOOD.replace("glint", "glimt").replace("22 degree", "95 degree") + "truth: {co2: none}\n"
    assert [line.split(": ")[1] for line in errors(write(bad))] == [
        "observation.mode",
        "observation.start_latitude",
        "truth.co2",
    ]


def test_a_missing_key_is_told_at_its_parent(write):
    lines = errors(write(GOOD.replace("mode: glint, ", "")))
    assert lines == ["F:4:1: observation.mode: expected a value, got none: add the key mode"]


@pytest.mark.parametrize("limit", ["-80 degree", "80 degree"])
def test_the_latitude_limits_are_accepted(write, limit):
    scenario.load(write(GOOD.replace("22 degree", limit)))


@pytest.mark.parametrize("outside", ["-80.001 degree", "80.001 degree"])
def test_beyond_the_latitude_limits_is_refused(write, outside):
    assert "observation.start_latitude" in errors(write(GOOD.replace("22 degree", outside)))[0]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "- a\n- b\n", "just text\n"])
def test_a_file_that_is_no_mapping_is_refused(write, text):
    assert errors(write(text))[0].startswith("F:1:1: expected a mapping of scenario keys, got ")


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "sunglint.yaml").write_text(GOOD)
    assert errors(tmp_path / "sunglnt.yaml")[0].endswith("found none; did you mean sunglint?")
    assert "expected a readable scenario file" in errors(tmp_path)[0]
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9t\xe9\n")
    assert "expected UTF-8 text" in errors(tmp_path / "latin.yaml")[0]


def test_overrides_replace_seed_and_soundings(write):
    loaded = scenario.load(write(GOOD), seed=9, soundings=6)
    assert (loaded.seed, loaded.observation.soundings) == (9, 6)


def test_a_dumped_scenario_comes_back_the_same_without_units(write, tmp_path):
    loaded = scenario.load(write(GOOD + "truth: {wind_speed: 10 knot}\nsettings: {l2: {levels: 20}}\n"))
    (tmp_path / "checked.json").write_text(scenario.dump(loaded))
    assert scenario.restore(tmp_path / "checked.json") == loaded


@pytest.mark.parametrize(
    ("mode", "mission", "said"),
    [
        ("plan", "", "expected mission in mode plan, got none"),
        ("glint", 'mission: {duration: "1 day"}', "expected no mission in mode glint"),
        (
            "plan",
            'mission: {duration: "1 day", requests: [{name: a, kind: dark, latitude: 4 degree}]}',
            "expected neither of latitude and longitude for a dark request, got 1",
        ),
        (
            "plan",
            'mission: {duration: "1 day", requests: [{name: a, kind: city, latitude: 4 degree}]}',
            "expected both of latitude and longitude for a city request, got 1",
        ),
        (
            "plan",
            'mission: {duration: "1 day"}\nfaults: [burst]',
            "expected no faults in a mission, got burst",
        ),
        (
            "plan",
            'mission: {duration: "1 day", requests: [{name: a, kind: dark}, {name: a, kind: sun}]}',
            "expected requests of different names, got a twice",
        ),
    ],
)
def test_a_mission_belongs_to_mode_plan_and_its_requests_are_whole(tmp_path, mode, mission, said):
    shipped = Path(__file__).parents[3] / "scenarios" / "sunglint_ocean.yaml"
    path = tmp_path / "s.yaml"
    path.write_text(shipped.read_text().replace("mode: glint", f"mode: {mode}") + mission + "\n")
    with pytest.raises(BadInput, match=said):
        scenario.load(path)


def test_an_unknown_fault_is_told_with_its_place_and_the_near_one(tmp_path):
    shipped = Path(__file__).parents[3] / "scenarios" / "sunglint_ocean.yaml"
    path = tmp_path / "s.yaml"
    path.write_text(shipped.read_text() + "faults:\n  - burst\n  - packet_los\n")
    line = len(path.read_text().splitlines())
    with pytest.raises(BadInput) as caught:
        scenario.load(path)
    assert str(caught.value) == (
        f"{path}:{line}:5: faults.1: expected a fault of the catalogue, got 'packet_los'; "
        "did you mean packet_loss?"
    )


MISSION = """\
# Does it fly?
name: small
start: 2026-07-01T00:00:00Z
observation: {mode: plan, start_latitude: 0 degree}
mission:
  duration: 1 hour
  x_band: [Kiruna]
  incidents:
    - {kind: station_outage, start: 2026-07-01T00:10:00Z, duration: 1 hour, station: Kiruna}
requirements:
  - {figure: frames_exposed, at_least: 1}
"""
STATIONS = "Kiruna, Inuvik, Toulouse, Kourou, Kerguelen"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[Kiruna]", "[Kiruna, Mars]", f"F:7:20: mission.x_band.1: expected one of {STATIONS}, got Mars"),
        (
            "station: Kiruna",
            "station: Inuvk",
            f"F:9:77: mission.incidents.0.station: expected one of {STATIONS}, got Inuvk",
        ),
        (
            "01T00:10",
            "01T00:00",
            None,
        ),
        (
            "2026-07-01T00:10:00Z",
            "2026-06-30T23:59:59Z",
            "F:9:30: mission.incidents.0.start: expected a time from 2026-07-01T00:00:00+00:00 on, "
            "got 2026-06-30 23:59:59+00:00",
        ),
    ],
)
def test_what_a_mission_names_is_known_and_in_time(write, old, new, told):
    path = write(MISSION.replace(old, new))
    if told is None:
        assert scenario.load(path).mission
    else:
        assert errors(path) == [told]
