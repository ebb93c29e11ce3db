"""The report of a hand-written run: what it shows, and that it is whole without a network."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from twin.report import charts, html, maps, material, timeline
from twin.verify.score import score

FETCHING = {"src", "srcset", "href", "data", "poster", "action", "background", "cite", "formaction"}
FORTY_KB = 40_000
HALF_DEGREE = 0.5
MICRO = 1e-6  # relative, the digits a chart carries
CHARTS = {
    *("world", "truth", "map", "track", "histogram", "kernels", "profile"),
    *("band0", "band1", "band2", "band3", "timeline", "latencies", "queue", "stages"),
}


class Page(HTMLParser):
    """Collect what could be fetched, the charts, the text and the policy of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.charts, self.tags, self.policy = [], {}, [], ""
        self._chart, self._script, self.shown, self.styles = "", False, [], []
        self.feed(text)
        self.text = " ".join(" ".join(self.shown).split())

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        self.links += [given[name] for name in FETCHING & given.keys()]
        self._chart, self._script = given.get("data-chart", ""), tag in ("script", "style")
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]

    def handle_endtag(self, tag):
        self._chart, self._script = "", False

    def handle_data(self, data):
        if self._chart:
            self.charts[self._chart] = json.loads(data)
        elif self._script:
            self.styles += [data] if len(data) < FORTY_KB else []  # longer: the drawing library
        else:
            self.shown.append(data)


@pytest.fixture
def gathered(fake_run):
    def gathered() -> material.Material:
        root = fake_run.write()
        score(root, fake_run.scenario)
        return material.gather(root)

    return gathered


@pytest.fixture
def page(gathered):
    return lambda: Page(html.render(gathered()))


def test_nothing_in_the_page_is_fetched(page):
    made = page()
    assert {link for link in made.links if not link.startswith("#")} == {"data:,"}
    assert not any(re.search(r"@import|url\(", text) for text in made.styles)
    assert "default-src 'none'" in made.policy
    assert "http" not in made.policy
    assert not re.search(r"connect-src|\*", made.policy)


def test_no_chart_needs_map_tiles_or_outlines_from_afar(page):
    kinds = {trace["type"] for chart in page().charts.values() for trace in chart["data"]}
    assert kinds == {"scatter", "bar"}


def test_every_chart_has_its_place_and_its_data(page):
    made = page()
    assert set(made.charts) == CHARTS
    assert {given["id"] for tag, given in made.tags if given.get("class") == "chart"} == CHARTS


def test_the_verdict_comes_first(page, fake_run):
    fake_run.requirements = [
        {"figure": "soundings_missing", "at_most": 0},
        {"figure": "xco2_error_mean_abs_ppm", "at_most": 0.5},
    ]
    text = page().text
    assert "fake FAIL Is it right?" in text
    assert "1 of 2 requirements fail (xco2_error_mean_abs_ppm)." in text
    assert "mean XCO2 error is -2 ppm" in text
    assert text.index("FAIL") < text.index("requirement of the mission") < text.index("aerosol: none")
    assert re.search(r"soundings_missing 0 at most 0 pass", text)
    assert re.search(r"xco2_error_mean_abs_ppm 2 ppm at most 0.5 FAIL", text)


def test_the_headline_says_when_what_converged_is_flagged(page, fake_run):
    fake_run.reasons = dict.fromkeys(range(24), 2)
    assert "24 converged, 0 of them with a good flag; their mean" in page().text


def test_accounts_mismatch_and_provenance_are_shown(page):
    text = page().text
    for shown in (
        "256 science 96 93 1 1 1 0",
        "CO2 intensity +0.3 % in truth -0.8",
        "+1.2",
        "fake-ckd",
        "truth 10.0 10.0 101 1",
        "abababababab",
    ):
        assert shown in text


def test_text_of_a_scenario_cannot_end_an_element(page, fake_run):
    fake_run.question = "</script><script>alert(1)</script> & so?"
    made = page()
    assert "</script><script>alert(1)</script> & so?" in made.text
    assert not any("alert" in text for text in made.styles)
    assert "</script" not in html._json({"name": "</script>"})


def test_a_run_without_soundings_still_gets_its_report(fake_run):
    root = fake_run.write()
    for path in (root / "l2").glob("*.nc"):
        path.unlink()
    fake_run.requirements = [{"figure": "xco2_error_mean_abs_ppm", "at_most": 0.5}]
    score(root, fake_run.scenario)
    html.write(root)
    made = Page((root / "report.html").read_text())
    assert set(made.charts) == {"world", "timeline", "latencies", "queue", "stages"}
    assert "None of the 24 soundings observed gave a converged retrieval." in made.text
    assert "xco2_error_mean_abs_ppm none ppm at most 0.5 FAIL" in made.text


def test_a_night_gets_its_report(fake_run):
    """Rows with flags and place, every retrieved number NaN: reasons are counted, nature is drawn."""
    fake_run.errors_ppm = np.full(24, np.nan)
    fake_run.outcome, fake_run.reasons = dict.fromkeys(range(24), 3), dict.fromkeys(range(24), 1)
    fake_run.requirements = [
        {"figure": "soundings_not_attempted_fraction", "at_least": 1, "because": "the Sun is down"},
        {"figure": "kept_error_mean_abs_ppm", "at_most": 0.5},
    ]
    root = fake_run.write()
    for path in (root / "l2").glob("*.nc"):
        with netCDF4.Dataset(path, "a") as file:
            for name in ("psurf", "chi2", "pressure_levels", "co2_profile", "xco2_averaging_kernel"):
                file[name][:] = np.nan
    score(root, fake_run.scenario)
    html.write(root)
    made = Page((root / "report.html").read_text())
    assert set(made.charts) == {"world", "truth", "timeline", "latencies", "queue", "stages"}
    assert "converged retrieval; 24 were not attempted." in made.text
    assert "0 of 24 are kept: dark 24." in made.text
    assert "passes: 1 is at least 1; the limit: the Sun is down" in made.text
    assert "FAIL fails: not measured: no sounding kept" in made.text
    assert list((root / "figures").iterdir()) == []


def test_nature_is_listed_and_its_anomaly_drawn(fake_run):
    anomaly = np.linspace(-2.0, 2.0, 24)
    root = fake_run.write()
    with netCDF4.Dataset(root / "truth.nc", "a") as file:
        file["xco2"][:] = 424.0 + anomaly
    score(root, fake_run.scenario)
    dots = maps.truth(material.gather(root))["data"][-1]["marker"]["color"]
    assert dots == pytest.approx(anomaly, abs=1e-5)
    text = Page(html.render(material.gather(root))).text
    assert "surface ocean relief off wind 7 m/s, whitecaps aerosol off cirrus off" in text


def test_what_the_processors_were_told_is_shown(fake_run):
    root = fake_run.write()
    score(root, fake_run.scenario)
    assert "Nothing: all work with their defaults." in Page(html.render(material.gather(root))).text
    told = fake_run.scenario.model_copy(
        update={"settings": {"l2": {"zero_level": ["B1"], "chi2_limit": 2.0}}}
    )
    score(root, told)
    assert 'l2 zero_level: ["B1"], chi2_limit: 2.0' in Page(html.render(material.gather(root))).text


def test_the_page_and_its_figures_are_written(fake_run):
    root = fake_run.write()
    score(root, fake_run.scenario)
    assert html.write(root) == root / "report.html"
    assert set(Page((root / "report.html").read_text(encoding="utf-8")).charts) == CHARTS
    assert not list(root.glob(".report*"))
    names = {path.name: path.read_bytes()[:8] for path in (fake_run.root / "figures").iterdir()}
    assert set(names) == {"map.png", "along_track.png", "histogram.png", "kernels.png", "spectra.png"}
    assert set(names.values()) == {b"\x89PNG\r\n\x1a\n"}


def test_the_track_shows_what_was_retrieved(gathered, fake_run):
    fake_run.errors_ppm = np.linspace(-1, 1, 24)
    fake_run.outcome = {3: 1}
    retrieved, smoothed, truth, prior = charts.along_track(gathered())["data"]
    assert retrieved["y"] == pytest.approx(np.delete(422 + np.linspace(-1, 1, 24), 3), rel=MICRO)
    assert set(retrieved["error_y"]["array"]) == {0.5}
    assert [set(trace["y"]) for trace in (smoothed, truth, prior)] == [{422.0}, {424.0}, {420.0}]
    assert [smoothed["x"][n] for n in (0, 1, 2, 3)] == pytest.approx([-0.3, 0.0, 0.3, 1.004], abs=1e-5)


def test_the_histogram_holds_every_sounding_and_the_curve_its_number(gathered, fake_run):
    fake_run.errors_ppm = np.array([9.0, *np.zeros(22), -0.6])
    bars, curve = charts.histogram(gathered())["data"]
    assert sum(bars["y"]) == 24
    one_percent = 0.01
    assert np.trapezoid(curve["y"], curve["x"]) / bars["width"] == pytest.approx(24, rel=one_percent)


def test_the_residual_is_drawn_over_the_noise(gathered):
    shown = charts.spectrum(gathered(), 2)["data"]
    assert set(shown[-1]["y"]) == {2.0}  # (1.01e20 - 1e20) / 0.5e18
    assert set(shown[2]["y"]) == {1.0}  # percent of the continuum
    assert set(shown[3]["y"]) == {0.5}


def test_the_memory_is_empty_after_the_pass(gathered):
    made = timeline.timeline(gathered().events)
    steps = [trace for trace in made["data"] if trace["name"] == "memory"]
    assert [trace["xaxis"] for trace in steps] == ["x", "x2"]  # the long wait is cut out
    assert steps[0]["y"] == [0.0, 0.2486, 0.0]
    assert steps[0]["x"][1].startswith("2026-07-01T20:40:00")


def test_a_map_across_the_180_degree_meridian_stays_whole(gathered, fake_run):
    fake_run.longitude = 179.95
    corners, _ = maps.outlines(gathered())
    west, east, south, north = maps.extent(corners)
    three_degrees = 3.0
    assert 0 < east - west < three_degrees
    assert 0 < north - south < three_degrees
    assert west < 180 < east


def test_coast_lines_pass_known_capes_and_stay_small():
    assert material.COASTLINE.stat().st_size <= FORTY_KB
    step = np.linspace(0, 1, 50)[:, None, None]  # along each segment
    lines = material.coast_lines()
    points = np.concatenate([(line[:-1] + step * np.diff(line, axis=0)).reshape(-1, 2) for line in lines])
    capes = {
        "Agulhas": (20.0, -34.83),
        "Comorin": (77.54, 8.08),
        "St Vincent": (-8.99, 37.02),
        "York": (142.5, -10.7),
    }
    for name, place in capes.items():
        assert np.hypot(*(points - place).T).min() < HALF_DEGREE, name
    mid_pacific = np.array([-150.0, 10.0])
    assert np.hypot(*(points - mid_pacific).T).min() > 5 * HALF_DEGREE


@pytest.mark.parametrize(
    ("value", "text"), [(None, "none"), (0, "0"), (120, "120"), (0.1234, "0.123"), (1234.5, "1.23e+03")]
)
def test_numbers_are_short(value, text):
    assert html.number(value) == text


def test_the_template_and_the_coast_are_part_of_the_package():
    folder = Path(html.__file__).parent
    assert (folder / html.TEMPLATE).is_file()
    assert material.COASTLINE.parent == folder
