"""Say which layers of nature a scenario switches on."""

from __future__ import annotations

from twin.scenario import Particles, Truth

Row = dict[str, str]


def layers(truth: Truth) -> list[Row]:
    """List each layer of nature and its state, in words."""
    states = {
        "CO2": _co2(truth),
        "biosphere": _switch(truth.biosphere and truth.co2 == "climatology"),
        "weather's part of CO2": _switch(truth.synoptic and truth.co2 == "climatology"),
        "plumes": _plumes(truth),
        "surface": truth.surface + (", with BRDF" if truth.brdf and truth.surface != "ocean" else ""),
        "relief": _switch(truth.relief),
        "wind": f"{truth.wind_speed:g} m/s" + (", whitecaps" if truth.whitecaps else ""),
        "aerosol": ", ".join([*map(_particles, truth.aerosol), *["climatology"] * truth.aerosol_climatology])
        or "off",
        "cirrus": _particles(truth.cirrus) if truth.cirrus else "off",
        "cloud": "off" if truth.cloud == "none" else truth.cloud,
        "fluorescence": _switch(truth.sif),
        "airglow": _switch(truth.airglow),
        "multiple scattering": _switch(truth.multiple_scattering),
        "polarisation": _switch(truth.polarised),
        "spectroscopy": _spectroscopy(truth),
    }
    return [{"layer": name, "state": state} for name, state in states.items()]


def _switch(on: bool) -> str:
    return "on" if on else "off"


def _co2(truth: Truth) -> str:
    if truth.co2 == "uniform":
        return f"uniform, {truth.co2_uniform:g} ppm"
    if truth.co2 == "file" and truth.co2_file:
        return f"from a file, layout {truth.co2_file.layout}"
    return truth.co2


def _plumes(truth: Truth) -> str:
    if truth.plumes == "none":
        return "off"
    sources = ", ".join(f"{each.name} {each.emission:g} Mt/yr" for each in truth.sources)
    return f"{truth.plumes}: {sources or 'sources of the catalogue'}"


def _particles(layer: Particles) -> str:
    return f"{layer.type}, optical depth {layer.optical_depth:g} at {layer.height / 1000.0:g} km"


def _spectroscopy(truth: Truth) -> str:
    parts = [truth.lines]
    if truth.co2_intensity_scale != 1.0:
        parts.append(f"CO2 intensity x {truth.co2_intensity_scale:g}")
    options = ("line_mixing", "speed_dependence", "water_broadening")
    parts += [name.replace("_", " ") for name in options if getattr(truth, name)]
    return ", ".join(parts)
