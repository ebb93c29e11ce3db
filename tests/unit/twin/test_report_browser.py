"""The report in a real browser: every chart is drawn and no request leaves the page.

Skipped where no Chromium is installed (Debian: apt-get install chromium). The browser resolves no host name.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from twin.report import html, material
from twin.verify.score import score

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OWN_HOSTS = (
    "google.com",
    "googleapis.com",
    "gstatic.com",
    "gvt1.com",
)  # services the browser calls by itself
PATIENCE_S = 120

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium installed")


def browse(page: Path, folder: Path) -> tuple[str, set[str]]:
    """Return the document after its scripts ran, and the hosts asked for beyond the browser's own."""
    log = folder / "net.json"
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}"),
        *(f"--log-net-log={log}", "--virtual-time-budget=20000", "--dump-dom", page.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    asked = re.findall(r'"url":"([^"]+)"', log.read_text(errors="replace"))
    hosts = {
        urlsplit(url).hostname or ""
        for url in asked
        if urlsplit(url).scheme in ("http", "https", "ws", "wss")
    }
    return done.stdout, {host for host in hosts if not host.endswith(OWN_HOSTS)}


def test_every_chart_is_drawn_and_nothing_is_fetched(fake_run, tmp_path):
    root = fake_run.write()
    score(root, fake_run.scenario)
    gathered = material.gather(root)
    page = tmp_path / "page.html"
    page.write_text(html.render(gathered), encoding="utf-8")
    document, hosts = browse(page, tmp_path)
    drawn = re.findall(r'<div class="chart js-plotly-plot" id="(\w+)"', document)
    assert set(drawn) == set(html.drawings(gathered))
    assert hosts == set()


@pytest.mark.parametrize(
    "fetching",
    ['<img src="http://image.invalid/x.png">', '<script>fetch("https://script.invalid/data.json")</script>'],
)
def test_a_page_that_fetches_is_found_out(tmp_path, fetching):
    page = tmp_path / "page.html"
    page.write_text(f"<html><body>{fetching}</body></html>")
    _, hosts = browse(page, tmp_path)
    assert {host.partition(".")[2] for host in hosts} == {"invalid"}


def test_the_policy_of_the_report_stops_what_would_fetch(fake_run, tmp_path):
    root = fake_run.write()
    score(root, fake_run.scenario)
    text = html.render(material.gather(root))
    page = tmp_path / "page.html"
    page.write_text(
        text.replace("<body>", '<body><img src="http://image.invalid/x.png">', 1), encoding="utf-8"
    )
    _, hosts = browse(page, tmp_path)
    assert hosts == set()
    assert json.dumps("Content-Security-Policy") in text
