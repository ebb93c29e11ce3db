"""Hold what a scenario asks of mission operations: requests, programming method, stations, incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from twin.quantities import Latitude, Longitude, Model, in_utc, quantity

Duration = Annotated[float, quantity("second", 0, 400 * 86_400)]  # s
Volume = Annotated[float, quantity("bit", 1, 10**15)]
X_BAND = ("Kiruna", "Inuvik")
S_BAND = ("Kiruna", "Inuvik", "Toulouse", "Kourou", "Kerguelen")
WITH_SITE = ("target", "city")


class Request(Model):
    """One thing to observe once within the span: a site by day, or a calibration."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    kind: Literal["target", "city", "dark", "lamp", "sun"]
    latitude: Latitude | None = None  # of target and city
    longitude: Longitude | None = None
    priority: Annotated[int, Field(ge=1, le=100)] = 10  # worth of serving it; 100 is most
    sweeps: Literal[2, 3] = 3  # of a city scan
    frames: Annotated[int, Field(ge=1, le=1000)] = 40  # of 1.304 s, of all but a city scan

    @model_validator(mode="after")
    def _has_its_site(self) -> Request:
        given = self.latitude is not None, self.longitude is not None
        wanted = self.kind in WITH_SITE
        if given != (wanted, wanted):
            raise ValueError(
                f"expected {'both' if wanted else 'neither'} of latitude and longitude for a {self.kind} "
                f"request, got {sum(given)}: correct {self.name}"
            )
        return self


class Incident(Model):
    """Something that goes wrong with spacecraft or stations at a time."""

    kind: Literal["station_outage", "pass_loss", "safe_mode", "reboot", "clock_jump", "clock_drift"]
    start: Annotated[datetime, AfterValidator(in_utc)]
    duration: Duration = 0.0  # of an outage or of safe mode
    station: str | None = None  # of station_outage and pass_loss; none: every station
    jump: Annotated[float, quantity("second", -1e6, 1e6)] = 0.0  # of clock_jump, s
    drift: Annotated[float, quantity("microsecond/second", -1e4, 1e4)] = 0.0  # of clock_drift, us s-1


class Mission(Model):
    """A span of planned operations, event by event."""

    duration: Duration
    programming: str = "cp_sat"  # or greedy, my_module:MyMethod, or the path of an executable
    requests: list[Request] = []
    observe_land: bool = True  # nadir over sunlit land where nothing else is asked
    observe_ocean: bool = True  # glint over sunlit sea
    x_band: list[str] = list(X_BAND)
    s_band: list[str] = list(S_BAND)
    memory: Volume = 1e12  # bit; the simulation counts whole bits
    workers: Annotated[int, Field(ge=1, le=10_000)] = 2  # of the ground's processing queue
    incidents: list[Incident] = []

    @model_validator(mode="after")
    def _names_differ(self) -> Mission:
        names = [request.name for request in self.requests]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected requests of different names, got {twice[0]} twice: rename one")
        return self
