"""Run one processing step: `python -m processors STEP JOB.yaml`; exit code 0 done, 2 bad input, 3 failed."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

from processors import job as job_order

DONE, BAD_INPUT, FAILED = 0, 2, 3


def main(arguments: list[str]) -> int:
    log: Path | None = None
    try:
        order = _job(arguments)
        log = order.log
        importlib.import_module(f"processors.{order.step}.step").run(order)
    except job_order.BadInput as error:
        return _complain(str(error), BAD_INPUT)
    except Exception as error:
        _keep_traceback(log)
        said = str(error) or "no message"
        if not isinstance(error, job_order.ProcessorError):
            said = f"{type(error).__name__}: {said}"
        return _complain(f"{arguments[0]}: {said}", FAILED)
    return DONE


def _job(arguments: list[str]) -> job_order.Job:
    steps = ", ".join(job_order.STEPS)
    if len(arguments) != 2:
        raise job_order.BadInput(
            f"command line: expected STEP JOB.yaml, got {len(arguments)} arguments: "
            f"run `python -m processors STEP JOB.yaml` with STEP one of {steps}"
        )
    step, path = arguments
    if step not in job_order.STEPS:
        raise job_order.BadInput(
            f"command line: expected a step out of {steps}, got {step!r}: correct the step"
        )
    order = job_order.load(Path(path))
    if order.step != step:
        raise job_order.BadInput(
            f"{path}: expected step {step!r} as on the command line, got {order.step!r}: correct one of them"
        )
    return order


def _complain(message: str, code: int) -> int:
    print(" ".join(message.split()), file=sys.stderr)
    return code


def _keep_traceback(log: Path | None) -> None:
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(traceback.format_exc())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
