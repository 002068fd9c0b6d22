"""Grafana as a part of a run: the child where a binary is found, and the addresses for one that we do not start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..engines.from_settings import logs_dir
from ..engines.grafana import GrafanaServer, Warehouse, find_grafana, kept_secrets
from ..engines.registry import ChildRegistry
from ..settings.bundled import bundled
from ..settings.data_dir import DASHBOARDS, GRAFANA, GRAFANA_ENV, write_private
from ..settings.tree import Settings
from ..supervise.adapters import EngineService, Late
from ..warehouse.connect import Address

__all__ = ["GrafanaService", "find_grafana", "write_env"]


class GrafanaService(Late):
    """The child process; `where` is asked once the warehouse is up."""

    def __init__(self, binary: Path, settings: Settings, registry: ChildRegistry, where: Callable[[], Address]) -> None:
        super().__init__("grafana", self._build)
        self._binary = binary
        self._settings = settings
        self._registry = registry
        self._where = where
        self._server: GrafanaServer | None = None

    @property
    def url(self) -> str:
        """Empty before the first start."""
        return "" if self._server is None else self._server.url

    def _build(self) -> EngineService:
        settings, files = self._settings, bundled("grafana")
        self._server = GrafanaServer(
            self._binary, settings.data_dir / GRAFANA, logs_dir(settings), warehouse=_warehouse(self._where()),
            provisioning=files / "provisioning", boards=settings.data_dir / DASHBOARDS, port=settings.grafana.port,
            alerting=settings.grafana.alerting, registry=self._registry,
        )  # fmt: skip
        return EngineService("grafana", self._server)


def write_env(data_dir: Path, address: Address) -> None:
    """For a Grafana that we do not start (compose.yaml): where the warehouse is, the reader's password, and the one that its
    `admin` gets when it makes its database. 0600."""
    admin = kept_secrets(data_dir / GRAFANA)["admin_password"]
    variables = {**_warehouse(address).variables(), "GF_SECURITY_ADMIN_PASSWORD": admin}
    write_private(data_dir / GRAFANA_ENV, "".join(f"{name}={value}\n" for name, value in variables.items()))


def _warehouse(address: Address) -> Warehouse:
    return Warehouse(
        host=address.host, port=address.port, database=address.database, password=address.passwords["ecom_reader"],
        sslmode=address.options.get("sslmode", "disable"),
    )  # fmt: skip
