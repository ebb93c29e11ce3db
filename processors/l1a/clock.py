"""Find the packets that were stamped while the on-board clock was wrong."""

from __future__ import annotations

import numpy as np

OFFSET_LIMIT_S = 0.1  # [A] of the clock against the station's that is still right
STEP_LIMIT_S = 1e-3  # [A] of a step of time against the count of frames or packets
STATE_PERIOD_S = 1.0  # [A] attitude packets
COUNTS = 16_384  # packet sequence counts before they start again


def first_suspect(time: np.ndarray, boot: np.ndarray, count: np.ndarray, period: float, offset: float) -> int:
    """Return the place of the first stamp that is not to be trusted, the number of stamps when all are.

    time  (stamp) s without jumps;  boot, count  (stamp) boots, and frames or packets since, in the order they
    were made;  period  s between two counts;  offset  s, of the clock at the pass that follows, NaN where
    unknown

    Time that runs back, or less than the counts need, is wrong whatever the offset. With a wrong clock at the
    pass every step that is not the counts' own may be the one at which it failed; where the clock is not seen
    to fail it had failed before.
    """
    same = np.diff(boot) == 0
    step = np.where(same, np.diff(time) - period * np.diff(count), np.minimum(np.diff(time), 0.0))
    wrong = np.abs(offset) > OFFSET_LIMIT_S  # not for NaN
    broken = np.flatnonzero(np.abs(step) > STEP_LIMIT_S if wrong else step < -STEP_LIMIT_S)
    if wrong and not _seen_to_fail(step, offset):
        return 0
    return int(broken[0]) + 1 if broken.size else time.size


def _seen_to_fail(step: np.ndarray, offset: float) -> bool:
    """Say whether a clock fails at a step: back in time, by all of its offset, or by drifting from there on.

    A pause between two observations is none of these: the clock may have been wrong before it.
    """
    broken = np.abs(step) > STEP_LIMIT_S
    drifts = ~broken[:-2] & broken[1:-1] & broken[2:]
    fails = (step < -STEP_LIMIT_S) | (broken & (np.abs(step - offset) <= OFFSET_LIMIT_S))
    return bool(fails.any() or drifts.any())


def unwrap(count: np.ndarray) -> np.ndarray:
    """Continue packet sequence counts past their wrap, in the order received."""
    step = (np.diff(count) + COUNTS // 2) % COUNTS - COUNTS // 2
    return count[:1].sum() + np.concatenate([[0], np.cumsum(step)])[: count.size]
