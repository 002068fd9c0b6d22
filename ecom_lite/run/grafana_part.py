"""Grafana as a part of a run: the child where a binary is found, and the addresses for one that we do not start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..settings.bundled import bundled
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
        binary, data_dir / "grafana", logs, warehouse=_warehouse(address), provisioning=files / "provisioning",
        boards=files / "dashboards", port=port, registry=registry,
    )  # fmt: skip


def write_env(data_dir: Path, address: Address) -> None:
    """For a Grafana that we do not start (compose.yaml): where the warehouse is, and the reader's password. 0600."""
    path = data_dir / "grafana.env"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in _warehouse(address).variables().items())


def _warehouse(address: Address) -> Warehouse:
    from ..engines.grafana import Warehouse

    return Warehouse(
        host=address.host, port=address.port, database=address.database, password=address.passwords["ecom_reader"],
        sslmode=address.options.get("sslmode", "disable"),
    )  # fmt: skip
