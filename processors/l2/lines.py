"""Read 160-column line files and give each line's strength and widths at a pressure and temperature."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from processors.constants import ATMOSPHERE, C2

from .lineshape import voigt_cross_section

MOLECULES = {1: "H2O", 2: "CO2", 7: "O2"}
TENTH_AND_ON = {"0": 10, "A": 11, "B": 12}  # isotopologues beyond the ninth have one character too
COLUMNS = (
    (3, 15),
    (15, 25),
    (35, 40),
    (45, 55),
    (55, 59),
    (59, 67),
)  # of the numbers of a LineList, in order
T_REF_K = 296.0  # of the line files
# Molar masses of the isotopologues, g mol-1 (sums of AME2016 atomic masses).
MASS_G_MOL = {
    ("H2O", 1): 18.010565, ("H2O", 2): 20.014811, ("H2O", 3): 19.014780, ("H2O", 4): 19.016740,
    ("H2O", 5): 21.020985, ("H2O", 6): 20.020956, ("H2O", 7): 20.022915,
    ("CO2", 1): 43.989830, ("CO2", 2): 44.993185, ("CO2", 3): 45.994076, ("CO2", 4): 44.994045,
    ("CO2", 5): 46.997431, ("CO2", 6): 45.997400, ("CO2", 7): 47.998320, ("CO2", 8): 46.998291,
    ("CO2", 9): 45.998262, ("CO2", 10): 49.001675, ("CO2", 11): 48.001646, ("CO2", 12): 47.001618,
    ("O2", 1): 31.989830, ("O2", 2): 33.994076, ("O2", 3): 32.994045,
}  # fmt: skip


@dataclass(frozen=True)
class LineList:
    """Lines of one gas, one array element a line, units of the HITRAN format."""

    isotopologue: np.ndarray
    center_cm1: np.ndarray
    strength: np.ndarray  # cm-1/(molecule cm-2) at 296 K, natural abundance
    gamma_air: np.ndarray  # cm-1/atm
    lower_energy_cm1: np.ndarray
    temperature_exponent: np.ndarray
    shift: np.ndarray  # cm-1/atm
    mass_g_mol: np.ndarray

    def within(self, first_cm1: float, last_cm1: float) -> LineList:
        """Keep the lines whose centres lie in a window."""
        keep = (self.center_cm1 >= first_cm1) & (self.center_cm1 <= last_cm1)
        return LineList(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


def read_lines(directory: Path) -> dict[str, LineList]:
    """Read every *.par file of a directory into one list a gas."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    paths = sorted(directory.glob("*.par"))
    if not paths:
        raise ValueError(f"{directory}: expected at least one 160-column *.par line file, found none")
    for path in paths:
        for number, text in enumerate(path.read_text().splitlines(), start=1):
            try:
                gas, row = _line(text)
            except (ValueError, KeyError) as error:
                raise ValueError(f"{path}:{number}: expected a 160-column line record: {error}") from error
            if gas:
                rows.setdefault(gas, []).append(row)
    lists = {}
    for gas, values in rows.items():
        iso_column, *others = np.array(sorted(values, key=lambda row: row[1])).T
        lists[gas] = LineList(iso_column.astype(int), *others)
    return lists


def _line(text: str) -> tuple[str, tuple[float, ...]]:
    """Read one record into gas and numbers; no gas when it is none of ours."""
    gas = MOLECULES.get(int(text[0:2]))
    if gas is None:
        return "", ()
    iso = TENTH_AND_ON.get(text[2:3]) or int(text[2:3])
    if (gas, iso) not in MASS_G_MOL:
        raise ValueError(f"no mass known for {gas} isotopologue {iso}")
    return gas, (iso, *(float(text[a:b]) for a, b in COLUMNS), MASS_G_MOL[gas, iso])


def digest(directory: Path) -> str:
    """Hash the contents of the line files in the order of their names (hexadecimal SHA-256)."""
    sha = hashlib.sha256()
    for path in sorted(directory.glob("*.par"), key=lambda path: path.name):
        sha.update(path.read_bytes())
    return sha.hexdigest()


def read_partition_sums(path: Path) -> dict[tuple[str, int], tuple[np.ndarray, np.ndarray]]:
    """Read (gas, isotopologue) -> (temperature K, partition sum) from the auxiliary table."""
    table: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            key = (MOLECULES[int(row["molecule"])], int(row["isotopologue"]))
            table.setdefault(key, []).append((float(row["temperature_k"]), float(row["q"])))
    return {key: tuple(np.array(sorted(rows)).T) for key, rows in table.items()}  # type: ignore[misc]


def cross_section(
    lines: LineList,
    gas: str,
    partition: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]],
    grid: tuple[float, int, float],
    pressure_pa: float,
    temperature_k: float,
) -> np.ndarray:
    """Return a cross-section (point), cm2, of a gas in air; grid = (first cm-1, points, step cm-1).

    Widths are the list's air widths: they already hold the 21 % of O2 in air, and the self-broadening of
    CO2 at 4e-4 changes a width by 1e-4 at most.
    """
    first, points, step = grid
    q_ratio = np.empty(lines.center_cm1.size)
    for iso in np.unique(lines.isotopologue):
        t, q = partition[gas, int(iso)]
        q_ratio[lines.isotopologue == iso] = np.interp(T_REF_K, t, q) / np.exp(
            np.interp(np.log(temperature_k), np.log(t), np.log(q))
        )
    boltzmann = np.exp(-C2 * lines.lower_energy_cm1 * (1 / temperature_k - 1 / T_REF_K))
    stimulated = np.expm1(-C2 * lines.center_cm1 / temperature_k) / np.expm1(-C2 * lines.center_cm1 / T_REF_K)
    strength = lines.strength * q_ratio * boltzmann * stimulated
    atmospheres = pressure_pa / ATMOSPHERE
    lorentz = lines.gamma_air * atmospheres * (T_REF_K / temperature_k) ** lines.temperature_exponent
    # 1/e half width nu*sqrt(2kT/mc^2); sqrt(2 k N_A / 1e-3)/c = 4.3014e-7 for M in g/mol
    doppler = lines.center_cm1 * 4.301422e-7 * np.sqrt(temperature_k / lines.mass_g_mol)
    center = lines.center_cm1 + lines.shift * atmospheres
    return voigt_cross_section(first, points, step, center, strength, lorentz, doppler)
