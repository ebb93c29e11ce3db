"""The machine and its test bench: satellite, instrument, telemetry, chain, verification."""
