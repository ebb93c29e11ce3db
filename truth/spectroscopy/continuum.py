"""Turn a table of Gaussians into the collision-induced absorption of air."""

from pathlib import Path

import numpy as np

from truth.constants import LOSCHMIDT


def read_cia(path: Path) -> dict[str, np.ndarray]:
    """Read rows of (peak cm-1 amagat-2, amplitude, centre cm-1, width cm-1), (term, 4), by band name."""
    table = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="ascii")
    columns = ["peak_cm1_amagat2", "amplitude", "center_cm1", "width_cm1"]
    return {
        str(band): np.array([[row[c] for c in columns] for row in table if row["band"] == band])
        for band in np.unique(table["band"])
    }


def cia_coefficient(terms: np.ndarray, wavenumber_cm1: np.ndarray) -> np.ndarray:
    """Give the absorption per squared density of air, (point,) m5 molecule-2 (O2 fraction included)."""
    shape = np.zeros_like(wavenumber_cm1)
    for peak, amplitude, centre, width in terms:
        shape += peak * amplitude * np.exp(-(((wavenumber_cm1 - centre) / width) ** 2))
    per_metre = 100.0 * shape  # cm-1 to m-1
    return per_metre / LOSCHMIDT**2
