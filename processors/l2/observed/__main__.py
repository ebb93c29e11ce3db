"""Fit a real spectrum and draw what is left: `python -m processors.l2.observed oco2|sun ...`.

Prints one line of JSON; exit code 0 done, 2 bad input. --aux is the aux/ folder of a run's inputs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from processors.job import BadInput
from processors.l2.bands import BANDS
from processors.l2.state import PARTICLES, Options

from . import folder, oco2, plot, sounding, sunlight
from .profiles import read_atmosphere
from .sunpath import Place, airmass
from .sunspectrum import Instrument, parse_window, read_spectrum

DONE, BAD_INPUT = 0, 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise BadInput(f"command line: {message}: see `python -m processors.l2.observed --help`")


def main(arguments: list[str]) -> int:
    try:
        given = _parser().parse_args(arguments)
        if given.out:
            plot.check()
        numbers, panels, headline = given.run(given)
        if given.out:
            plot.draw(panels, headline, given.out)
    except BadInput as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return BAD_INPUT
    print(json.dumps(numbers))
    return DONE


def _oco2(given: argparse.Namespace) -> tuple[dict[str, Any], list[plot.Panel], str]:
    folder.check(given.aux)
    observed = oco2.read(given.l1b, given.met, given.sounding, given.co2_prior)
    aux = folder.auxiliary(given.aux, observed.isrf, given.cache)
    options = Options(
        bands=_bands(given.bands),
        particles=PARTICLES if given.mode == "full" else (),
        airglow=False,
        zero_level=_bands(given.zero_level) if given.zero_level else (),
    )
    found = sounding.fit(observed, aux, options, given.max_iterations, given.model_error)
    numbers = {"kind": "oco2", **found.numbers}
    xco2 = numbers.get("xco2_ppm", float("nan"))
    return numbers, found.panels, f"OCO-2 sounding {observed.sounding_id}, XCO2 {xco2:.2f} ppm"


def _bands(names: str) -> tuple[int, ...]:
    index = {BANDS[b].name: b for b in oco2.SPECTRA}
    unknown = [name for name in names.split(",") if name not in index]
    if unknown:
        raise BadInput(f"bands: expected a list out of {', '.join(index)}, got {unknown[0]!r}: correct it")
    return tuple(sorted({index[name] for name in names.split(",")}))


def _sun(given: argparse.Namespace) -> tuple[dict[str, Any], list[plot.Panel], str]:
    spectrum, air = read_spectrum(given.spectrum), read_atmosphere(given.atmosphere)
    place = Place(given.sza, given.altitude, given.latitude, given.sun_recession)
    instrument = Instrument(given.opd, given.fov)
    how = sunlight.Search(given.snr, given.zero_level, given.max_iterations)
    windows = [parse_window(text) for text in given.window]
    fits = [sunlight.fit(spectrum, air, place, instrument, window, given.aux, how) for window in windows]
    numbers = {
        "kind": "sun",
        "airmass": airmass(place, air),
        "windows": [found.numbers for found in fits],
    }
    return numbers, [found.panel for found in fits], f"{given.spectrum.name}, SZA {given.sza:g} degrees"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m processors.l2.observed", description=__doc__)
    kinds = parser.add_subparsers(required=True, metavar="oco2|sun", parser_class=_Parser)
    for kind in (_satellite(kinds), _ground(kinds)):
        kind.add_argument("--aux", type=Path, required=True, help="aux/ folder of a run's inputs")
        kind.add_argument("--out", type=Path, help="picture to write")
        kind.add_argument("--max-iterations", type=int, default=20)
    return parser


def _satellite(kinds: Any) -> Any:
    kind = kinds.add_parser("oco2", help="a sounding of an OCO-2 L1bSc file")
    kind.set_defaults(run=_oco2)
    add = kind.add_argument
    add("l1b", type=Path, help="L1bSc HDF5 file")
    add("met", type=Path, help="L2Met HDF5 file")
    add("--sounding", type=int, required=True, help="sounding_id, or place in the file from 0")
    add("--co2-prior", type=Path, help="L2CPr file or table of pressure_hpa, co2_ppm")
    add("--bands", default="B1,B2,B3")
    add("--mode", choices=("full", "clear"), default="full", help="with particles or without")
    add("--zero-level", default="", help="bands whose zero level is fitted")
    add("--model-error", type=float, default=0.0, help="of the continuum, added to the noise")
    cache = Path(tempfile.gettempdir()) / "l2-observed"
    add("--cache", type=Path, default=cache, help="folder of absorption tables")
    return kind


def _ground(kinds: Any) -> Any:
    kind = kinds.add_parser("sun", help="a direct-Sun spectrum of a ground-based spectrometer")
    kind.set_defaults(run=_sun)
    add = kind.add_argument
    add("spectrum", type=Path, help="text of two columns, or netCDF: wavenumber (cm-1), signal")
    add("atmosphere", type=Path, help="table: pressure_hpa, temperature_k, h2o_vmr, co2_ppm")
    add("--sza", type=float, required=True, help="solar zenith angle without refraction, degrees")
    add("--window", action="append", required=True, help="B2 or B2:6200-6230 (cm-1); repeatable")
    add("--opd", type=float, default=45.0, help="largest optical path difference, cm")
    add("--fov", type=float, default=2.4e-3, help="full angle of the field of view, rad")
    add("--altitude", type=float, default=0.0, help="m above sea level")
    add("--latitude", type=float, default=45.0, help="degrees, for gravity")
    add("--sun-recession", type=float, default=0.0, help="first value, m s-1, positive apart")
    add("--snr", type=float, default=400.0, help="of the brightest signal")
    add("--zero-level", action="store_true", help="fit the zero level")
    return kind


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
