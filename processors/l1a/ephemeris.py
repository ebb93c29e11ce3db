"""Interpolate the sampled orbit and attitude to the times of the acquisitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LONGEST_GAP_S = 5.0  # [A] between two samples; beyond it no position is given
WIDE_GAP_S = 1.5  # [A] between two samples, which are sent every second; beyond it one is missing
RADIUS_M = (6.4e6, 5.0e7)  # [A] distances from the Earth's centre that are believed
NORM_ERROR = 1e-3  # [A] of a quaternion that is still believed


@dataclass(frozen=True)
class Ephemeris:
    """Samples in order of time, each time once."""

    time: np.ndarray  # (sample) s, a scale without jumps
    position: np.ndarray  # (sample, 3) m, Earth-fixed
    velocity: np.ndarray  # (sample, 3) m s-1, Earth-fixed
    quaternion: np.ndarray  # (sample, 4) x y z w, body to Earth-fixed, unit length


@dataclass(frozen=True)
class Platform:
    """The spacecraft at given times; NaN where `valid` is False."""

    position: np.ndarray  # (time, 3) m
    velocity: np.ndarray  # (time, 3) m s-1
    quaternion: np.ndarray  # (time, 4)
    valid: np.ndarray  # (time) bool


def arrange(
    time: np.ndarray, position: np.ndarray, velocity: np.ndarray, quaternion: np.ndarray
) -> Ephemeris:
    """Drop samples that cannot be true, sort the rest and take each time once."""
    norm = _length(quaternion)
    radius = _length(position)
    with np.errstate(invalid="ignore"):
        believed = np.isfinite(velocity).all(axis=1) & (np.abs(norm - 1.0) < NORM_ERROR)
        believed &= (radius > RADIUS_M[0]) & (radius < RADIUS_M[1])
    keep = np.flatnonzero(believed)
    _, first = np.unique(time[keep], return_index=True)
    keep = keep[first]
    return Ephemeris(time[keep], position[keep], velocity[keep], quaternion[keep] / norm[keep, np.newaxis])


def interpolate(samples: Ephemeris, time: np.ndarray) -> Platform:
    """Cubic Hermite in position, great circle in attitude.

    time  (time)  s, the scale of the samples
    """
    if samples.time.size < 2:
        nothing = np.full((time.size, 4), np.nan)
        return Platform(nothing[:, :3], nothing[:, :3], nothing, np.zeros(time.size, bool))
    left = np.clip(np.searchsorted(samples.time, time, side="right") - 1, 0, samples.time.size - 2)
    step = samples.time[left + 1] - samples.time[left]
    u = (time - samples.time[left]) / step
    valid = (u >= 0.0) & (u <= 1.0) & (step <= LONGEST_GAP_S)
    u = np.where(valid, u, np.nan)[:, np.newaxis]
    p0, p1 = samples.position[left], samples.position[left + 1]
    m0, m1 = (samples.velocity[left + k] * step[:, np.newaxis] for k in (0, 1))
    position = p0 + u * (m0 + u * ((3 * (p1 - p0) - 2 * m0 - m1) + u * (2 * (p0 - p1) + m0 + m1)))
    slope = m0 + u * (2 * (3 * (p1 - p0) - 2 * m0 - m1) + u * 3 * (2 * (p0 - p1) + m0 + m1))
    quaternion = slerp(samples.quaternion[left], samples.quaternion[left + 1], u)
    return Platform(position, slope / step[:, np.newaxis], quaternion, valid)


def bridged(samples: Ephemeris, time: np.ndarray) -> np.ndarray:
    """Return (time) bool: between two samples of which the next one is missing.

    time  (time)  s, the scale of the samples; NaN is between none
    """
    if samples.time.size < 2:
        return np.zeros(time.size, bool)
    left = np.clip(np.searchsorted(samples.time, time, side="right") - 1, 0, samples.time.size - 2)
    first, last = samples.time[left], samples.time[left + 1]
    return np.asarray((last - first > WIDE_GAP_S) & (first <= time) & (time <= last))


def slerp(q0: np.ndarray, q1: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Turn from q0 to q1 the short way by the fraction u.

    q0, q1  (n, 4)  unit length;  u  (n, 1)
    """
    cosine = np.sum(q0 * q1, axis=1, keepdims=True)
    q1 = np.where(cosine < 0.0, -q1, q1)
    angle = 2.0 * np.arctan2(_length(q1 - q0), _length(q1 + q0))[:, np.newaxis]
    small = angle < 1e-9  # rad: the weights are linear there to double precision
    sine = np.sin(np.where(small, 1.0, angle))
    w0 = np.where(small, 1.0 - u, np.sin((1.0 - u) * angle) / sine)
    w1 = np.where(small, u, np.sin(u * angle) / sine)
    turned = w0 * q0 + w1 * q1
    return turned / _length(turned)[:, np.newaxis]


def rotate(quaternion: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Rotate vectors by unit quaternions x y z w.

    quaternion  (n, 4);  vector  (n, 3)
    """
    axis, scalar = quaternion[:, :3], quaternion[:, 3:]
    twice = 2.0 * np.cross(axis, vector)
    return vector + scalar * twice + np.cross(axis, twice)


def _length(vector: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.sqrt(np.sum(vector * vector, axis=-1))
