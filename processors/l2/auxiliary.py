"""Load what a retrieval needs beside spectra and forecast: tables, Sun, continua, particles, calibration."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from processors import products
from processors.job import BadInput, Job

from . import cia, design, fluorescence, lines, particles, solar, tables
from .bandmodel import BandModel, band_model
from .isrf import Expansions, Response, areas
from .state import Options

# The area of the mission's responses is kept within 9e-4, and what they see within 1e-4 of the continuum; a
# triangle of the same width 1e-2 and 4e-3
MOST_ERROR, CENTERS, EITHER = 2e-3, 64, np.array([-1.0, 1.0])
MOST_SCALES = 24  # wavelength scales whose weights are kept: bands times fields of view, and a change


@dataclass
class Auxiliary:
    """Shared by all soundings of a job; lists run over the bands. Band models and responses are made when
    asked for."""

    tables: list[tables.BandTables]
    sun: solar.Sun
    cia: list[np.ndarray]  # (point) cm-1 amagat-2
    airglow: np.ndarray  # as airglow.spectra
    optics: particles.Optics
    ckd: Any
    line_list_sha256: str = ""  # of the line files, for the product
    folder: Path | None = None  # in which the choice of nodes is kept
    _nodes: dict[Any, np.ndarray] = field(default_factory=dict)
    _models: dict[Any, list[BandModel]] = field(default_factory=dict)
    _suns: dict[int, solar.Tabulated] = field(default_factory=dict)
    _responses: dict[tuple[int, int], Response] = field(default_factory=dict)
    _expansions: dict[Any, Expansions] = field(default_factory=dict)

    def models(self, options: Options, kind: type = np.float32) -> list[BandModel]:
        """Return the models of the bands a job fits, for the particles it fits."""
        types = tuple(p.optics for p in options.particles)
        key = (options.bands, options.particles, kind)
        if key not in self._models:
            self._models[key] = [self._model(b, types, options, kind) for b in options.bands]
        return self._models[key]

    def _model(self, b: int, types: tuple[str, ...], options: Options, kind: type) -> BandModel:
        table = self.tables[b]
        glow = self.airglow if table.band.name == "B4" else None
        plants = fluorescence.spectrum(table.wavenumber_cm1) if table.band.name == "B1" else None
        given = (table, self.cia[b], glow, plants, self.optics, types)
        key = (b, options.particles)
        if key not in self._nodes:
            everywhere = band_model(*given, design.candidates(table.index.size))
            self._nodes[key] = design.kept(everywhere, options, self.folder)
        return band_model(*given, self._nodes[key], kind)

    def sunlight(self, b: int, recession_m_s: float, distance_au: float) -> np.ndarray:
        """Return the irradiance (point) of a band, ph s-1 m-2 um-1."""
        if b not in self._suns:
            self._suns[b] = solar.tabulate(self.sun, self.tables[b].band.wavenumber_cm1)
        return self._suns[b].seen(self.tables[b].wavenumber_cm1, recession_m_s, distance_au)

    def response(self, b: int, fov: int) -> Response:
        """Return the spectral response of a band and field of view (1..3)."""
        if (b, fov) not in self._responses:
            name = f"{self.tables[b].band.name}, field of view {fov}"
            try:
                isrf = self.ckd["isrf"]
                sources = (isrf["isrf_node"], isrf["isrf_offset"][b], isrf["isrf"][b, fov - 1])
            except (KeyError, IndexError) as lack:
                raise BadInput(
                    f"calibration data: isrf of {name}: expected its arrays, got none ({lack}): make it again"
                ) from lack
            found = Response(*(np.asarray(source, dtype=float) for source in sources))
            if amiss := found.amiss():
                raise BadInput(f"calibration data: isrf of {name}: expected {amiss}: make it again")
            made = found.compact()
            error = self._quadrature_error(b, made)
            if not error <= MOST_ERROR:
                raise BadInput(
                    f"calibration data: isrf of {name}: expected a response smooth enough for the points "
                    f"kept, its area within {MOST_ERROR}, got {error:.1e}: choose points for it (points.py)"
                )
            self._responses[b, fov] = made
        return self._responses[b, fov]

    def _quadrature_error(self, b: int, response: Response) -> float:
        """Return the largest relative error of a response's area when it is summed over the points kept."""
        table = self.tables[b]
        everywhere = table.band.wavenumber_cm1
        steps = np.full(everywhere.size, table.band.step_cm1)
        ends, reach = 1e7 / everywhere[[-1, 0]], response.offset_nm[[0, -1]] + 0.1 * response.fwhm_nm * EITHER
        first, last = ends - reach
        centers = np.linspace(first, last, CENTERS)
        kept = areas(table.wavenumber_cm1, table.width_cm1, centers, response)
        return float(np.abs(kept / areas(everywhere, steps, centers, response) - 1.0).max())

    def expansions(self, b: int, fov: int, wavelength_nm: np.ndarray, kind: type = np.float32) -> Expansions:
        """Return the weights of the spectels (spectel) of a band and field of view, sensor frame."""
        key = (b, fov, wavelength_nm.tobytes(), kind)
        if key not in self._expansions:
            if len(self._expansions) >= MOST_SCALES:
                del self._expansions[next(iter(self._expansions))]
            table, response = self.tables[b], self.response(b, fov)
            self._expansions[key] = Expansions(
                table.wavenumber_cm1, table.width_cm1, wavelength_nm, response, kind
            )
        return self._expansions[key]


def load(job: Job) -> Auxiliary:
    """Read the auxiliary files of a job; a malformed one is BadInput."""
    cache = job.cache or Path(tempfile.mkdtemp(prefix="l2-tables-"))
    try:
        spectroscopy = tables.Spectroscopy(
            *(job.input(name) for name in ("lines", "partition_sums", "solar_lines", "solar_continuum"))
        )
        band_tables = tables.load(spectroscopy, cache)
        gaussians = cia.read(job.input("cia"))
        sun = solar.read(job.input("solar_lines"), job.input("solar_continuum"))
        line_list_sha256 = lines.digest(spectroscopy.lines)
        optics = particles.read(job.input("particles"))
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BadInput(f"{job.path}: auxiliary file not as expected: {error}: give a whole file") from error
    return Auxiliary(
        tables=band_tables,
        sun=sun,
        cia=[cia.coefficient(gaussians, t.band.name, t.wavenumber_cm1) for t in band_tables],
        airglow=next(t.glow for t in band_tables if t.band.name == "B4"),
        optics=optics,
        ckd=products.read_ckd(job.input("ckd")),
        line_list_sha256=line_list_sha256,
        folder=cache,
        _suns={
            b: solar.tabulated(np.asarray(t.sun), t.band.wavenumber_cm1) for b, t in enumerate(band_tables)
        },
    )
