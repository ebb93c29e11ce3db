"""Turn a state vector into the radiance of every spectel, with its Jacobian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from processors.constants import C_LIGHT, WGS84_A

from . import atmosphere, diffuse
from .atmosphere import Layers, Meteo
from .bands import LAYER_EDGES_PA
from .isrf import Response, convolve
from .monochromatic import radiance
from .state import StateVector
from .surface import glint_reflectance
from .tables import T_SPAN_K, BandTables, temperature_coordinate

SPECTELS = 1024
FITS_OF_DIFFUSE = {True: 1, False: 2}  # over glint, over land, whose albedo has to be found first

MARKS = (0.1, 0.36, 0.63, 0.85)  # of the surface pressure, where the light left tells heights apart


@dataclass(frozen=True)
class Viewing:
    """Geometry of one sounding at the ground; speeds positive when receding."""

    sza_deg: float
    vza_deg: float
    raa_deg: float
    sensor_recession_m_s: float
    glint: bool


@dataclass(frozen=True)
class BandInput:
    """What one band of one sounding needs: tables, sunlight and other spectra (point), the instrument."""

    tables: BandTables
    sun: np.ndarray  # ph s-1 m-2 um-1 at the ground
    cia: np.ndarray  # cm-1 amagat-2
    airglow: np.ndarray | None  # (2, point) of 1 MR and its slope, ph s-1 m-2 sr-1 um-1 (K-1)
    fluorescence: np.ndarray | None  # (point) at the ground, of one unit of the state
    response: Response
    wavelength_nm: np.ndarray  # (spectel) of the spectel centres, sensor frame


class ForwardModel:
    """Radiance (4 x 1024) of one sounding as a function of its state.

    The Jacobian holds the diffuse light (all but direct sunlight and its first scattering) constant.
    """

    def __init__(self, state: StateVector, meteo: Meteo, viewing: Viewing, bands: list[BandInput]) -> None:
        self.state, self.meteo, self.viewing, self.bands = state, meteo, viewing, bands
        self.calls = 0
        self._training: dict[int, np.ndarray] = {}
        self._scale: dict[int, tuple[float, float]] = {}
        self._fit: dict[int, np.ndarray] = {}
        self._amf_sun = _slant_factor(viewing.sza_deg, meteo)
        self._amf_view = _slant_factor(viewing.vza_deg, meteo)
        self._marks = _marks(100.0 * state.x_a[state["psurf"]][0])
        mu0, mu = np.cos(np.radians([viewing.sza_deg, viewing.vza_deg]))
        sines = np.sqrt((1.0 - mu0**2) * (1.0 - mu**2))
        self._mu0, self._mu = float(mu0), float(mu)
        self._phase = diffuse.rayleigh_phase(-(mu0 * mu + sines * np.cos(np.radians(viewing.raa_deg))))

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return F (4 * 1024,) ph s-1 m-2 sr-1 um-1 and K (4 * 1024, state); NaN where no air can be so."""
        sv = self.state
        if not self._in_domain(x):
            size = len(self.bands) * SPECTELS
            return np.full(size, np.nan), np.full((size, x.size), np.nan)
        self.calls += 1
        psurf_pa, shift, h2o = 100.0 * x[sv["psurf"]][0], x[sv["temperature"]], x[sv["h2o"]][0]
        layers = atmosphere.layers(self.meteo, psurf_pa, shift, h2o)
        slopes = atmosphere.derivatives(self.meteo, psurf_pa, shift, h2o)
        radiances = np.empty((len(self.bands), SPECTELS))
        K = np.zeros((len(self.bands), SPECTELS, x.size))
        with np.errstate(over="ignore", invalid="ignore"):  # absurd trial states; the search rejects them
            for b in range(len(self.bands)):
                radiances[b] = self._band(b, x, layers, slopes, K[b])
        return radiances.ravel(), K.reshape(-1, x.size)

    def _in_domain(self, x: np.ndarray) -> bool:
        """Tell whether layers and tables cover a state."""
        low, high = atmosphere.PSURF_RANGE_PA
        if not np.all(np.isfinite(x)) or not low <= 100.0 * x[self.state["psurf"]][0] <= high:
            return False
        return bool(np.abs(x[self.state["temperature"]]).max() < T_SPAN_K)

    def _band(self, b: int, x: np.ndarray, layers: Layers, slopes: list[Layers], K: np.ndarray) -> np.ndarray:
        """Return the radiance (spectel) of one band and fill its Jacobian (spectel, state)."""
        sv, band = self.state, self.bands[b]
        nu = band.tables.band.wavenumber_cm1
        poly = _polynomial(nu)
        shape = x[sv[f"surface_{b}"]] @ poly
        level, by_wind = self._surface_level(x)
        reflectance = level * shape
        columns, entries, coefs = self._layer_jacobian(b, x, layers, slopes)
        emission = self._emission(b, x)
        direct, path, up, lit, jac = self._monochromatic(
            b, x, layers, reflectance, emission, entries, coefs, len(columns)
        )
        total = reflectance * direct + path
        total = total + self._diffuse_light(b, x, layers, direct, path, lit, reflectance)
        glow = np.zeros((0, nu.size))
        if band.airglow is not None:
            glow = band.airglow / self._mu
            total = total + x[sv["airglow"]] @ glow
        if emission.size:
            glow = (band.fluorescence * up)[None]
            total = total + emission * up
        fields = np.concatenate([[total], jac, direct * poly, glow])
        seen, slope = self._convolve(b, x, fields)
        for k, column in enumerate(columns):
            K[:, column] = seen[1 + k]
        first = 1 + len(columns)
        surface = sv[f"surface_{b}"]
        K[:, surface] = level * seen[first : first + 3].T
        if "wind" in sv:
            K[:, sv["wind"].start] = by_wind * (x[surface] @ seen[first : first + 3])
        K[:, sv[f"dispersion_{b}"]] = slope[:, None] * _stretch().T
        if band.airglow is not None:
            K[:, sv["airglow"]] = seen[-2:].T
        if emission.size:
            K[:, sv["sif"]] = seen[-1:].T
        return seen[0]

    def _emission(self, b: int, x: np.ndarray) -> np.ndarray:
        """Return the radiance (point) that the ground emits; empty where the state has none."""
        shape = self.bands[b].fluorescence
        if shape is None or "sif" not in self.state:
            return np.zeros(0)
        return x[self.state["sif"]][0] * shape

    def _surface_level(self, x: np.ndarray) -> tuple[float, float]:
        """Return the factor on the surface polynomial and its derivative by wind."""
        v = self.viewing
        if "wind" not in self.state:
            return 1.0, 0.0
        return glint_reflectance(v.sza_deg, v.vza_deg, v.raa_deg, max(x[self.state["wind"]][0], 0.1))

    def _gas(self, b: int, x: np.ndarray, layers: Layers) -> np.ndarray:
        """Return the column (layer) of the gas a band measures, cm-2."""
        if self.bands[b].tables.band.gas == "O2":
            return layers.o2
        return layers.dry * (layers.co2_map @ x[self.state["co2"]]) * 1e-6

    def _monochromatic(self, b, x, layers, reflectance, emission, entries, coefs, columns):  # type: ignore[no-untyped-def]
        """Run the kernel, see monochromatic.radiance."""
        band = self.bands[b]
        bottom, weight = layers.bottom, float(layers.bottom_weight[0])
        gas, h2o = band.tables.gas.view(np.ndarray), band.tables.h2o.view(np.ndarray)
        gas_bottom, gas_mix = atmosphere.mix_bottom(gas, bottom, weight)
        h2o_bottom, h2o_mix = atmosphere.mix_bottom(h2o, bottom, weight)
        return radiance(
            gas, gas_bottom, gas_mix, h2o, h2o_bottom, h2o_mix,
            self._gas(b, x, layers), layers.h2o, layers.air, layers.cia,
            temperature_coordinate(layers.temperature), 1.0 / T_SPAN_K,
            self._amf_sun, self._amf_view, bottom,
            band.sun, band.cia, diffuse.rayleigh_cross_section(band.tables.band.wavenumber_cm1), reflectance,
            emission, self._mu0, self._phase, self._marks, entries, coefs, columns,
        )  # fmt: skip

    def _layer_jacobian(
        self, b: int, x: np.ndarray, layers: Layers, slopes: list[Layers]
    ) -> tuple[list[int], np.ndarray, np.ndarray]:
        """Return state columns, entries (entry, 2: layer, column) and their layer derivatives (entry, 6).

        The six: gas, water, temperature, bottom weight, air, squared-density path.
        """
        sv, co2_band = self.state, self.bands[b].tables.band.gas == "CO2"
        co2 = x[sv["co2"]]
        rows, columns = [], []
        zero = np.zeros_like(layers.dry)
        at_bottom = np.arange(zero.size) == layers.bottom
        if co2_band:
            for j in range(co2.size):
                columns.append(sv["co2"].start + j)
                gas = layers.dry * layers.co2_map[:, j] * 1e-6
                rows.append(np.stack([gas, zero, zero, zero, zero, zero], axis=1))
        state_columns = [sv["psurf"].start, *range(*sv["temperature"].indices(x.size)), sv["h2o"].start]
        for column, d in zip(state_columns, slopes, strict=True):
            columns.append(column)
            gas = d.o2
            if co2_band:
                gas = (d.dry * (layers.co2_map @ co2) + layers.dry * (d.co2_map @ co2)) * 1e-6
            mix = np.where(at_bottom, d.bottom_weight[0], 0.0)
            rows.append(np.stack([gas, d.h2o, d.temperature, mix, d.air, d.cia], axis=1))
        dense = np.array(rows)  # (column, layer, 6)
        dense[:, layers.bottom + 1 :] = 0.0
        found = np.argwhere(np.any(dense != 0.0, axis=2))
        entries = found[:, ::-1].astype(np.int64)
        return columns, np.ascontiguousarray(entries), dense[found[:, 0], found[:, 1]]

    def _diffuse_light(self, b, x, layers, direct, path, lit, reflectance):  # type: ignore[no-untyped-def]
        """Return the diffuse radiance (point) as a combination of reflected, scattered and partly lit light.

        The combination is fitted to successive orders of scattering at a few points, at the first states:
        then it moves little, and a model that keeps changing would hinder convergence.
        """
        sun = self.bands[b].sun
        s, t = path / sun, reflectance * direct / sun
        if b not in self._training:
            self._training[b] = np.unique(np.concatenate([_spread(s), _spread(t)]))
            self._scale[b] = s.max(), max(t.max(), np.finfo(float).tiny)
        s0, t0 = self._scale[b]
        u, v = s / s0, t / t0
        products = [u, v, u * u, u * v, v * v, u**3, v**3, u * u * v, u * v * v, np.sqrt(u), np.sqrt(v), *lit]
        features = np.stack(products)
        if self.calls <= FITS_OF_DIFFUSE[self.viewing.glint]:
            at = self._training[b]
            tau, ray = self._layer_depths(b, x, layers, at)
            albedo = np.zeros(at.size) if self.viewing.glint else reflectance[at]
            slab = diffuse.Slab(tau, ray, self._mu0, self._mu, self.viewing.raa_deg, albedo)
            light = diffuse.multiple_scattering(slab)
            if not np.all(np.isfinite(light)) or not np.all(np.isfinite(features[:, at])):
                return np.full_like(sun, np.nan)  # no state to fit at, and LAPACK may hang on NaN
            self._fit[b] = np.linalg.lstsq(features[:, at].T, light, rcond=1e-10)[0]
        return sun * (self._fit[b] @ features)

    def _layer_depths(self, b, x, layers, at):  # type: ignore[no-untyped-def]
        """Return total and Rayleigh optical depth (layer, point) at the points `at`."""
        band, used = self.bands[b], slice(0, layers.bottom + 1)
        t = temperature_coordinate(layers.temperature)[used]
        powers = np.stack([np.ones_like(t), t, t**2, t**3], axis=1)
        depth = np.zeros((t.size, at.size))
        for table, column in ((band.tables.gas, self._gas(b, x, layers)), (band.tables.h2o, layers.h2o)):
            depth += column[used, None] * np.einsum("lpn,lp->ln", table[used][:, :, at], powers)
        nu = band.tables.band.wavenumber_cm1[at]
        ray = layers.air[used, None] * diffuse.rayleigh_cross_section(nu)
        return np.maximum(depth, 0.0) + layers.cia[used, None] * band.cia[at] + ray, ray

    def _convolve(self, b: int, x: np.ndarray, fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        band = self.bands[b]
        nu = band.tables.band.wavenumber_cm1 * (1.0 - self.viewing.sensor_recession_m_s / C_LIGHT)
        center = band.wavelength_nm + x[self.state[f"dispersion_{b}"]] @ _stretch()
        return convolve(
            fields, 1e7 / nu, center, band.response.node, band.response.offset_nm, band.response.isrf
        )


def _marks(psurf_pa: float) -> np.ndarray:
    """Return the layers that end nearest to MARKS of a surface pressure."""
    return np.array([np.abs(LAYER_EDGES_PA[1:] - share * psurf_pa).argmin() for share in MARKS])


def _spread(values: np.ndarray) -> np.ndarray:
    """Return the points (index) whose values lie evenly between the least and the largest."""
    order = np.argsort(values)
    wanted = np.linspace(values[order[0]], values[order[-1]], diffuse.TRAINING_POINTS // 2)
    return order[np.searchsorted(values[order], wanted).clip(max=values.size - 1)]


def _slant_factor(zenith_deg: float, meteo: Meteo) -> np.ndarray:
    """Return the slant path per vertical path (layer) in a spherical, unrefracted atmosphere."""
    ground = WGS84_A + meteo.surface_altitude_m
    sine = np.sin(np.radians(zenith_deg)) * ground / (WGS84_A + meteo.height_m)
    return 1.0 / np.sqrt(1.0 - sine**2)


def _polynomial(wavenumber_cm1: np.ndarray) -> np.ndarray:
    """Return 1, u, u^2 - 1/3 (3, point), u from -1 to 1 across the band."""
    u = np.linspace(-1.0, 1.0, wavenumber_cm1.size)
    return np.stack([np.ones_like(u), u, u**2 - 1.0 / 3.0])


def _stretch() -> np.ndarray:
    """Return the wavelength change (2, spectel) per unit of shift and of stretch."""
    return np.stack([np.ones(SPECTELS), np.linspace(-1.0, 1.0, SPECTELS)])
