"""What a run is made of, by its settings: the parts, their order, and what each needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.engines.registry import ChildRegistry
from ecom_lite.observe.status import RunStatus
from ecom_lite.run.page_part import log_in_line, port_line
from ecom_lite.run.servers import Servers
from ecom_lite.run.services import build
from ecom_lite.settings.load import load_settings
from ecom_lite.supervise.supervisor import Supervisor

ELSEWHERE = {
    "kafka.bootstrap": "127.0.0.1:9", "postgres.url": "postgresql://a:b@127.0.0.1:9/c", "run.light": True,
    "grafana.enabled": False,
}  # fmt: skip


def parts_of(folder: Path, **flags: object) -> tuple[list[str], dict[str, list[str]]]:
    """The names of the slots in order, with servers and steps; and what each part above them needs."""
    settings = load_settings(env={}, flags={"run.data_dir": folder, **ELSEWHERE, **flags})
    supervisor = Supervisor(restarts=0, restart_window_s=1, ready_timeout_s=1, listener=lambda *_: None)
    servers = Servers(settings, supervisor, ChildRegistry(folder / "children.json"), lambda *_: None, kafka=True)
    services = build(settings, servers, RunStatus, RunStatus)
    for service, needs in services.parts:
        supervisor.add(service, needs)  # refuses a need that does not stand before it
    return [slot.name for slot in supervisor.slots], {service.name: list(needs) for service, needs in services.parts}


def test_the_shop_comes_last_and_needs_its_loaders_and_the_page(tmp_path: Path) -> None:
    names, needs = parts_of(tmp_path, **{"load.processes": 2})
    assert names == ["schema", "topics", "boards", "page", "minutes", "schedule", "lake", "load", "load-2", "produce"]
    assert needs["produce"] == ["load", "load-2", "page"]
    assert needs["load-2"] == ["minutes"] and needs["minutes"] == ["schema", "topics"]


def test_without_a_simulated_shop_there_is_no_producer(tmp_path: Path) -> None:
    names, _ = parts_of(tmp_path, **{"shop.enabled": False})
    assert "produce" not in names and "load" in names


def test_building_it_starts_nothing_and_writes_nothing(tmp_path: Path) -> None:
    parts_of(tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("host", "password", "said"),
    [
        ("127.0.0.1", "", None),
        ("127.0.0.1", "long enough by far", "by dashboards.password"),
        ("192.168.1.9", "long enough by far", "other machines: 192.168.1.9 port 8100, by dashboards.password; plain HTTP"),
        (
            "0.0.0.0",
            "long enough by far",
            "other machines: ADDRESS-OF-THIS-MACHINE port 8100, by dashboards.password; plain HTTP",
        ),
    ],
)
def test_the_banner_says_who_must_log_in(host: str, password: str, said: str | None) -> None:
    settings = load_settings(env={}, flags={"dashboards.host": host, "dashboards.password": password})
    line = log_in_line(settings.dashboards, "http://127.0.0.1:8100/").get("log-in")
    assert line == said if said is None else str(line).startswith(said)
    assert password == "" or password not in str(line)


@pytest.mark.parametrize(
    ("fixed", "url", "told"),
    [
        (None, "http://127.0.0.1:8100/", False),
        (None, "http://[::1]:24680/", True),
        (24680, "http://127.0.0.1:24680/", False),
        (None, "", False),  # not started yet
    ],
)
def test_the_banner_says_where_the_usual_port_was_taken(fixed: int | None, url: str, told: bool) -> None:
    settings = load_settings(env={}, flags={} if fixed is None else {"dashboards.port": fixed})
    said = port_line(settings.dashboards, url)
    assert ("8100 was taken" in said.get("port", "")) is told and bool(said) is told
