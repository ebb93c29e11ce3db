"""Turn place and time into the analytic CO2 profile the ground starts from."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

# After the a priori of GGG2014 (Toon & Wunch 2014, doi:10.14291/tccon.ggg2014.priors.R0/1221661): one
# reference mole fraction, aged by the time air needs from 49 N, grown by the secular trend and given a
# seasonal cycle. [P] constants, as in the GGG2014 a priori code. Simplified [A]: no reference profile
# (constant in height at age zero), no resampling by effective altitude, the tropopause by latitude only.
REFERENCE_YEAR = 2005.0  # yr, of the mole fraction at age zero [A]
REFERENCE_PPM = 379.0  # ppm [A]; brings 2024 within 1 ppm of NOAA's global mean, 422.8 [R]
TREND_PER_YEAR = 0.0052  # yr-1 (GGG2014)
TREND_CURVATURE_YEAR = 155.0  # yr (GGG2014)
SEASONAL_AMPLITUDE = 0.0081  # relative, at the surface at 50 N (GGG2014)


def profile(latitude_deg: np.ndarray, altitude_m: np.ndarray, year: np.ndarray) -> np.ndarray:
    """CO2 prior  (sounding, level)  ppm dry, from latitude and decimal year (sounding) and altitude."""
    latitude, z = np.asarray(latitude_deg)[:, None], np.maximum(altitude_m, 0.0) / 1e3  # km
    age = age_of_air(latitude, z, tropopause_km(latitude))
    years = np.asarray(year)[:, None] - REFERENCE_YEAR - age
    grown = REFERENCE_PPM * (1 + TREND_PER_YEAR * years) * (1 + (years / TREND_CURVATURE_YEAR) ** 2)
    return grown * (1 + SEASONAL_AMPLITUDE * seasonal(latitude, z, np.asarray(year)[:, None] % 1.0, age))


def age_of_air(latitude: np.ndarray, z_km: np.ndarray, tropopause: np.ndarray) -> np.ndarray:
    """Years since the air was at the surface at 49 N (GGG2014)."""
    north = latitude / 22 / np.sqrt(1 + (latitude / 22) ** 2)
    mixing = np.exp(-1.42 * z_km / (z_km + tropopause))
    age = 0.313 - 0.085 * np.exp(-(((latitude - 49) / 18) ** 2)) - 0.268 * mixing * north
    above = np.maximum(z_km - tropopause, 0.0) / np.maximum(z_km, 1e-3)
    return age + 7.0 * above


def seasonal(
    latitude: np.ndarray, z_km: np.ndarray, year_fraction: np.ndarray, age: np.ndarray
) -> np.ndarray:
    """Seasonal cycle relative to its amplitude, drawn down in boreal summer, lost with age (GGG2014)."""
    wave = np.sin(2 * np.pi * (year_fraction - 0.834 - age))
    with_half_year = wave + 1.80 * np.exp(-(((latitude - 74) / 41) ** 2)) * (0.5 - wave**2)
    boundary_layer = 1.33 * np.exp(-(((latitude - 76) / 48) ** 2)) * (z_km + 6.0) / (z_km + 1.4)
    return with_half_year * np.exp(-age / 0.20) * (1 + boundary_layer)


def tropopause_km(latitude: np.ndarray) -> np.ndarray:
    """Annual mean tropopause altitude [A]: 16.5 km at the equator, 9.5 km at the poles."""
    return 9.5 + 7.0 * np.exp(-((latitude / 42) ** 4))


def decimal_year(unix_s: np.ndarray) -> np.ndarray:
    """Turn UTC seconds since 1970 into decimal years  (sounding)."""
    return np.array([_decimal_year(float(t)) for t in np.atleast_1d(unix_s)])


def _decimal_year(unix_s: float) -> float:
    year = datetime.fromtimestamp(unix_s, UTC).year
    start, end = (datetime(y, 1, 1, tzinfo=UTC).timestamp() for y in (year, year + 1))
    return year + (unix_s - start) / (end - start)
