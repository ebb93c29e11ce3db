"""The engine with tiny real programs: slots, measures, retries, failures, resume and interruption."""

import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from twin.engine import Engine, Task, headline
from twin.errors import BadInput, ProgramFailed
from twin.ledger import Ledger

spin_s = 0.4  # s of processor time the measured program burns
spin_slack_s = 0.35  # s, interpreter start and clock ticks
ballast_mb = 120.0  # MB the measured program fills
side_by_side_s = 1.0  # s each of two sleepers takes


@pytest.fixture
def engine(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    yield Engine(ledger, 2, tmp_path)
    ledger.close()


def python(tmp_path: Path, name: str, code: str, *outputs: str, **options) -> Task:
    return Task(
        task_id=name,
        stage="test",
        command=(sys.executable, "-c", code),
        log=tmp_path / "jobs" / f"{name}.log",
        outputs=tuple(tmp_path / output for output in outputs),
        **options,
    )


def test_time_and_memory_are_those_of_the_program(engine, tmp_path):
    code = (
        f"import time\nx = bytearray({int(ballast_mb)} * 2**20)\n"
        f"while time.process_time() < {spin_s}: pass\nopen('out', 'w')"
    )
    engine.run([python(tmp_path, "spin", code, "out")])
    row = engine.ledger.get("spin")
    assert (row.state, row.exit_code, row.attempts) == ("done", 0, 1)
    assert spin_s <= row.cpu_s <= spin_s + spin_slack_s
    assert row.wall_s >= spin_s
    own_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # counted until exec
    assert ballast_mb <= row.peak_rss_mb <= max(2 * ballast_mb, own_mb + 1.0)


def test_two_slots_work_side_by_side(engine, tmp_path):
    code = (
        "import sys, time\nt = time.time()\ntime.sleep({s})\nopen('{n}', 'w').write(f'{{t}} {{time.time()}}')"
    )
    engine.run([python(tmp_path, n, code.format(s=side_by_side_s, n=n), n) for n in "abc"])
    spans = {n: tuple(map(float, (tmp_path / n).read_text().split())) for n in "abc"}
    assert spans["b"][0] < spans["a"][1]  # the second starts before the first ends
    assert spans["c"][0] >= min(spans["a"][1], spans["b"][1])  # the third waits for a slot


def test_a_done_task_is_not_run_again_unless_its_output_is_gone(engine, tmp_path):
    task = python(tmp_path, "count", "open('runs', 'a').write('x'); open('out', 'w')", "out")
    engine.run([task])
    engine.run([task])
    assert (tmp_path / "runs").read_text() == "x"
    (tmp_path / "out").unlink()
    engine.run([task])
    assert (tmp_path / "runs").read_text() == "xx"


def test_a_killed_program_is_started_once_more(engine, tmp_path):
    code = (
        "import os, pathlib\n"
        "if not pathlib.Path('mark').exists():\n    open('mark', 'w')\n    os.kill(os.getpid(), 9)\n"
        "open('out', 'w')"
    )
    engine.run([python(tmp_path, "victim", code, "out")])
    row = engine.ledger.get("victim")
    assert (row.state, row.attempts) == ("done", 2)


def test_a_program_killed_twice_has_failed(engine, tmp_path):
    with pytest.raises(ProgramFailed, match="victim: exit code -9"):
        engine.run([python(tmp_path, "victim", "import os; os.kill(os.getpid(), 9)", "out")])
    assert engine.ledger.get("victim").attempts == 2


def test_a_failure_is_recorded_reported_and_stops_the_stage(engine, tmp_path):
    bad = python(tmp_path, "bad", "import sys; sys.exit('l1.nc: expected a file, got none: make it')", "x")
    rest = [python(tmp_path, n, f"import time; time.sleep(0.3); open('{n}', 'w')", n) for n in "abcd"]
    with pytest.raises(
        ProgramFailed, match=r"bad: exit code 1: l1.nc: expected a file, got none: make it; see"
    ):
        engine.run([bad, *rest])
    row = engine.ledger.get("bad")
    assert (row.state, row.exit_code, row.attempts) == ("failed", 1, 1)
    assert "expected a file" in row.error_tail
    assert engine.ledger.get("a").state == "done"  # was at work: its result is kept
    assert engine.ledger.get("d") is None  # was waiting: not begun


def test_success_without_the_output_is_a_failure(engine, tmp_path):
    with pytest.raises(ProgramFailed, match="ended without its output"):
        engine.run([python(tmp_path, "idle", "pass", "out")])


def test_exit_code_2_of_the_twins_own_program_is_bad_input(engine, tmp_path):
    code = "import sys; print('scenario.yaml: expected day', file=sys.stderr); sys.exit(2)"
    with pytest.raises(BadInput, match=r"^scenario.yaml: expected day$"):
        engine.run([python(tmp_path, "own", code, "out", own=True)])
    with pytest.raises(ProgramFailed):
        engine.run([python(tmp_path, "processor", code, "out")])


def test_a_program_beyond_its_time_is_killed_with_what_it_started(engine, tmp_path):
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('pid', 'w').write(str(child.pid))\ntime.sleep(60)"
    )
    with pytest.raises(ProgramFailed, match="expected an end within 1 s"):
        engine.run([python(tmp_path, "slow", code, "out", timeout_s=1.0)])
    assert engine.ledger.get("slow").state == "timeout"
    assert _ends(int((tmp_path / "pid").read_text()))


def test_an_interruption_ends_the_programs_and_says_so(engine, tmp_path):
    task = python(
        tmp_path, "long", "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)", "out"
    )
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        engine.run([task])
    assert engine.ledger.get("long").state == "interrupted"
    assert _ends(int((tmp_path / "pid").read_text()))


def test_programs_get_one_thread_and_no_modules_from_the_working_directory(engine, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')")
    code = "import os, json; open('out', 'w').write(os.environ['OMP_NUM_THREADS'] + str(hash('kernel')))"
    engine.run([python(tmp_path, "env", code, "out")])
    once = (tmp_path / "out").read_text()
    assert once[0] == "1"
    engine.run([python(tmp_path, "again", code.replace("'out'", "'second'"), "second")])
    assert (tmp_path / "second").read_text() == once  # and hash alike


def test_progress_counts_finished_files(engine, tmp_path):
    seen = []
    engine.run([python(tmp_path, "two", "open('a', 'w'); open('b', 'w')", "a", "b")], seen.append)
    assert seen[-1] == 2
    assert seen == sorted(seen)


def test_a_missing_executable_is_bad_input(engine, tmp_path):
    task = Task("none", "test", ("/no/such/program",), tmp_path / "log", ())
    with pytest.raises(BadInput, match="expected an executable"):
        engine.run([task])


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("", "no message"),
        ("a.yaml: expected x\nmore\n", "a.yaml: expected x"),
        ("/x.py:3: UserWarning: old\n  warn()\nl1: no\n", "l1: no"),
        ("Traceback (most recent call last):\n  File\nValueError: no\n", "ValueError: no"),
    ],
)
def test_the_line_that_says_what_went_wrong(log, line):
    assert headline(log) == line


def _ends(pid: int) -> bool:
    """Wait until the process is gone or a zombie."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def attempts_of(tmp_path: Path, good: int) -> str:
    """A program that succeeds at its attempt number `good`."""
    late = f"int(os.environ['TWIN_ATTEMPT']) >= {good}"
    return f"import os, sys\nopen('out', 'w') if {late} else sys.exit(3)"


def test_a_task_is_repeated_after_any_failure_when_it_says_so(engine, tmp_path):
    engine.run([python(tmp_path, "t", attempts_of(tmp_path, 3), "out", attempts=3, retry_always=True)])
    row = engine.ledger.get("t")
    assert (row.state, row.attempts) == ("done", 3)


def test_a_task_that_may_fail_ends_nothing_and_is_not_tried_again(engine, tmp_path):
    bad = python(tmp_path, "t", attempts_of(tmp_path, 9), "out", attempts=2, retry_always=True, may_fail=True)
    good = python(tmp_path, "g", "open('there', 'w')", "there")
    engine.run([bad, good])
    assert (engine.ledger.get("t").state, engine.ledger.get("t").attempts) == ("failed", 2)
    assert engine.ledger.get("g").state == "done"
    assert engine.is_done(bad)
    started = engine.ledger.get("t").started_unix_s
    engine.run([bad])
    assert engine.ledger.get("t").started_unix_s == started


def test_a_task_that_may_fail_is_repeated_when_killed_and_not_when_it_ended_by_itself(engine, tmp_path):
    code = "import os; open('runs', 'a').write('x'); os.kill(os.getpid(), 9)"
    killed = python(tmp_path, "k", code, "out", may_fail=True)
    ended = python(tmp_path, "e", "open('ended', 'a').write('x'); raise SystemExit(1)", "out2", may_fail=True)
    for _ in range(2):
        engine.run([killed, ended])
    assert (tmp_path / "runs").read_text() == "xx"
    assert (tmp_path / "ended").read_text() == "x"


def test_an_output_that_its_check_refuses_is_put_aside(engine, tmp_path):
    def check(path: Path) -> str:
        return "" if path.read_text() == "good" else f"{path.name}: not good"

    code = "import os\nopen('out', 'w').write('good' if os.environ['TWIN_ATTEMPT'] == '2' else 'bad')"
    engine.run([python(tmp_path, "t", code, "out", check=check, retry_always=True)])
    assert (tmp_path / "out").read_text() == "good"
    assert (tmp_path / "out.refused").read_text() == "bad"
    with pytest.raises(ProgramFailed, match="out2: not good"):
        engine.run([python(tmp_path, "u", "open('out2', 'w').write('bad')", "out2", check=check)])
