"""Spread the diffuse light of a few solved points over a band by regression."""

from dataclasses import dataclass

import numpy as np

from truth.coupling import effective_albedo
from truth.discrete_ordinates import diffuse_solved
from truth.ground import Ground
from truth.merging import merge
from truth.optics import Medium
from truth.predictors import known
from truth.scattering import Geometry

THICKEST = 0.5  # 1, depth of a layer for sasktran2: its source is taken at the middle, 1 % off at 0.4
SMALLEST_VARIANCE = 1e-12  # 1, of the largest: the predictors are of single precision
RELATIVE_CUT = 1e-6  # 1, of the singular values of the fit
CANDIDATE_STEP = 4  # every fourth point may become a fitted one


@dataclass(frozen=True)
class Depth:
    """How finely the diffuse light of a band is computed; errors in tests/unit/truth/test_diffuse.py."""

    streams: int
    points: int  # with sasktran2; the regression gives the others
    solved_layers: int  # that sasktran2 is given
    predictor_layers: int = 15


def diffuse(medium: Medium, geometry: Geometry, ground: Ground, depth: Depth) -> np.ndarray:
    """Give the radiance per solar irradiance beyond direct and once scattered light, (point,) sr-1.

    Computed at a few points that span the predictors, by least squares on the predictors elsewhere.
    """
    typical = float(effective_albedo(medium.at(slice(1)), geometry, ground)[0])
    forms = known(medium, geometry, typical, depth.predictor_layers)
    chosen = spread_points(forms, depth.points)
    merged, add = merge(medium, geometry, depth.solved_layers, THICKEST)
    solved = diffuse_over(medium.at(chosen).merged(add), merged, ground, depth.streams)
    coefficients, *_ = np.linalg.lstsq(forms[:, chosen].T.astype(float), solved, rcond=RELATIVE_CUT)
    return coefficients.astype(forms.dtype) @ forms


def diffuse_over(medium: Medium, geometry: Geometry, ground: Ground, streams: int) -> np.ndarray:
    """Give the same from sasktran2 at every point."""
    return diffuse_solved(medium, geometry, effective_albedo(medium, geometry, ground), streams)


def spread_points(forms: np.ndarray, count: int) -> np.ndarray:
    """Choose points far from each other in the space of the predictors, the brightest first.

    The axes along which the predictors hardly vary are stretched, by the fourth root of their variance:
    not stretched they are left to chance, and stretched to equal variance they draw all points to odd ones.
    """
    plain = forms[:, ::CANDIDATE_STEP].astype(float)
    variance, axes = np.linalg.eigh(plain @ plain.T)
    kept = variance > SMALLEST_VARIANCE * variance[-1]
    space = (axes[:, kept] * variance[kept] ** -0.25).T @ plain
    chosen = [int(plain.sum(axis=0).argmax())]
    distance = np.full(space.shape[1], np.inf)
    while len(chosen) < count:
        latest = space[:, chosen[-1], None]
        np.minimum(distance, np.sum((space - latest) ** 2, axis=0), out=distance)
        chosen.append(int(distance.argmax()))
    return CANDIDATE_STEP * np.array(chosen)
