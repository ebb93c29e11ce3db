"""Lines that water vapour widens, against the mixture of two Lorentz widths."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import voigt_profile

import truth
from truth.layers import WATER_BROADENING, Layers
from truth.spectroscopy.absorber import LineAbsorber
from truth.spectroscopy.lines import read_lines
from truth.spectroscopy.partition import PartitionSums

DATA = Path(truth.__file__).parent / "data"
half_a_percent = 0.005
ISOLATED_CM1 = 6251.761440  # R branch of the 30013 band, neighbours 1.4 cm-1 away


def column(water: float, wet: bool) -> Layers:
    """One layer at 1000 hPa with a mole fraction of water."""
    gas = {"O2": np.array([0.2095]), "CO2": np.array([4e-4]), "H2O": np.array([water])}
    return Layers(
        np.array([100.0, 0.0]), np.array([1e5]), np.array([296.0]), np.array([1.0 - water]), gas, wet
    )


@pytest.mark.parametrize("gas", ["CO2", "O2", "H2O"])
def test_only_moist_air_with_the_switch_on_broadens_more(gas):
    assert column(0.03, False).broadening_pa(gas) == 1e5
    assert column(0.0, True).broadening_pa(gas) == 1e5
    expected = 1e5 * (0.97 + 0.03 * WATER_BROADENING[gas])
    assert column(0.03, True).broadening_pa(gas) == pytest.approx(expected)


def test_line_in_moist_air_has_the_width_of_the_mixture():
    """Peak of one line at 296 K over that in dry air, against Voigt profiles of scipy."""
    source = read_lines(DATA)
    record = min(source.records["CO2"], key=lambda r: abs(float(r[3:15]) - ISOLATED_CM1))
    centre, air = float(record[3:15]), float(record[35:40])
    absorber = LineAbsorber(source, "CO2", PartitionSums(DATA / "partition_sums.csv"))
    grid = centre + np.arange(-0.3, 0.3, 0.001)
    pressures = np.array([1e5, column(0.04, True).broadening_pa("CO2")[0]])
    dry, moist = (absorber.cross_section(grid, np.array([296.0]), np.array([p]))[0].max() for p in pressures)
    doppler = centre * np.sqrt(1.380649e-23 * 296.0 / 7.3057e-26) / 299_792_458.0
    widths = air * 1e5 / 101_325.0 * np.array([1.0, 0.96 + 0.04 * 1.8])
    expected = voigt_profile(0.0, doppler, widths)
    assert moist / dry == pytest.approx(expected[1] / expected[0], rel=half_a_percent)
    assert moist / dry < 0.98
