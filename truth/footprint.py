"""Turn footprint corners into sub-samples that share out the exposure evenly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from truth.random_field import unit_vector

ACROSS, ALONG = 9, 18  # sub-samples, about 0.5 km by 0.5 km


class SubSamples(NamedTuple):
    """Cells (sounding, sample): geodetic latitude, longitude deg of their centres, weights summing to 1.

    half_across and half_along  (sounding, sample, 3)  from the centre to the middle of two sides, Earth radii
    """

    latitude_deg: np.ndarray
    longitude_deg: np.ndarray
    weight: np.ndarray
    half_across: np.ndarray
    half_along: np.ndarray


def sub_samples(
    vertex_latitude_deg: np.ndarray,
    vertex_longitude_deg: np.ndarray,
    across: int = ACROSS,
    along: int = ALONG,
) -> SubSamples:
    """Map the unit square of angle and time bilinearly onto the corners and sample cell centres.

    The detector adds up radiance over angle and time, so that all cells weigh the same, whatever area
    the motion gives them.
    vertex_*_deg  (sounding, 4)  start-left, start-right, end-right, end-left
    """
    corner = unit_vector(vertex_latitude_deg, vertex_longitude_deg)[:, :, np.newaxis, :]
    start_left, start_right, end_right, end_left = (corner[:, k] for k in range(4))
    u, v = np.meshgrid((np.arange(across) + 0.5) / across, (np.arange(along) + 0.5) / along, indexing="ij")
    u, v = u.ravel()[:, np.newaxis], v.ravel()[:, np.newaxis]
    start = (1 - u) * start_left + u * start_right
    end = (1 - u) * end_left + u * end_right
    place = (1 - v) * start + v * end
    d_u = (1 - v) * (start_right - start_left) + v * (end_right - end_left)
    radius = np.linalg.norm(place, axis=-1)
    return SubSamples(
        latitude_deg=np.degrees(np.arcsin(place[..., 2] / radius)),
        longitude_deg=np.degrees(np.arctan2(place[..., 1], place[..., 0])),
        weight=np.full(radius.shape, 1.0 / (across * along)),
        half_across=d_u / (2 * across),
        half_along=(end - start) / (2 * along),
    )


def mean_and_sd(samples: SubSamples, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average (sounding, sample, ...) over the footprints: mean and standard deviation, (sounding, ...)."""
    weight = samples.weight.reshape(samples.weight.shape + (1,) * (values.ndim - 2))
    mean = np.sum(weight * values, axis=1)
    variance = np.sum(weight * (values - mean[:, np.newaxis]) ** 2, axis=1)
    return mean, np.sqrt(variance)
