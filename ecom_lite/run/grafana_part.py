"""Grafana as a part of a run: the child where a binary is found, and the addresses for one that we do not start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..settings.bundled import bundled
from ..settings.data_dir import GRAFANA, GRAFANA_ENV, write_private
from ..warehouse.connect import Address

if TYPE_CHECKING:  # imported when it is built, so that small commands start at once
    from ..engines.grafana import GrafanaServer, Warehouse
    from ..engines.registry import ChildRegistry


def find(home: Path | None) -> Path | None:
    """The binary, where there is one."""
    from ..engines.grafana import find_grafana

    return find_grafana(home)


def build(
    binary: Path, data_dir: Path, address: Address, *, logs: Path, port: int | None, registry: ChildRegistry
) -> GrafanaServer:
    from ..engines.grafana import GrafanaServer

    files = bundled("grafana")
    return GrafanaServer(
        binary, data_dir / GRAFANA, logs, warehouse=_warehouse(address), provisioning=files / "provisioning",
        boards=files / "dashboards", port=port, registry=registry,
    )  # fmt: skip


def write_env(data_dir: Path, address: Address) -> None:
    """For a Grafana that we do not start (compose.yaml): where the warehouse is, and the reader's password. 0600."""
    variables = _warehouse(address).variables()
    write_private(data_dir / GRAFANA_ENV, "".join(f"{name}={value}\n" for name, value in variables.items()))


def _warehouse(address: Address) -> Warehouse:
    from ..engines.grafana import Warehouse

    return Warehouse(
        host=address.host, port=address.port, database=address.database, password=address.passwords["ecom_reader"],
        sslmode=address.options.get("sslmode", "disable"),
    )  # fmt: skip
