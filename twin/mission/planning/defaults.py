"""Choose what to observe where nothing is asked for: nadir over sunlit land, glint over sunlit sea."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from twin.mission import earth, orbit, pointing, programming
from twin.mission.planning import limits, pointings
from twin.mission.planning.landmask import is_land
from twin.mission.resources import slew_us

MODES = ("", "nadir", "glint")  # of a step, by number
NONE, NADIR, GLINT = range(3)


@dataclass(eq=False)
class Grid:
    """Steps of 10 s; step k lasts from time k to k + 1."""

    times_us: np.ndarray  # (step + 1,) int64 GPS us
    modes: np.ndarray  # (step,) NONE, NADIR or GLINT
    bodies: dict[int, np.ndarray]  # mode -> attitude (step + 1, 3, 3) at the times
    sza_deg: np.ndarray  # (step + 1,) solar zenith angle below the satellite

    def run_ends(self) -> list[tuple[int, int, int]]:
        """Return mode, first step and the step after the last of each run with a mode."""
        return [run for run in runs(self.modes) if run[0] != NONE]

    def resume(self, end_us: int, body: np.ndarray) -> int:
        """Return the first step that the default observation can take up after an attitude at a time."""
        first = int(np.searchsorted(self.times_us[:-1], end_us))
        steps = first + np.flatnonzero(self.modes[first:])
        for k in steps.tolist():
            if self.times_us[k] - end_us >= self._slew_us(k, k, body):
                return k
        return len(self.modes)

    def leave(self, start_us: int, body: np.ndarray) -> int:
        """Return the step before which the default observation must end for an attitude at a time."""
        last = int(np.searchsorted(self.times_us, start_us, side="right")) - 1
        for k in np.flatnonzero(self.modes[: max(last, 0)])[::-1].tolist():
            if start_us - self.times_us[k + 1] >= self._slew_us(k, k + 1, body):
                return k + 1
        return 0

    def _slew_us(self, step: int, at: int, body: np.ndarray) -> int:
        held = self.bodies[int(self.modes[step])][at]
        return slew_us(float(pointings.turn_deg(held, body))) + limits.SPARE_US


def runs(values: np.ndarray) -> list[tuple[int, int, int]]:
    """Return value, first index and the index after the last of each run of equal values."""
    edges = np.concatenate([[0], np.flatnonzero(np.diff(values)) + 1, [len(values)]])
    return [(int(values[a]), int(a), int(b)) for a, b in pairwise(edges) if b > a]


def grid(path: orbit.Trajectory, start_us: int, end_us: int, *, land: bool, ocean: bool) -> Grid:
    """Lay the default observation over a span; a path that reaches beyond tells what its edges belong to."""
    before = min(limits.CONTEXT_US, start_us - path.start_us) // limits.STEP_US
    after = min(limits.CONTEXT_US, path.end_us - end_us) // limits.STEP_US
    steps = (end_us - start_us) // limits.STEP_US
    times = start_us + np.arange(-before, steps + after + 1, dtype=np.int64) * limits.STEP_US
    bodies, sza, wanted, possible = _sides(path, times, land, ocean)
    modes = _bridge(wanted, possible)
    inner = slice(before, before + steps)
    edges = slice(before, before + steps + 1)
    held = {mode: body[edges] for mode, body in bodies.items()}
    made = Grid(times[edges], modes[inner].copy(), held, sza[edges])
    _make_room(made)
    return made


def _sides(
    path: orbit.Trajectory, times: np.ndarray, land: bool, ocean: bool
) -> tuple[dict[int, np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Return attitudes by mode, the Sun's zenith angle, the mode wanted (step,), what can be (mode, step)."""
    nadir_body, nadir_sza, nadir_place = _look(path, times, NADIR)
    lit = nadir_sza <= limits.GLINT_BELOW_SZA_DEG
    glint_body = np.full_like(nadir_body, np.nan)
    glint_sza = np.full(len(times), np.inf)
    at_sea = np.zeros(len(times), bool)
    if lit.any():
        glint_body[lit], glint_sza[lit], place = _look(path, times[lit], GLINT)
        at_sea[lit] = ~is_land(*place)
    nadir_ok = land & (nadir_sza <= limits.NADIR_SZA_DEG)
    glint_ok = ocean & (glint_sza <= limits.GLINT_SZA_DEG)
    possible = np.stack([np.ones(len(times) - 1, bool), *(ok[:-1] & ok[1:] for ok in (nadir_ok, glint_ok))])
    over_land = is_land(*nadir_place)[:-1] & possible[NADIR]
    over_sea = at_sea[:-1] & possible[GLINT]
    wanted = np.where(over_land, NADIR, np.where(over_sea, GLINT, NONE))
    return {NADIR: nadir_body, GLINT: glint_body}, nadir_sza, wanted, possible


def _look(
    path: orbit.Trajectory, times: np.ndarray, mode: int
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return attitude (n, 3, 3), solar zenith angle deg and place of what the boresight meets."""
    position, bodies = pointing.attitude(programming.Plan(MODES[mode], ()), path, times)
    ground = earth.ray_hit(position, bodies[:, :, 2])
    latitude, longitude, _ = earth.geodetic(ground)
    sza, _ = earth.horizontal((latitude, longitude), path.sun(times)[0] - ground)
    return bodies, sza, (latitude, longitude)


def _bridge(wanted: np.ndarray, possible: np.ndarray) -> np.ndarray:
    """Give runs too short to slew for to a longer neighbour that can look there; shortest first."""
    modes = wanted.copy()
    shortest = limits.BRIDGE_US // limits.STEP_US
    while True:
        found = runs(modes)
        brief = sorted((b - a, a, n) for n, (_, a, b) in enumerate(found) if b - a < shortest)
        for _, _, n in brief:
            mode, a, b = found[n]
            beside = [found[k] for k in (n - 1, n + 1) if 0 <= k < len(found) and found[k][0] != NONE]
            beside.sort(key=lambda run: run[1] - run[2])
            new = next((run[0] for run in beside if possible[run[0], a:b].all()), mode)
            if new != mode:
                modes[a:b] = new
                break
        else:
            return modes


def _make_room(made: Grid) -> None:
    """Take the slew between two modes from the beginning of the second."""
    last: tuple[int, int] | None = None  # mode and time index at which the run before ends
    for mode, a, b in made.run_ends():
        k = a
        if last is not None:
            body = made.bodies[last[0]][last[1]]
            k = min(b, made.resume(int(made.times_us[last[1]]), body))
            made.modes[a:k] = NONE
        if k < b:
            last = mode, b
