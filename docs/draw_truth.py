"""Draw docs/figures/truth_*.png, a picture of every layer of nature, and print the table of docs/truth.md.

python docs/draw_truth.py [NAME ...] draws all pictures or those named: co2 biosphere synoptic plumes surface
reflectance relief aerosol particles cloud emission atmosphere spectra. Without names the table at the end of
docs/truth.md is written anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from truth_panels import (
    BAND_UM,
    CYCLE,
    EARTH,
    JULY,
    JULY_S,
    KIND_COLOURS,
    KM_PER_DEGREE,
    SEED,
    STEP_DEG,
    globe,
    panels,
    region,
    save,
    square,
    world,
)
from truth_table import ROWS, note, note_columns, note_plumes, plume

from truth import (
    aerosol,
    atmosphere,
    biosphere,
    brdf,
    cloud,
    co2,
    emission,
    particles,
    relief,
    surface,
    weather,
)
from truth.config import Particles, Source, TruthConfig
from truth.footprint import sub_samples
from truth.landcover import KINDS
from truth.scene import Truth
from twin.truthview import asked, fields, places, spectra

# --- CO2


def column(latitude_deg: np.ndarray, year: np.ndarray) -> np.ndarray:
    """Give XCO2 of the climatology over 1000 hPa, arguments broadcast."""
    pressure = 1e5 * atmosphere.sigma_levels(400)
    profile = co2.zonal_background(pressure, latitude_deg[..., None], year[..., None])
    return np.trapezoid(profile, pressure, axis=-1) / (pressure[-1] - pressure[0])


def draw_co2() -> None:
    figure, (a, b, c) = panels(3)
    latitude, month = np.linspace(-90, 90, 91), np.linspace(0, 12, 73)
    values = column(latitude[:, None], 2026 + month[None] / 12)
    region(a, (month, latitude), values, "a  zonal XCO2, 2026", "ppm", cmap="viridis")
    a.set(xlabel="month", ylabel="latitude, °")
    middle = 2015 + (np.arange(12) + 0.5) / 12
    published = (4.4, 5.2, 5.8, 6.1, 5.8, 4.0, 0.8, -2.2, -2.5, -0.3, 2.1, 3.6)
    north, south = (column(np.full(12, sign * 45.0), middle) for sign in (1, -1))
    b.plot(np.arange(12) + 0.5, north - south, label="here")
    b.plot(np.arange(12) + 0.5, published, "o", ms=4, label="expected")
    b.axhline(0, color="#999999", lw=0.6)
    b.set(title="b  XCO2 45° N less 45° S, 2015", xlabel="month", ylabel="ppm")
    b.legend()
    pressure = 1e5 * atmosphere.sigma_levels(200)
    for lat in (-60.0, 0.0, 30.0, 60.0):
        c.plot(co2.zonal_background(pressure, lat, 2026.54), pressure / 100, label=f"{lat:g}°")
    c.set(title="c  profiles, 15 July 2026", xlabel="ppm", ylabel="hPa", ylim=(1000, 0))
    c.legend(title="latitude")
    save(figure, "co2")
    worst = np.max(np.abs(north - south - published))
    note("XCO2 45° N less 45° S, 12 months, ppm", "−2.5 to 6.1 by month", f"within {worst:.2f} of each")
    year = 2015 + np.arange(0, 1, 1 / 73)
    for lat, expected in ((-45.0, 1.0), (0.0, 1.5), (28.0, 5.9), (46.0, 8.0), (60.0, 9.7)):
        swing = np.ptp(column(np.full(73, lat), year) - co2.base_ppm(year))
        note(f"seasonal XCO2 at {lat:g}°, peak to peak, ppm", f"{expected:g}", f"{swing:.2f}")
    for name, month_of, expected in (("May", 4.5, 430.7), ("August", 7.5, 422.2)):
        found = column(np.array(60.0), np.array(2026 + month_of / 12))
        note(f"XCO2 at 60° N, {name} 2026, ppm", f"{expected}", f"{found:.2f}")


def draw_biosphere() -> None:
    figure, (a, b, c) = panels(3)
    grid = np.meshgrid(*fields.centres(2.0), indexing="ij")
    for axes, name, year in ((a, "a  15 January", 2026.04), (b, "b  15 July", 2026.54)):
        values = biosphere.seasonal_xco2(*grid, year)
        world(axes, values, name, "XCO2 less zonal mean, ppm", cmap="RdBu_r", vmin=-2.5, vmax=2.5)
    hours = np.linspace(0, 24, 97)
    for name, lat, lon in (("Siberia", 60, 105), ("Alps", 48, 15), ("mid Pacific", 20, -160)):
        utc = JULY_S - 43200 + 3600 * hours - 240.0 * lon
        c.plot(hours, biosphere.daily_xco2(lat, lon, 2026.54, utc), label=name)
    c.set(title="c  daily cycle in July", xlabel="local solar time, h", ylabel="ppm", xticks=range(0, 25, 6))
    c.legend()
    save(figure, "biosphere")
    zonal = np.abs(biosphere.seasonal_xco2(58.0, np.arange(-180, 180, 2.0), 2026.54).mean())
    note("biosphere, mean along 58° N in July, ppm", "0", f"below {max(zonal, 1e-15):.0e}")
    sea, land = (biosphere.seasonal_xco2(58.0, lon, 2026.54) for lon in (-35.0, 105.0))
    note("July XCO2 at 58° N, Atlantic less Siberia, ppm", "1 to 3", f"{sea - land:.2f}")
    span = np.ptp(biosphere.daily_xco2(60.0, 105.0, 2026.54, 3600.0 * np.arange(24)))
    note("daily range of XCO2 over Siberia in July, ppm", "0.3 to 1", f"{span:.2f}")


def draw_synoptic() -> None:
    figure, (a, b) = panels(2, 8.0)
    x, y, lon, lat = square(45.0, 5.0, 4.0, 400)
    values = co2.synoptic_xco2(SEED, lat, lon, JULY_S)
    region(a, (x, y), values, "a  weather's part of XCO2, one moment", "ppm", cmap="RdBu_r", vmin=-1, vmax=1)
    a.set(xlabel="longitude, °", ylabel="latitude, °", aspect=1 / np.cos(np.radians(45)))
    distance = np.geomspace(2, 1500, 25)
    published = {10: 0.09, 50: 0.18, 100: 0.23, 400: 0.32}
    where = np.concatenate(([0.0], distance, list(published))) / KM_PER_DEGREE
    draws = np.array([co2.synoptic_xco2(seed, 0.0, where, JULY_S) for seed in range(600)])
    rms = np.sqrt(np.mean((draws[:, 1:] - draws[:, :1]) ** 2, axis=0))
    b.loglog(distance, rms[: len(distance)], label="600 seeds here")
    b.loglog(list(published), list(published.values()), "o", label="1.1 km model run")
    b.set(title="b  rms difference of two places", xlabel="distance, km", ylabel="ppm", ylim=(0.02, 0.5))
    b.set_yticks((0.03, 0.1, 0.3), ("0.03", "0.1", "0.3"))
    b.yaxis.set_minor_formatter("")
    b.legend()
    save(figure, "synoptic")
    for km, found in zip(published, rms[len(distance) :], strict=True):
        note(f"rms difference of XCO2 {km} km apart, ppm", f"{published[km]}", f"{found:.3f}")


def draw_plumes() -> None:
    figure, axes = panels(3, height=2.9)
    stack = Source("stack", 51.27, 19.33, 20.0)
    city = Source("Paris", 48.86, 2.35, 50.0, 40e3)
    common = {"wind_speed": 5.0, "wind_direction": 240.0}
    drawn = []
    for axis, title, source, kind, reach in (
        (axes[0], "a  20 Mt a year, steady", stack, "steady", 40.0),
        (axes[1], "b  the same, turbulent", stack, "turbulent", 40.0),
        (axes[2], "c  a city of 50 Mt a year over 40 km", city, "steady", 80.0),
    ):
        km = np.linspace(-0.25 * reach, reach, 126)
        x, y = np.meshgrid(km, km)
        values = plume(TruthConfig(plumes=kind, sources=(source,), **common), (x, y), km[1] - km[0])
        drawn.append(values)
        region(axis, (km, km), values, title, "ppm", cmap="magma_r", vmin=0, vmax=np.percentile(values, 99.7))
        axis.set(xlabel="km east", ylabel="km north", aspect="equal")
    save(figure, "plumes")
    note_plumes()


# --- the ground


def draw_surface() -> None:
    figure, (a, b, c) = panels(3)
    style = {
        "cmap": ListedColormap(KIND_COLOURS),
        "norm": BoundaryNorm(np.arange(-0.5, 7.0), 7),
        "bar": False,
    }
    world(a, globe(False)["kind"], "a  largest share, 15 January", "", **style)
    world(b, globe(True)["kind"], "b  largest share, 15 July", "", **style)
    handles = [plt.Rectangle((0, 0), 1, 1, fc=colour, ec="#999999") for colour in KIND_COLOURS]
    figure.legend(handles, KINDS, loc="outside lower left", ncols=7)
    order = [list(BAND_UM).index(band) for band in ("B1", "B4", "B2", "B3")]
    bands = list(BAND_UM)
    index = ["B1", "B2", "B3", "B4"]
    for kind, colour in zip(
        KINDS[1:], ("#74c476", "#00441b", "#a6761d", "#e6ab02", "#6baed6", "#d7191c"), strict=True
    ):
        values = surface.albedo(kind)[[index.index(band) for band in bands]]
        c.plot(list(BAND_UM.values()), values[order], "o-", ms=3, lw=1, color=colour, label=kind)
    c.set(title="c  mean albedo of each kind", xlabel="µm", ylim=(0, 1))
    c.legend(ncols=2)
    save(figure, "surface")


def draw_reflectance() -> None:
    figure, (a, b, c) = panels(3)
    published = {  # at the specular point, wind 2, 5, 7, 10, 15 m/s
        10: (0.365, 0.169, 0.124, 0.089, 0.060),
        30: (0.497, 0.230, 0.169, 0.121, 0.082),
        45: (0.98, 0.453, 0.333, 0.239, 0.162),
        60: (4.3, 1.98, 1.46, 1.05, 0.71),
    }
    sza, winds, worst = np.linspace(0, 65, 66), (2, 5, 7, 10, 15), 0.0
    for i, wind in enumerate(winds):
        a.semilogy(
            sza, surface.cox_munk_reflectance(sza, sza, 180.0, wind), color=CYCLE[i], label=f"{wind} m/s"
        )
        a.plot(list(published), [row[i] for row in published.values()], "o", ms=3, color=CYCLE[i])
        for angle, row in published.items():
            worst = max(worst, abs(surface.cox_munk_reflectance(angle, angle, 180.0, wind) / row[i] - 1))
    a.set(title="a  sea at the specular point", xlabel="solar zenith angle, °", ylabel="π L / (μ₀ F₀)")
    a.legend(title="wind; dots: expected")
    note(
        "Cox–Munk reflectance, 20 pairs of wind and angle",
        "0.060 to 4.3",
        f"within {100 * worst:.1f} % of each",
    )
    view = np.linspace(-70, 70, 141)
    raa = np.where(view < 0, 0.0, 180.0)
    for kind in ("vegetation", "forest", "soil", "desert", "snow"):
        kernels = surface.land_kernels(kind, surface.albedo(kind)[:1])
        b.plot(view, brdf.reflectance(kernels, 40.0, np.abs(view), raa) / surface.albedo(kind)[0], label=kind)
    b.set(title="b  land in B1 over its albedo, Sun at −40°", xlabel="view in the plane of the Sun, °")
    b.legend()
    wind = np.linspace(0.5, 20, 80)
    for i, band in enumerate(("B1", "B2", "B3", "B4")):
        c.semilogy(wind, surface.whitecap_coverage(wind) * surface.FOAM[i], label=band)
    c.set(title="c  albedo of foam", xlabel="wind at 10 m, m/s", ylim=(1e-8, 1e-1))
    c.legend()
    save(figure, "reflectance")


def draw_relief() -> None:
    figure, (a, b, c) = panels(3)
    world(a, globe(True)["surface_altitude"], "a  altitude", "m", cmap="cividis", vmin=0, vmax=5000)
    x, y, lon, lat = square(46.0, 8.0, 1.2, 400)
    height = relief.altitude_m(lat, lon, SEED, EARTH.config)
    region(b, (x, y), height, "b  Alps, with drawn hills below 10 km", "m", cmap="cividis")
    b.set(aspect=1 / np.cos(np.radians(46.0)))
    world(c, globe(True)["psurf"], "c  surface pressure, 15 July", "hPa", cmap="viridis", vmin=550, vmax=1030)
    save(figure, "relief")


# --- the air


def draw_atmosphere() -> None:
    figure, (a, b, c) = panels(3)
    sigma = atmosphere.sigma_levels()
    for i, lat in enumerate((0.0, 45.0, 75.0)):
        for fraction, style in ((0.54, "-"), (0.04, "--")):
            temperature, humidity = atmosphere.climatology(101325.0 * sigma, lat, fraction)
            name = f"{lat:g}° {'July' if style == '-' else 'January'}"
            a.plot(temperature, 1013.25 * sigma, style, color=CYCLE[i], lw=1, label=name)
            b.semilogx(1e3 * humidity, 1013.25 * sigma, style, color=CYCLE[i], lw=1)
    a.set(title="a  temperature", xlabel="K", ylabel="hPa", ylim=(1013, 0))
    a.legend()
    b.set(title="b  specific humidity", xlabel="g/kg", ylim=(1013, 0), xlim=(1e-3, 30))
    latitude, longitude = fields.centres(2.0)
    grid = np.meshgrid(latitude, longitude, indexing="ij")
    values = weather.sea_level_pressure(SEED, *grid, JULY_S) / 100
    world(c, values, "c  sea-level pressure, one moment", "hPa", cmap="viridis")
    save(figure, "atmosphere")
    note_columns()


def draw_aerosol() -> None:
    figure, (a, b, c) = panels(3)
    world(
        a,
        globe(True)["aod"],
        "a  15 July, one moment",
        "optical depth at 0.755 µm",
        cmap="magma_r",
        vmin=0,
        vmax=0.6,
    )
    scene = Truth(EARTH.config, SEED).sample(places.sunlit([18.0], [-25.0], JULY))
    height = scene["altitude"].values[0] / 1e3
    for species, colour in zip(particles.SPECIES[:5], CYCLE, strict=False):
        depth = scene["aerosol_optical_depth"].sel(species=species).values[0] / -np.diff(height)
        b.plot(depth, 0.5 * (height[1:] + height[:-1]), color=colour, label=species.replace("_", " "))
    b.set(
        title="b  west of Africa, 18° N 25° W",
        xlabel="extinction, 1/km",
        ylabel="km",
        ylim=(0, 8),
        xscale="log",
    )
    b.set_xlim(1e-5, 1)
    b.legend()
    month = np.linspace(0, 12, 73)
    for name, lat, lon, land in (
        ("Sahara", 20, 0, 1), ("Amazon", -10, -55, 1), ("China", 33, 115, 1), ("Pacific", 0, -150, 0),
    ):  # fmt: skip
        total = aerosol.climatology(lat, lon, month / 12, land).sum(axis=-1)
        c.plot(month, total, label=name)
    c.set(title="c  climatology by month", xlabel="month", ylim=(0, None))
    c.legend()
    save(figure, "aerosol")
    weight = np.cos(np.radians(fields.centres(STEP_DEG)[0]))
    found = np.average(globe(True)["aod"].mean(axis=1), weights=weight)
    note("aerosol optical depth at 0.755 µm, globe, one moment in July", "0.07 to 0.11", f"{found:.3f}")


def draw_particles() -> None:
    figure, axes = panels(2, 9.0, 3.4)
    angle = np.linspace(0, 180, 361)
    for axis, band in zip(axes, ("B1", "B3"), strict=True):
        for species in particles.SPECIES:
            seen = particles.optics(species, band)
            label = (
                f"{species.replace('_', ' ')}: ω {seen.single_scattering_albedo:.2f}, g {seen.asymmetry:.2f}"
            )
            axis.semilogy(angle, seen.phase(np.cos(np.radians(angle))), lw=1, label=label)
        axis.set(
            title=f"{band}, {BAND_UM[band]} µm",
            xlabel="scattering angle, °",
            ylim=(1e-2, 1e3),
            xticks=range(0, 181, 30),
        )
        axis.legend()
    axes[0].set_ylabel("phase function, mean 1")
    save(figure, "particles")


def draw_cloud() -> None:
    figure, (a, b, c) = panels(3)
    x, y, lon, lat = square(20.0, -120.0, 3.0, 400)
    depth = cloud.optical_depth(SEED, lat, lon, JULY_S) * cloud.cloudy(SEED, lat, lon, JULY_S)
    region(
        a,
        (x, y),
        np.where(depth > 0, depth, np.nan),
        "a  opaque cloud, 20° N 120° W",
        "optical depth",
        cmap="cividis",
    )
    a.set(facecolor="#b3cde3", aspect=1)
    generator = np.random.default_rng(5)
    places_lat = np.degrees(np.arcsin(generator.uniform(-1, 1, 3000)))
    where = generator.uniform(-180, 180, 3000)
    when = generator.uniform(1.75e9, 1.78e9, 3000)
    east, north = 2.25 / KM_PER_DEGREE / np.cos(np.radians(places_lat)), 4.5 / KM_PER_DEGREE
    some = sub_samples(
        np.stack([places_lat + north] * 2 + [places_lat - north] * 2, axis=1),
        np.stack([where + east, where - east, where - east, where + east], axis=1),
    )
    found = cloud.fields(EARTH.config, SEED, some, when, np.tile(np.linspace(6e4, 0, 3), (3000, 1)))
    fraction = found["cloud_fraction"][1]
    b.hist(fraction, np.linspace(0, 1, 21), weights=np.full(3000, 100 / 3000), color=CYCLE[0])
    b.set(title="b  footprints of the globe and a year", xlabel="cloud fraction", ylabel="%")
    note("footprints without any cloud", "11 %", f"{100 * np.mean(fraction == 0):.1f} % of 3000")
    _draw_cirrus(c)
    save(figure, "cloud")


def _draw_cirrus(axes: Axes) -> None:
    """Cut through cirrus along 800 km of the equator."""
    layer = Particles("ice", 0.1, 12_000.0, 800.0, 0.6)
    longitude = np.linspace(0, 800, 200) / KM_PER_DEGREE
    place = (np.zeros(200), longitude, np.full(200, JULY_S))
    height = np.tile(np.linspace(18e3, 6e3, 61), (200, 1))
    found = aerosol.profiles(TruthConfig(cirrus=layer), SEED, place, height)
    ice = found["aerosol_optical_depth"][1][:, particles.SPECIES.index("ice")]
    middle = 0.5 * (height[0, 1:] + height[0, :-1]) / 1e3
    where = (longitude * KM_PER_DEGREE, middle)
    region(
        axes, where, ice.T / 0.2, "c  cirrus of optical depth 0.1 ± 60 %", "extinction, 1/km", cmap="magma_r"
    )
    axes.set(xlabel="km east", ylabel="km")


def draw_emission() -> None:
    figure, (a, b, c) = panels(3)
    world(a, globe(True)["sif"], "a  fluorescence at 740 nm, 15 July 12 UTC", "W/(m² µm sr)", cmap="viridis")
    nm = np.linspace(735, 790, 200)
    b.plot(nm, emission.sif_spectrum(1e7 / nm), label="here")
    b.plot((757, 763.5, 768.75), (0.58, 0.43, 0.32), "o", ms=4, label="expected")
    b.set(title="b  fluorescence relative to 740 nm", xlabel="nm")
    b.legend()
    sza = np.linspace(0, 100, 101)
    c.plot(sza, emission.airglow_mr(sza), label="here")
    for angle, low, high in ((0, 25, 27), (30, 23.6, 25.6), (50, 20, 23), (65, 17, 19), (80, 12, 14)):
        c.plot((angle, angle), (low, high), color=CYCLE[1], lw=4, label="expected" if angle == 0 else None)
        note(
            f"airglow at solar zenith angle {angle}°, MR",
            f"{low} to {high}",
            f"{emission.airglow_mr(angle):.1f}",
        )
    c.set(title="c  airglow of the 1.27 µm band", xlabel="solar zenith angle, °", ylabel="MR")
    c.legend()
    save(figure, "emission")


def draw_spectra() -> None:
    figure, axes = panels(2, 10.5, 5.2, rows=2)
    seen = {}
    for name, place, mode, clear in (
        ("Amazon, nadir", (-4.0, -60.0), "nadir", True),
        ("Pacific, glint", (10.0, -150.0), "glint", True),
        ("Amazon under its cloud", (-4.0, -60.0), "nadir", False),
    ):
        at = asked.local_clock("2026-07-15", place[1], datetime(2026, 7, 15, 10, 30).time())
        nature = asked.without_cloud(EARTH) if clear else EARTH
        seen[name] = spectra.observe(nature, spectra.geometry(place, at, mode, None, None), Path("runs"))
    for band, axis in enumerate(axes):
        for name, colour in zip(seen, CYCLE, strict=False):
            data = seen[name]
            axis.plot(data["wavelength"][band], data["radiance"][band], color=colour, lw=0.6, label=name)
        axis.set(
            title=("B1, O2 A", "B2, CO2 1.61 µm", "B3, CO2 2.04 µm", "B4, O2 1.27 µm")[band], ylim=(0, None)
        )
        axis.set_xlabel("nm")
    axes[0].set_ylabel("photons s⁻¹ m⁻² sr⁻¹ µm⁻¹")
    legend = figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    for line in legend.get_lines():
        line.set_linewidth(2.5)
    save(figure, "spectra")


DRAWINGS: dict[str, Callable[[], None]] = {
    "co2": draw_co2,
    "biosphere": draw_biosphere,
    "synoptic": draw_synoptic,
    "plumes": draw_plumes,
    "surface": draw_surface,
    "reflectance": draw_reflectance,
    "relief": draw_relief,
    "atmosphere": draw_atmosphere,
    "aerosol": draw_aerosol,
    "particles": draw_particles,
    "cloud": draw_cloud,
    "emission": draw_emission,
    "spectra": draw_spectra,
}


def main() -> None:
    for name in sys.argv[1:] or DRAWINGS:
        DRAWINGS[name]()
    table = "\n".join(
        f"| {' | '.join(row)} |" for row in [("quantity", "expected", "here"), ("---",) * 3, *ROWS]
    )
    print(table)
    if not sys.argv[1:]:
        page = Path(__file__).with_name("truth.md")
        head, _ = page.read_text(encoding="utf-8").split("| quantity ", 1)
        page.write_text(f"{head}{table}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
