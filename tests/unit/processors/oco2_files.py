"""Files laid out as OCO-2's L1bSc and L2Met products, for tests of their readers."""

import netCDF4
import numpy as np

NAMES = ("o2", "weak_co2", "strong_co2")
DISPERSION_UM = ((0.757683, 1.7463e-5, -2.75e-9), (1.59058, 3.60e-5, -4.9e-9), (2.04302, 4.66e-5, -6.0e-9))
FWHM_NM = (0.042, 0.078, 0.105)
FRAMES, FOOTPRINTS, SAMPLES, STEPS = 2, 8, 1016, 200
FRAME, FOOTPRINT, SOUNDING = 1, 3, 2020063012345604
PHOTON, BACKGROUND = (
    0.001,
    0.002,
)  # snr_coef, a tenth of OCO-2's: SNR of 5000 at a quarter of the largest signal
FILL = -999999.0
RECESSION_M_S, SUN_M_S = 1500.0, 300.0


def write_l1b(path, radiance, water=False, leave_out=()):
    """Write an L1bSc file: one sounding with radiance (3, sample) of unpolarised light, all others fill."""
    geometry = {
        "solar_zenith": 40.0, "solar_azimuth": 150.0, "zenith": 12.0, "azimuth": 250.0, "latitude": 46.0,
        "altitude": 270.0, "relative_velocity": -RECESSION_M_S, "solar_relative_velocity": SUN_M_S,
        "solar_distance": 1.01 * 149_597_870_700.0, "land_water_indicator": int(water),
    }  # fmt: skip
    with netCDF4.Dataset(path, "w") as file:
        sizes = {"frame": FRAMES, "footprint": FOOTPRINTS, "sample": SAMPLES, "band": 3, "coefficient": 6,
                 "noise": 2, "step": STEPS, "stokes": 4}  # fmt: skip
        for name, size in sizes.items():
            file.createDimension(name, size)

        def put(name, kind, dims, values):
            if name not in leave_out:
                file.createVariable(name, kind, dims)[:] = values

        ids = SOUNDING - FOOTPRINT + np.arange(FOOTPRINTS) + 30 * (np.arange(FRAMES)[:, None] - FRAME)
        put("SoundingGeometry/sounding_id", "i8", ("frame", "footprint"), ids)
        for name, value in geometry.items():
            values = np.full((FRAMES, FOOTPRINTS), FILL)
            values[FRAME, FOOTPRINT] = value
            put(f"SoundingGeometry/sounding_{name}", "f8", ("frame", "footprint"), values)
        for b, name in enumerate(NAMES):
            values = np.full((FRAMES, FOOTPRINTS, SAMPLES), FILL)
            values[FRAME, FOOTPRINT] = 0.5 * radiance[b]
            put(f"SoundingMeasurements/radiance_{name}", "f4", ("frame", "footprint", "sample"), values)
        stokes = np.tile([0.5, -0.4, 0.3, 0.0], (FRAMES, FOOTPRINTS, 3, 1))
        where = ("frame", "footprint", "band", "stokes")
        put("FootprintGeometry/footprint_stokes_coefficients", "f4", where, stokes)
        write_header(put)


def write_header(put):
    """Put what an L1bSc file says of the instrument; only one footprint is as it should be."""
    dispersion, snr = np.zeros((3, FOOTPRINTS, 6)), np.full((3, FOOTPRINTS, SAMPLES, 2), 9.0)
    dispersion[:, FOOTPRINT, :3], snr[:, FOOTPRINT] = DISPERSION_UM, (PHOTON, BACKGROUND)
    bad = np.ones((3, FOOTPRINTS, SAMPLES))
    bad[:, FOOTPRINT] = 0
    bad[1, FOOTPRINT, 400] = 1
    delta, response = np.zeros((2, 3, FOOTPRINTS, SAMPLES, STEPS))
    for b, fwhm in enumerate(FWHM_NM):
        x = 6.0 * fwhm * np.sinh(np.linspace(-3.0, 3.0, STEPS)) / np.sinh(3.0)  # closer steps in the middle
        delta[b, FOOTPRINT] = 1e-3 * x
        response[b, FOOTPRINT] = 40.0 * np.exp(-4.0 * np.log(2.0) * (x / fwhm) ** 2)
    put("InstrumentHeader/dispersion_coef_samp", "f8", ("band", "footprint", "coefficient"), dispersion)
    put("InstrumentHeader/snr_coef", "f4", ("band", "footprint", "sample", "noise"), snr)
    put("InstrumentHeader/bad_sample_list", "i1", ("band", "footprint", "sample"), bad)
    put("InstrumentHeader/ils_delta_lambda", "f4", ("band", "footprint", "sample", "step"), delta)
    put("InstrumentHeader/ils_relative_response", "f4", ("band", "footprint", "sample", "step"), response)


def write_met(path, shift=0):
    """Write an L2Met file, its soundings moved by some frames against the L1bSc file."""
    p = np.geomspace(1.0, 98_500.0, 72)
    log_nodes = np.log([1.0, 100.0, 1000.0, 10_000.0, 20_000.0, 50_000.0, 98_500.0])
    profiles_met = {
        "vector_pressure_levels": p,
        "temperature_profile": np.interp(np.log(p), log_nodes, [230.0, 262, 230, 208, 218, 255, 289]),
        "specific_humidity_profile": 0.008 * (p / 1e5) ** 3,
    }
    with netCDF4.Dataset(path, "w") as file:
        frames = FRAMES + shift
        for name, size in {"frame": frames, "footprint": FOOTPRINTS, "level": 72}.items():
            file.createDimension(name, size)
        ids = SOUNDING - FOOTPRINT + np.arange(FOOTPRINTS) + 30 * (np.arange(frames)[:, None] - FRAME - shift)
        file.createVariable("SoundingGeometry/sounding_id", "i8", ("frame", "footprint"))[:] = ids
        for name, value in {"surface_pressure": 98_600.0, "windspeed_u": 3.0, "windspeed_v": -4.0}.items():
            values = np.full((frames, FOOTPRINTS), FILL)
            values[FRAME + shift, FOOTPRINT] = value
            file.createVariable(f"Meteorology/{name}_met", "f8", ("frame", "footprint"))[:] = values
        for name, profile in profiles_met.items():
            values = np.full((frames, FOOTPRINTS, 72), FILL)
            values[FRAME + shift, FOOTPRINT] = profile
            file.createVariable(f"Meteorology/{name}_met", "f8", ("frame", "footprint", "level"))[:] = values
