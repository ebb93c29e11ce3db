"""The truth's line absorber, sasktran2's, against a Voigt sum by scipy's Faddeeva function and against L2's.

Rationale: every radiance rests on these cross-sections, and the three Voigt codes share no line.
Setup: lines-v1 and the H2O list, three states from the stratosphere to the ground, wings cut at 25 cm-1.
Expected behaviour: mean ratio 1, rms difference weighted by absorption at the 1e-4 level; L2's within 3e-4 of
truth's, partition sums and wings included, but for single points where one of them has just cut a wing.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import wofz

from processors.l2 import lines as ground
from truth.spectroscopy.absorber import MOLAR_MASS_G, WING_CM1, LineAbsorber
from truth.spectroscopy.lines import MOLECULES, read_lines
from truth.spectroscopy.partition import PartitionSums

DATA = Path(__file__).parents[2] / "truth" / "data"
STATES = ((240.0, 5.0e2), (225.0, 2.5e4), (288.0, 1.0e5))  # K, Pa
WINDOWS = (("O2", 13040.0, 13080.0), ("CO2", 6220.0, 6250.0), ("CO2", 4880.0, 4910.0), ("O2", 7880.0, 7900.0))
mean_ratio = 1e-5
one_part_in_1e4 = 1e-4
three_parts_in_1e4 = 3e-4
REFERENCE_K, REFERENCE_PA = 296.0, 101_325.0
C2 = 1.438776877  # cm K, CODATA 2018
DOPPLER = 3.581163e-7  # sqrt(2 ln 2 R) / c for K and g mol-1


def voigt_sum(source, molecule, nu, temperature_k, pressure_pa):
    """Give (point,) m2 per molecule, one line at a time."""
    sums = PartitionSums(DATA / "partition_sums.csv")
    total = np.zeros_like(nu)
    for record in source.records[molecule]:
        isotopologue, nu0, s296 = int(record[2]), float(record[3:15]), float(record[15:25])
        gamma, lower, n, shift = (float(record[a:b]) for a, b in ((35, 40), (45, 55), (55, 59), (59, 67)))
        if not nu[0] - WING_CM1 <= nu0 <= nu[-1] + WING_CM1:
            continue
        number = MOLECULES[molecule]
        ratio = sums(number, isotopologue, REFERENCE_K) / sums(number, isotopologue, temperature_k)
        boltzmann = np.exp(-C2 * lower * (1.0 / temperature_k - 1.0 / REFERENCE_K))
        stimulated = np.expm1(-C2 * nu0 / temperature_k) / np.expm1(-C2 * nu0 / REFERENCE_K)
        strength = s296 * ratio * boltzmann * stimulated
        lorentz = gamma * (REFERENCE_K / temperature_k) ** n * pressure_pa / REFERENCE_PA
        doppler = DOPPLER * nu0 * np.sqrt(temperature_k / MOLAR_MASS_G[number, isotopologue])
        centre = nu0 + shift * pressure_pa / REFERENCE_PA
        near = np.abs(nu - centre) <= WING_CM1
        z = np.sqrt(np.log(2.0)) * (nu[near] - centre + 1j * lorentz) / doppler
        total[near] += strength * np.sqrt(np.log(2.0) / np.pi) / doppler * wofz(z).real
    return 1e-4 * total


@pytest.mark.parametrize(("molecule", "low", "high"), WINDOWS)
@pytest.mark.parametrize(("temperature_k", "pressure_pa"), STATES)
def test_cross_section_agrees_with_wofz(molecule, low, high, temperature_k, pressure_pa):
    source = read_lines(DATA)
    nu = np.arange(low, high, 0.0137)
    expected = voigt_sum(source, molecule, nu, temperature_k, pressure_pa)
    absorber = LineAbsorber(source, molecule, PartitionSums(DATA / "partition_sums.csv"))
    computed = absorber.cross_section(nu, temperature_k, pressure_pa)[0]
    assert computed.sum() / expected.sum() == pytest.approx(1.0, abs=mean_ratio)
    rms = np.sqrt(np.mean((computed - expected) ** 2) / np.mean(expected**2))
    assert rms < one_part_in_1e4


@pytest.mark.parametrize(("molecule", "low", "high"), [*WINDOWS, ("H2O", 4910.0, 4930.0)])
@pytest.mark.parametrize(("temperature_k", "pressure_pa"), STATES)
def test_cross_section_agrees_with_that_of_the_ground(molecule, low, high, temperature_k, pressure_pa):
    grid = (low, round((high - low) / 0.01), 0.01)
    sums = ground.read_partition_sums(DATA / "partition_sums.csv")
    lines = ground.read_lines(DATA)[molecule].within(low - WING_CM1, high + WING_CM1)
    theirs = 1e-4 * ground.cross_section(lines, molecule, sums, grid, pressure_pa, temperature_k)
    nu = low + 0.01 * np.arange(grid[1])
    absorber = LineAbsorber(read_lines(DATA), molecule, PartitionSums(DATA / "partition_sums.csv"))
    ours = absorber.cross_section(nu, temperature_k, pressure_pa)[0]
    difference = np.abs(theirs - ours)
    assert difference.max() < three_parts_in_1e4 * ours.max()
    assert (
        np.percentile(difference / ours, 99) < three_parts_in_1e4
    )  # the rest: a grid point where a wing is cut
