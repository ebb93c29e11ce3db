"""The ground: programs that turn L0 telemetry files into XCO2, seeing files only."""

__version__ = "0.1.0"
