"""Read a direct-Sun spectrum of a Fourier transform spectrometer (TCCON type), and give its line shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
from scipy.special import sici

from processors.job import BadInput
from processors.l2.bands import BANDS, Band
from processors.l2.isrf import Response

NETCDF = (".nc", ".nc4", ".h5", ".cdf")
LOBES, TAPS_PER_LOBE = 100, 16  # of the line shape, either side
WHOLE_LOBES = 0.6  # share left as it is; beyond it the lobes fade out
NODES = 33  # samples at which the line shape is tabulated: the same in wavenumber, not in wavelength
LEAST_SAMPLES, MOST_SAMPLES = 50, 8192  # of a window; the weights of 1000 samples take 8 MB
MARGIN_CM1 = 0.2  # for Doppler and spectral shifts
FINER = 4.0  # computed points per cm-1 and cm of path difference: aliases fall beyond three times the path


@dataclass(frozen=True)
class Spectrum:
    """Signal of any unit by vacuum wavenumber, cm-1, ascending."""

    wavenumber_cm1: np.ndarray
    signal: np.ndarray
    path: Path

    def within(self, window: Window) -> Spectrum:
        keep = (self.wavenumber_cm1 >= window.first_cm1) & (self.wavenumber_cm1 <= window.last_cm1)
        if keep.sum() < LEAST_SAMPLES:
            raise BadInput(
                f"{self.path}: expected {LEAST_SAMPLES} samples and more in {window.first_cm1:g} to "
                f"{window.last_cm1:g} cm-1, got {keep.sum()}: choose another window"
            )
        if keep.sum() > MOST_SAMPLES:
            raise BadInput(
                f"--window: expected at most {MOST_SAMPLES} samples, got {keep.sum()} in {window.name}: "
                "narrow it"
            )
        return Spectrum(self.wavenumber_cm1[keep], self.signal[keep], self.path)


@dataclass(frozen=True)
class Instrument:
    """Largest optical path difference, cm, and full angle of the field of view, rad, of a spectrometer."""

    path_difference_cm: float = 45.0
    field_of_view_rad: float = 2.4e-3

    @property
    def reach_cm1(self) -> float:
        """How far a sample sees."""
        return LOBES / (2.0 * self.path_difference_cm)

    def shape(self, distance_cm1: np.ndarray, wavenumber_cm1: float) -> np.ndarray:
        """Return the line shape, cm, at distances from a line at a wavenumber.

        sinc(2 L x) of a path difference cut at L, folded with the box of width nu theta^2/8 that rays
        aslant through the interferometer make: a difference of two sine integrals. Far lobes are faded out.
        """
        half = wavenumber_cm1 * self.field_of_view_rad**2 / 16.0
        turn = 2.0 * math.pi * self.path_difference_cm
        if turn * half > 1e-3:
            ends = sici(turn * (distance_cm1 + half))[0] - sici(turn * (distance_cm1 - half))[0]
            shape = ends / (2.0 * math.pi * half)
        else:
            shape = 2.0 * self.path_difference_cm * np.sinc(2.0 * self.path_difference_cm * distance_cm1)
        fade = np.abs(distance_cm1) / self.reach_cm1 - WHOLE_LOBES
        return shape * np.cos(0.5 * math.pi * np.clip(fade / (1.0 - WHOLE_LOBES), 0.0, 1.0)) ** 2

    def response(self, wavelength_nm: np.ndarray) -> Response:
        """Return the line shape by wavelength for samples in order of ascending wavelength (sample)."""
        node = np.linspace(0, wavelength_nm.size - 1, NODES).round()
        count = LOBES * TAPS_PER_LOBE
        reach_nm = self.reach_cm1 * wavelength_nm[-1] ** 2 / 1e7
        offset_nm = np.arange(-count, count + 1) * reach_nm / count
        nu = 1e7 / wavelength_nm[node.astype(int)][:, None]
        light = 1e7 / (1e7 / nu + offset_nm)
        isrf = [
            self.shape(x, float(c)) * slope
            for x, c, slope in zip(light - nu, nu[:, 0], light**2 / 1e7, strict=True)
        ]
        return Response(node, offset_nm, np.array(isrf))


@dataclass(frozen=True)
class Window:
    """Part of a band that is fitted, cm-1."""

    band: Band
    first_cm1: float
    last_cm1: float

    @property
    def name(self) -> str:
        return f"{self.band.name}:{self.first_cm1:g}-{self.last_cm1:g}"

    def computed(self, instrument: Instrument) -> Band:
        """Return the window as a band of its own: wider by what samples see, finer than the spectrometer."""
        margin = instrument.reach_cm1 + MARGIN_CM1
        per_cm1 = max(self.band.per_cm1, math.ceil(FINER * instrument.path_difference_cm))
        return Band(
            self.band.index,
            self.band.name,
            self.band.gas,
            math.floor(self.first_cm1 - margin),
            math.ceil(self.last_cm1 + margin),
            per_cm1,
        )


def parse_window(text: str) -> Window:
    """Read B2 (the band) or B2:6200-6230 (a part of it, cm-1)."""
    name, _, limits = text.partition(":")
    band = next((b for b in BANDS if b.name == name), None)
    if band is None:
        names = ", ".join(b.name for b in BANDS)
        raise BadInput(f"--window: expected one of {names}, got {name!r}: correct it")
    if not limits:
        return Window(band, float(band.first_cm1), float(band.last_cm1))
    try:
        first, last = (float(word) for word in limits.split("-"))
    except ValueError as error:
        raise BadInput(f"--window: expected {name}:FIRST-LAST in cm-1, got {text!r}: correct it") from error
    if not band.first_cm1 <= first < last <= band.last_cm1:
        raise BadInput(
            f"--window: expected limits within {band.first_cm1} to {band.last_cm1} cm-1, got {limits}: "
            "correct them"
        )
    return Window(band, first, last)


def read_spectrum(path: Path) -> Spectrum:
    """Read a spectrum from netCDF (variables wavenumber, cm-1, and signal) or text.

    Text has two columns, wavenumber and signal, parted by blanks, tabs or a comma; lines that do not begin
    with a number are left out.
    """
    wavenumber, signal = _netcdf(path) if path.suffix in NETCDF else _text(path)
    keep = np.isfinite(wavenumber) & np.isfinite(signal)
    wavenumber, signal = wavenumber[keep], signal[keep]
    order = np.argsort(wavenumber)
    wavenumber, signal = wavenumber[order], signal[order]
    if wavenumber.size < LEAST_SAMPLES or np.any(np.diff(wavenumber) <= 0.0):
        raise BadInput(
            f"{path}: expected {LEAST_SAMPLES} samples and more at wavenumbers of their own, "
            f"got {wavenumber.size}: check the file"
        )
    return Spectrum(wavenumber, signal, path)


def _netcdf(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with netCDF4.Dataset(path) as file:
            values: list[np.ndarray] = [
                np.ma.filled(np.ma.asarray(file[name][:], dtype=float), np.nan).ravel()
                for name in ("wavenumber", "signal")
            ]
    except (OSError, IndexError, KeyError) as error:
        raise BadInput(
            f"{path}: expected netCDF with wavenumber and signal, got {error}: check the file"
        ) from error
    if values[0].size != values[1].size:
        raise BadInput(f"{path}: expected as many signals as wavenumbers, got others: check the file")
    return values[0], values[1]


def _text(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: expected a text file of two columns, got {error}: check the path") from error
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.replace(",", " ").split()
        try:
            wavenumber = float(words[0])
        except (ValueError, IndexError):
            continue  # heading, comment or empty line
        try:
            rows.append((wavenumber, float(words[1])))
        except (ValueError, IndexError) as error:
            raise BadInput(
                f"{path}:{number}: expected a signal after the wavenumber, got {line!r}: correct it"
            ) from error
    table = np.array(rows).reshape(-1, 2)
    return table[:, 0], table[:, 1]
