"""The ports that the settings name: one list for the run, which must have them, and for the doctor, who looks."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..engines.grafana import find_grafana
from ..engines.ports import LOOPBACK, require_free
from ..errors import EngineError
from ..settings.tree import Settings


class Wanted(NamedTuple):
    """A port that one of our own servers must have; one that is not set is any free one, and not listed."""

    setting: str
    host: str
    port: int


def wanted_ports(settings: Settings) -> list[Wanted]:
    """Of the servers that a run with these settings would start."""
    kafka, postgres, page, grafana = settings.kafka, settings.postgres, settings.dashboards, settings.grafana
    found = [
        ("kafka.port", LOOPBACK, None if kafka.bootstrap else kafka.port),
        ("postgres.port", LOOPBACK, None if postgres.url.get_secret_value() else postgres.port),
        ("dashboards.port", page.host, page.port),
        ("grafana.port", LOOPBACK, grafana.port if grafana.enabled and _found(grafana.home) else None),
    ]
    return [Wanted(setting, host, port) for setting, host, port in found if port is not None]


def require_ports(settings: Settings) -> None:
    """Raise PortTaken, naming who has it, for one that is in use; EngineError for a host that is none of this machine's."""
    for wanted in wanted_ports(settings):
        require_free(wanted.port, wanted.host, wanted.setting)


def _found(home: Path | None) -> bool:
    try:
        return find_grafana(home) is not None
    except (EngineError, OSError):  # a wrong grafana.home has a message of its own, and no port
        return False
