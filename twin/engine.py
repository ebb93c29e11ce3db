"""Run programs side by side in a few slots, measure each, and write what happened into the ledger."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.errors import BadInput, ProgramFailed
from twin.ledger import Ledger, Row

POLL_S = 0.02  # s, between looks at the running programs
GRACE_S = 3.0  # s, from the request to end to the kill
ATTEMPTS = 2  # a program killed by a signal is started once more
TAIL_CHARACTERS = 2000
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# Kernels are compiled in an order that hangs on Python's hashes: with some the same code is a quarter slower
EVERYWHERE = {"PYTHONSAFEPATH": "1", "PYTHONHASHSEED": "0"}
MAXRSS_PER_MB = 1024.0 * 1024.0 if sys.platform == "darwin" else 1024.0  # ru_maxrss: bytes there, KiB here


@dataclass(frozen=True)
class Task:
    """A program to run; it is done when it ends with 0 and all its outputs exist."""

    task_id: str
    stage: str
    command: tuple[str, ...]
    log: Path  # standard output and error
    outputs: tuple[Path, ...]
    granule: str = ""
    timeout_s: float = 1800.0
    own: bool = False  # a program of the twin: its exit code 2 speaks of the scenario
    check: Callable[[Path], str] | None = None  # what is wrong with an output; empty when nothing
    attempts: int = ATTEMPTS
    retry_always: bool = False  # after any failure, not only when a signal killed it
    may_fail: bool = False  # its last failure is written down and ends nothing


@dataclass
class _Running:
    task: Task
    process: subprocess.Popen[bytes]
    attempt: int
    started_unix_s: float
    started_s: float  # monotonic
    timed_out: bool = False


@dataclass(frozen=True)
class Engine:
    """Slots, ledger and working directory shared by the stages of one run."""

    ledger: Ledger
    workers: int
    directory: Path

    def run(self, tasks: Sequence[Task], progress: Callable[[int], None] = lambda done: None) -> None:
        """Run what is not done yet; `progress` gets the number of finished output files."""
        outputs = [path for task in tasks for path in task.outputs]
        waiting = deque((task, 1) for task in tasks if not self.is_done(task))
        running: list[_Running] = []
        failure: Exception | None = None
        try:
            while running or (waiting and failure is None):
                while waiting and failure is None and len(running) < self.workers:
                    running.append(self._start(*waiting.popleft()))
                time.sleep(POLL_S)
                for ended, row in self._reap(running):
                    if _again(ended.task, row):
                        waiting.appendleft((ended.task, ended.attempt + 1))
                    elif row.state != "done" and not ended.task.may_fail:
                        failure = failure or _failure(ended.task, row)
                progress(sum(path.exists() for path in outputs))
        except BaseException:
            self._stop(running)
            raise
        if failure is not None:
            raise failure

    def is_done(self, task: Task) -> bool:
        """Tell whether a task has nothing left to do: done, or failed for good where it may."""
        row = self.ledger.get(task.task_id)
        if row is None or row.command != " ".join(task.command):
            return False
        if row.state == "done":
            return all(path.exists() for path in task.outputs)
        return task.may_fail and row.state in ("failed", "timeout") and not _again(task, row)

    def _start(self, task: Task, attempt: int) -> _Running:
        task.log.parent.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ, **EVERYWHERE, **dict.fromkeys(ONE_THREAD, "1"))
        environment["TWIN_ATTEMPT"] = str(attempt)
        started = time.time(), time.monotonic()
        try:
            with task.log.open("wb" if attempt == 1 else "ab") as log:
                process = subprocess.Popen(
                    task.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.directory,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise BadInput(f"{task.command[0]}: expected an executable, got {error.strerror}") from None
        run = _Running(task, process, attempt, *started)
        self.ledger.put(_row(run, "running", None, 0.0, 0.0))
        return run

    def _reap(self, running: list[_Running], stopped: bool = False) -> list[tuple[_Running, Row]]:
        """Take the programs that ended, or were `stopped`, off the list and write their figures down."""
        ended = []
        for run in list(running):
            pid, status, usage = os.wait4(run.process.pid, os.WNOHANG)
            if pid == 0:
                if time.monotonic() - run.started_s > run.task.timeout_s and not run.timed_out:
                    run.timed_out = True
                    _signal(run, signal.SIGKILL)
                continue
            running.remove(run)
            code = run.process.returncode = os.waitstatus_to_exitcode(status)
            cpu_s = usage.ru_utime + usage.ru_stime
            state, why = ("interrupted", "") if stopped else _state(run, code)
            row = _row(run, state, code, cpu_s, usage.ru_maxrss / MAXRSS_PER_MB, why)
            self.ledger.put(row)
            ended.append((run, row))
        return ended

    def _stop(self, running: list[_Running]) -> None:
        """End every program, kindly first, and leave the ledger saying so."""
        for run in running:
            _signal(run, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while running and time.monotonic() < deadline:
            self._reap(running, stopped=True)
            time.sleep(POLL_S)
        for run in running:
            _signal(run, signal.SIGKILL)
        while running:
            self._reap(running, stopped=True)
            time.sleep(POLL_S)


def _again(task: Task, row: Row) -> bool:
    """Tell whether a program that ended is to be started once more."""
    if row.state == "done" or row.attempts >= task.attempts:
        return False
    return task.retry_always or (row.state == "failed" and (row.exit_code or 0) < 0)


def _state(run: _Running, code: int) -> tuple[str, str]:
    """Return the state of a program that ended, and what is wrong with an output it left."""
    if run.timed_out:
        return "timeout", ""
    if code != 0:
        return "failed", ""
    lacking = [path for path in run.task.outputs if not path.exists()]
    if lacking:
        return "failed", f"ended without its output {lacking[0]}"
    check = run.task.check
    wrong = [(path, why) for path in run.task.outputs if check and (why := check(path))]
    for path, _ in wrong:
        os.replace(path, path.with_name(f"{path.name}.refused"))
    return ("failed", wrong[0][1]) if wrong else ("done", "")


def _signal(run: _Running, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.process.pid, number)


def _row(run: _Running, state: str, code: int | None, cpu_s: float, peak_rss_mb: float, why: str = "") -> Row:
    task = run.task
    tail = "" if state in ("running", "done") else why or _text(task.log)[-TAIL_CHARACTERS:]
    wall_s = 0.0 if state == "running" else time.monotonic() - run.started_s
    return Row(
        task_id=task.task_id,
        stage=task.stage,
        granule=task.granule,
        state=state,
        attempts=run.attempt,
        exit_code=code,
        started_unix_s=run.started_unix_s,
        wall_s=round(wall_s, 3),
        cpu_s=round(cpu_s, 3),
        peak_rss_mb=round(peak_rss_mb, 1),
        command=" ".join(task.command),
        error_tail=tail,
    )


def _failure(task: Task, row: Row) -> Exception:
    line = headline(_text(task.log))
    if row.state == "timeout":
        return ProgramFailed(f"{task.task_id}: expected an end within {task.timeout_s:.0f} s; see {task.log}")
    if task.own and row.exit_code == BadInput.exit_code:
        return BadInput(line)
    if row.exit_code == 0:
        return ProgramFailed(f"{task.task_id}: {row.error_tail}")
    return ProgramFailed(f"{task.task_id}: exit code {row.exit_code}: {line}; see {task.log}")


def headline(log: str) -> str:
    """Pick the line that says what went wrong: the last of a traceback, else the first that is no warning."""
    lines = [line for line in log.splitlines() if line.strip()]
    if not lines:
        return "no message"
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        return lines[-1].strip()
    said = [line for line in lines if "Warning" not in line and not line.startswith(" ")]
    return (said or lines)[0].strip()


def _text(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
