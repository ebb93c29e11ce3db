"""Job orders: what is accepted, what is refused and how the program says so."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from processors import __main__ as program
from processors import job
from processors.job import BadInput, ProcessorError

one_second = 1.0


@pytest.fixture
def order(tmp_path: Path) -> dict:
    for name in ("a.nc", "b.nc", "ckd.nc"):
        (tmp_path / name).touch()
    return {
        "step": "l1b",
        "inputs": {"l1a": [str(tmp_path / "a.nc"), str(tmp_path / "b.nc")], "ckd": str(tmp_path / "ckd.nc")},
        "outputs": {"l1b": [str(tmp_path / "x.nc"), str(tmp_path / "y.nc")]},
        "settings": {},
        "scenario_hash": "0123abcd",
        "cache": str(tmp_path / "cache"),
    }


def put(folder: Path, order: object) -> Path:
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(order))
    return path


def refusal(folder: Path, order: object) -> str:
    with pytest.raises(BadInput) as caught:
        job.load(put(folder, order))
    return str(caught.value)


def test_order_becomes_job(tmp_path, order):
    loaded = job.load(put(tmp_path, order))
    assert loaded.step == "l1b"
    assert loaded.scenario_hash == "0123abcd"
    assert loaded.cache == tmp_path / "cache"
    assert loaded.input("ckd") == tmp_path / "ckd.nc"
    assert loaded.pairs("l1a", "l1b") == [
        (tmp_path / "a.nc", tmp_path / "x.nc"),
        (tmp_path / "b.nc", tmp_path / "y.nc"),
    ]


def test_settings_cache_and_log_may_be_left_out(tmp_path, order):
    del order["settings"], order["cache"]
    loaded = job.load(put(tmp_path, order))
    assert (loaded.settings, loaded.cache, loaded.log) == ({}, None, None)


def test_one_path_is_wanted_where_one_is_read(tmp_path, order):
    loaded = job.load(put(tmp_path, order))
    with pytest.raises(BadInput, match=r"one path at inputs\.l1a, got 2"):
        loaded.input("l1a")


def test_pairs_need_equal_numbers(tmp_path, order):
    order["outputs"]["l1b"].pop()
    with pytest.raises(BadInput, match="got 1 and 2"):
        job.load(put(tmp_path, order)).pairs("l1a", "l1b")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": "l1b"}, "did you mean 'step'?"),
        ({"step": "l5"}, "one of l0, l1a, l1b, l2, got 'l5'"),
        ({"step": ["l1b"]}, "one of l0, l1a, l1b, l2, got ['l1b']"),
        ({"inputs": {}}, "expected inputs.l1a, got none"),
        ({"inputs": None}, "expected inputs as a mapping of names, got NoneType"),
        ({"outputs": {"l1b": "x.nc", "l1c": "y.nc"}}, "outputs: expected keys out of l1b, got 'l1c'"),
        ({"outputs": {"l1b": []}}, "expected a path or a list of paths at outputs.l1b, got []"),
        ({"outputs": {"l1b": 7}}, "at outputs.l1b, got 7"),
        ({"cache": 7}, "expected a path at cache, got 7"),
        ({"settings": ["a"]}, "expected settings as a mapping of names, got list"),
    ],
)
def test_wrong_order_is_refused(tmp_path, order, change, said):
    assert said in refusal(tmp_path, {**order, **change})


def test_missing_input_file_is_named(tmp_path, order):
    (tmp_path / "b.nc").unlink()
    assert refusal(tmp_path, order).startswith(f"{tmp_path / 'b.nc'}: expected a file for inputs.l1a")


def test_unreadable_orders_are_refused(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        job.load(tmp_path / "none.yaml")
    (tmp_path / "job.yaml").write_text("step: [l1b\n")
    with pytest.raises(BadInput, match="expected a YAML job order"):
        job.load(tmp_path / "job.yaml")
    (tmp_path / "job.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="expected a YAML job order"):
        job.load(tmp_path / "job.yaml")
    assert "expected job order as a mapping of names, got list" in refusal(tmp_path, ["step"])


def test_options_overlay_defaults(tmp_path, order):
    order["settings"] = {"depth": 2}
    loaded = job.load(put(tmp_path, order))
    assert loaded.options({"depth": 1.0, "deep": False}) == {"depth": 2, "deep": False}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dpth": 2.0}, "did you mean 'depth'"),
        ({"depth": "two"}, "settings.depth: expected float, got 'two'"),
        ({"depth": True}, "expected float, got True"),
        ({"deep": 1}, "expected bool, got 1"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, order, settings, said):
    loaded = job.load(put(tmp_path, {**order, "settings": settings}))
    with pytest.raises(BadInput) as caught:
        loaded.options({"depth": 1.0, "deep": False})
    assert said in str(caught.value)


def run_with(monkeypatch, run) -> None:
    """Put `run` in the place of the l1b step."""
    monkeypatch.setattr(program.importlib, "import_module", lambda name: type("step", (), {"run": run}))


def failing(error: Exception):
    def run(order):
        raise error

    return staticmethod(run)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BadInput("a.nc: expected\n this"), program.BAD_INPUT, "a.nc: expected this\n"),
        (ProcessorError("no sounding left"), program.FAILED, "l1b: no sounding left\n"),
        (ZeroDivisionError("division by zero"), program.FAILED, "l1b: ZeroDivisionError: division by zero\n"),
        (KeyError(), program.FAILED, "l1b: KeyError: no message\n"),
    ],
)
def test_exit_code_and_one_line_for_each_kind_of_error(
    monkeypatch, capsys, tmp_path, order, error, code, said
):
    run_with(monkeypatch, failing(error))
    assert program.main(["l1b", str(put(tmp_path, order))]) == code
    assert capsys.readouterr() == ("", said)


def test_finished_step_is_silent(monkeypatch, capsys, tmp_path, order):
    seen = []
    run_with(monkeypatch, staticmethod(seen.append))
    assert program.main(["l1b", str(put(tmp_path, order))]) == program.DONE
    assert capsys.readouterr() == ("", "")
    assert seen[0].step == "l1b"


def test_traceback_goes_to_the_log_only(monkeypatch, capsys, tmp_path, order):
    run_with(monkeypatch, failing(ZeroDivisionError("division by zero")))
    log = tmp_path / "logs" / "l1b.log"
    program.main(["l1b", str(put(tmp_path, {**order, "log": str(log)}))])
    assert "Traceback" not in capsys.readouterr().err
    assert log.read_text().startswith("Traceback")


@pytest.mark.parametrize(
    "arguments", [[], ["l1b"], ["l9", "job.yaml"], ["l1b", "a", "b"], ["l1b", "none.yaml"]]
)
def test_wrong_command_line_is_bad_input(capsys, arguments):
    assert program.main(arguments) == program.BAD_INPUT
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_step_must_agree_with_the_order(capsys, tmp_path, order):
    assert program.main(["l2", str(put(tmp_path, order))]) == program.BAD_INPUT
    assert "expected step 'l2' as on the command line, got 'l1b'" in capsys.readouterr().err


def test_program_starts_within_a_second_of_processor_time(tmp_path):
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "processors", "l1b", str(tmp_path / "none.yaml")],
        capture_output=True,
        text=True,
    )
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime < one_second
    assert done.returncode == program.BAD_INPUT
    assert "Traceback" not in done.stderr
