"""Retrieve XCO2 from calibrated spectra.

Kernels that numba has compiled are kept on disk, by the file of each; but they hold code and constants of
other
files, too. So the folder they are kept in is named after all of this package's code.
"""

import hashlib
from pathlib import Path

from numba import config

_sources = sorted(Path(__file__).parent.rglob("*.py"))
_digest = hashlib.sha256(b"".join(path.read_bytes() for path in _sources)).hexdigest()[:16]
if not config.CACHE_DIR:  # type: ignore[attr-defined]
    config.CACHE_DIR = str(Path(__file__).parent / "__pycache__" / f"kernels-{_digest}")  # type: ignore[attr-defined]
