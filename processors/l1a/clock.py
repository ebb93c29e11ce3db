"""Find the packets that were stamped while the on-board clock was wrong."""

from __future__ import annotations

import numpy as np

OFFSET_LIMIT_S = 0.1  # [A] of the clock against the station's that is still right
STEP_LIMIT_S = 1e-3  # [A] of a step of time against the count of frames or packets
JUMP_ERROR_S = 0.05  # [A] between a jump and the offset it leaves
TURN_S = 60.0  # [A] the longest turn between two sweeps
LARGEST_DRIFT = 0.1  # [A] s s-1, of a clock that runs away; a pause is longer
STATE_PERIOD_S = 1.0  # [A] attitude packets
COUNTS = 16_384  # packet sequence counts before they start again


def first_suspect(
    time: np.ndarray,
    boot: np.ndarray,
    count: np.ndarray,
    period: float,
    offset: float,
    leap: np.ndarray | float = 0.0,
) -> int:
    """Return the place of the first stamp that is not to be trusted, the number of stamps when all are.

    time  (stamp) s without jumps;  boot, count  (stamp) boots, and frames or packets since, in the order they
    were made;  period  s between two counts;  offset  s, of the clock at the pass that follows, in UTC, NaN
    where unknown;  leap  (stamp) s, of the scale without jumps less UTC

    Where time runs back, or is less than the counts need, and the clock is right at the pass, it was wrong
    before, nobody knows since when. With a wrong clock the stamps before its failure are right, if that shows
    among them: as a step of the size of the offset, or as the begin of a drift. A pause is neither.
    """
    same = np.diff(boot) == 0
    needed = period * np.diff(count)
    step = np.where(same, np.diff(time) - needed, np.minimum(np.diff(time), 0.0))
    if not np.abs(offset) > OFFSET_LIMIT_S:  # NaN, too
        return 0 if (step < -STEP_LIMIT_S).any() else time.size
    shown = offset + np.diff(np.broadcast_to(leap, time.shape))
    failed = np.flatnonzero(_jump(step, shown) | _drift(step, needed))[:1]
    if not failed.size or (step[: failed[0]] < -STEP_LIMIT_S).any():
        return 0
    return int(failed[0]) + 1


def _jump(step: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Find the steps that explain the offset, also a large one within the turn between two sweeps."""
    rest = step - offset
    return (np.abs(rest) <= JUMP_ERROR_S) | ((offset > TURN_S) & (rest > 0.0) & (rest <= TURN_S))


def _drift(step: np.ndarray, needed: np.ndarray) -> np.ndarray:
    """Find the last step that is the counts' own, if those after it are not and any is short: a drift.

    The stamp it leads to may be off already, by less than the limit.
    """
    begins = np.zeros(step.size, bool)
    own = np.flatnonzero(np.abs(step) <= STEP_LIMIT_S)
    short = np.abs(step) <= LARGEST_DRIFT * needed
    if own.size and short[own[-1] + 1 :].any():
        begins[own[-1]] = True
    return begins


def unwrap(count: np.ndarray) -> np.ndarray:
    """Continue packet sequence counts past their wrap, in the order received."""
    step = (np.diff(count) + COUNTS // 2) % COUNTS - COUNTS // 2
    return count[:1].sum() + np.concatenate([[0], np.cumsum(step)])[: count.size]
