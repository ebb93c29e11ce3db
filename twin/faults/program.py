"""Run a processing step with a fault: `python -m twin.faults.program FAULT STEP JOB.yaml -- COMMAND...`.

The engine says in TWIN_ATTEMPT how often it has tried. A fault strikes at the first attempt only, unless
it lasts; what it does is done to this program or to the files it is about to read, so that the step meets
it as it would in operation.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import yaml

KEPT = ".sound"  # suffix of a file's sound copy, out of the step's sight
SMALL_FILE = 60_000  # octets, where the disk is full
SMALL_MEMORY = 100 * 2**20  # octets of address space: less than a step needs to load its libraries
FOREVER_S = 86_400.0
STRUCK_S = 0.3  # s into its work, when a worker is killed
Command = Sequence[str]
Strike = Callable[[Command, Path], int]


def main(arguments: list[str]) -> int:
    """Strike or let pass; give the exit code of the step."""
    name, _, job, _, *command = arguments
    attempt = int(os.environ.get("TWIN_ATTEMPT", "1"))
    _restore(Path(job))
    return STRIKES[name](attempt)(command, Path(job))


def once(strike: Strike) -> Callable[[int], Strike]:
    return lambda attempt: strike if attempt == 1 else run


def always(strike: Strike) -> Callable[[int], Strike]:
    return lambda attempt: strike


def run(command: Command, job: Path) -> int:
    return _exit_code(subprocess.run(command, check=False).returncode)


def killed(command: Command, job: Path) -> int:
    """Die of SIGKILL while the step works, as by the system's hand."""
    with subprocess.Popen(command) as step:
        time.sleep(STRUCK_S)
        step.kill()
    os.kill(os.getpid(), signal.SIGKILL)
    return 0  # not reached


def crash(command: Command, job: Path) -> int:
    raise RuntimeError("fault injected: the processor crashed")


def hang(command: Command, job: Path) -> int:
    time.sleep(FOREVER_S)
    return 1


def disk_full(command: Command, job: Path) -> int:
    """Refuse the step any file beyond SMALL_FILE octets (EFBIG where a full disk says ENOSPC)."""
    return _limited(resource.RLIMIT_FSIZE, SMALL_FILE, command)


def memory_full(command: Command, job: Path) -> int:
    return _limited(resource.RLIMIT_AS, SMALL_MEMORY, command)


def other_output(command: Command, job: Path) -> int:
    """Deliver, with exit code 0, the product with another sounding's identifiers."""
    import netCDF4

    code = run(command, job)
    for path in _outputs(job):
        with netCDF4.Dataset(path, "r+") as product:
            product["sounding_id"][:] = product["sounding_id"][:] + 10_000
    return code


def torn_output(command: Command, job: Path) -> int:
    """Deliver, with exit code 0, half of the product's file."""
    code = run(command, job)
    for path in _outputs(job):
        os.truncate(path, path.stat().st_size // 2)
    return code


def half_written(command: Command, job: Path) -> int:
    """Let the step read a stream whose second half is still being written."""
    stream = _stream(job)
    whole = stream.read_bytes()
    codes: list[int] = []
    step = threading.Thread(target=lambda: codes.append(run(command, job)))
    with _sound(stream):
        os.truncate(stream, len(whole) // 2)
        step.start()
        with stream.open("ab") as file:
            while step.is_alive():
                file.write(whole[file.tell() :][:1279])
                file.flush()
                time.sleep(0.05)
        step.join()
    return codes[0]


def delivered(change: Callable[[Path], None]) -> Strike:
    """Change the delivered science stream before the step reads it; the station delivers it anew after."""

    def strike(command: Command, job: Path) -> int:
        stream = _stream(job)
        with _sound(stream):
            change(stream)
            return run(command, job)

    return strike


def again(change: Callable[[Path], None]) -> Strike:
    """Run the step, deliver the stream a second time, changed or not, run it again and note what it said."""

    def strike(command: Command, job: Path) -> int:
        code = run(command, job)
        before = _digests(job)
        stream = _stream(job)
        with _sound(stream):
            change(stream)
            second = subprocess.run(command, check=False, capture_output=True, text=True)
        told = {"exit_code": second.returncode, "said": second.stderr.strip()}
        told["product_unchanged"] = _digests(job) == before
        job.with_suffix(".again.json").write_text(json.dumps(told) + "\n")
        return code

    return strike


def withheld(key: str) -> Strike:
    """Run the step while an auxiliary file has not arrived; it is there afterwards."""

    def strike(command: Command, job: Path) -> int:
        path = _input(job, key)
        with _sound(path):
            path.unlink()
            return run(command, job)

    return strike


def expired(command: Command, job: Path) -> int:
    """Run the step with calibration data whose validity has ended; valid ones arrive afterwards."""
    import netCDF4

    path = _input(job, "ckd")
    with _sound(path):
        with netCDF4.Dataset(path, "r+") as ckd:
            ckd.validity_start, ckd.validity_end = "2000-01-01T00:00:00Z", "2000-12-31T00:00:00Z"
        return run(command, job)


def truncate(stream: Path) -> None:
    os.truncate(stream, stream.stat().st_size // 2)


def empty(stream: Path) -> None:
    os.truncate(stream, 0)


def rename(stream: Path) -> None:
    os.replace(stream, stream.with_name(f"copy_of_{stream.name}"))


def alter(stream: Path) -> None:
    """Change one octet: same name, same length, other content."""
    octets = bytearray(stream.read_bytes())
    octets[len(octets) // 2] ^= 0xFF
    stream.write_bytes(bytes(octets))


def leave(stream: Path) -> None:
    """Deliver the same again."""


STRIKES: dict[str, Callable[[int], Strike]] = {
    "worker_killed": once(killed),
    "processor_crash": once(crash),
    "processor_crash_lasting": always(crash),
    "processor_hang": once(hang),
    "wrong_output": once(other_output),
    "torn_output": once(torn_output),
    "disk_full": once(disk_full),
    "memory_full": once(memory_full),
    "file_truncated": once(delivered(truncate)),
    "file_empty": once(delivered(empty)),
    "file_half_written": once(half_written),
    "file_renamed": once(delivered(rename)),
    "file_checksum_mismatch": once(delivered(alter)),
    "file_late": once(delivered(Path.unlink)),
    "file_redelivered_changed": once(again(alter)),
    "file_duplicated": once(again(leave)),
    "prior_missing": once(withheld("prior")),
    "ckd_expired": once(expired),
}


def _limited(kind: int, limit: int, command: Command) -> int:
    """Run the step under a limit of its own."""
    return _exit_code(
        subprocess.run(
            command, check=False, preexec_fn=lambda: resource.setrlimit(kind, (limit, limit))
        ).returncode
    )


def _exit_code(code: int) -> int:
    """Give the exit code of a step; one that a signal ended counts as failed."""
    return code if code >= 0 else 128 - code


def _order(job: Path) -> dict[str, dict[str, str | list[str]]]:
    order: dict[str, dict[str, str | list[str]]] = yaml.safe_load(job.read_text(encoding="utf-8"))
    return order


def _input(job: Path, key: str) -> Path:
    return Path(str(_order(job)["inputs"][key]))


def _stream(job: Path) -> Path:
    """Name the first stream of the job, that of science."""
    return Path(_order(job)["inputs"]["stream"][0])


def _outputs(job: Path) -> list[Path]:
    paths: list[Path] = []
    for given in _order(job)["outputs"].values():
        paths += [Path(given)] if isinstance(given, str) else [Path(each) for each in given]
    return paths


def _digests(job: Path) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in _outputs(job)]


@contextlib.contextmanager
def _sound(path: Path) -> Iterator[None]:
    """Keep a sound copy of a file beside it while something is done to it, and put it back afterwards."""
    kept, partial = path.with_name(path.name + KEPT), path.with_name(f"{path.name}.part")
    shutil.copyfile(path, partial)
    os.replace(partial, kept)
    try:
        yield
    finally:
        os.replace(kept, path)


def _restore(job: Path) -> None:
    """Put back the inputs that an attempt which was stopped left as it had made them."""
    for given in _order(job)["inputs"].values():
        for path in map(Path, [given] if isinstance(given, str) else given):
            kept = path.with_name(path.name + KEPT)
            if kept.exists():
                os.replace(kept, path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
