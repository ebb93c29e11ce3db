"""Faults by name: what each does to the telemetry or the programs of a run, and what must then hold."""
