"""The doctor's findings: true, and each bad one with what to do."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.errors import PortTaken
from ecom_lite.machine import doctor
from ecom_lite.machine.doctor import examine
from ecom_lite.machine.finding import Finding
from ecom_lite.machine.ports import Wanted, require_ports, wanted_ports
from ecom_lite.settings.load import load_settings


def findings(**flags: object) -> dict[str, Finding]:
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    return {finding.what: finding for finding in examine(load_settings(env={}, flags=dotted))}


def test_a_machine_that_is_fit(data_dir: Path) -> None:
    found = findings(run__data_dir=data_dir, run__light=True)
    assert [finding for finding in found.values() if not finding.ok] == []
    assert {
        "Python",
        "Java",
        "PostgreSQL",
        "jars for kafka",
        "data folder",
        "free disk",
        "free memory",
        "Grafana",
        "Chromium",
    } <= set(found)
    assert "jars for spark" not in found
    assert not data_dir.exists(), "looking changes nothing"


def test_every_bad_finding_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(doctor, "NEEDED_DISK", 1 << 60)
    monkeypatch.setattr(doctor, "NEEDED_MEMORY", 1 << 60)
    found = findings(
        run__data_dir=tmp_path / "file" / "data", jars__cache_dir=tmp_path / "empty", jars__java=tmp_path / "java"
    )  # fmt: skip
    for what in ("Java", "jars for kafka", "jars for spark", "data folder", "free disk", "free memory"):
        assert not found[what].ok and found[what].fix, what
    assert "46 missing" in found["jars for kafka"].found and "ecom_lite fetch" in found["jars for kafka"].fix


def test_a_taken_port_is_named_with_its_owner(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = findings(run__data_dir=data_dir, kafka__port=port)[f"port {port}"]
    assert not found.ok and "kafka.port" in found.found and f"(pid {os.getpid()})" in found.found


def test_external_servers_are_asked(data_dir: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        found = findings(
            run__data_dir=data_dir,
            kafka__bootstrap=f"127.0.0.1:{port}",
            postgres__url=f"postgresql://me:hush@127.0.0.1:{port}/db",
        )
    assert not found["Kafka"].ok and str(port) in found["Kafka"].found
    assert not found["PostgreSQL"].ok and "hush" not in str(found["PostgreSQL"])
    assert "Java" in found, "Spark still needs it"


@pytest.mark.parametrize("place", ["/proc/data", "/sys/data", "file", "file/data", "link"])
def test_a_data_folder_that_cannot_be_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "at all")
    before = sorted(tmp_path.iterdir())
    found = findings(run__data_dir=tmp_path / place)["data folder"]
    assert not found.ok and place in found.found and "--data-dir" in found.fix
    assert sorted(tmp_path.iterdir()) == before


def test_run_and_doctor_have_one_list_of_ports(tmp_path: Path) -> None:
    home = tmp_path / "grafana"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "grafana").touch(0o755)
    ours = {"dashboards.host": "127.0.0.2", "dashboards.port": 7, "grafana.port": 8, "kafka.port": 9, "postgres.port": 10}
    page = Wanted("dashboards.port", "127.0.0.2", 7)
    with_grafana = load_settings(env={}, flags={**ours, "grafana.home": home})
    assert [wanted.port for wanted in wanted_ports(with_grafana)] == [9, 10, 7, 8] and page in wanted_ports(with_grafana)
    elsewhere = {"kafka.bootstrap": "there:9092", "postgres.url": "postgresql://me@there/db", "grafana.enabled": False}
    assert wanted_ports(load_settings(env={}, flags={**ours, **elsewhere})) == [page]
    assert wanted_ports(load_settings(env={})) == []


def test_the_page_s_port_is_looked_for_on_its_own_host(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.2", 0)) as server:
        port = server.getsockname()[1]
        flags = {"run.data_dir": data_dir, "dashboards.port": port}
        require_ports(load_settings(env={}, flags=flags))
        there = {**flags, "dashboards.host": "127.0.0.2"}
        with pytest.raises(PortTaken, match=rf"{port} on 127\.0\.0\.2, set for dashboards\.port"):
            require_ports(load_settings(env={}, flags=there))
        assert findings(run__data_dir=data_dir, dashboards__port=port)[f"port {port}"].ok
        found = findings(run__data_dir=data_dir, dashboards__port=port, dashboards__host="127.0.0.2")[f"port {port}"]
    assert not found.ok and "dashboards.port, taken by" in found.found


def test_a_host_of_another_machine_is_told(data_dir: Path) -> None:
    found = findings(run__data_dir=data_dir, dashboards__host="192.0.2.1", dashboards__password="long enough by far")[
        "dashboards.host"
    ]
    assert not found.ok and "192.0.2.1" in found.found and "0.0.0.0" in found.fix
    assert findings(run__data_dir=data_dir, dashboards__host="0.0.0.0", dashboards__password="long enough by far")[
        "dashboards.host"
    ].ok
    bare = findings(run__data_dir=data_dir, dashboards__host="0.0.0.0")["dashboards.host"]
    assert not bare.ok and "dashboards.password is not set" in bare.found and "ecom_lite password" in bare.fix


def test_a_wrong_grafana_home_is_told(data_dir: Path) -> None:
    found = findings(run__data_dir=data_dir, grafana__home=data_dir, grafana__port=3000)
    assert not found["Grafana"].ok and "grafana.home" in found["Grafana"].fix and "port 3000" not in found


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A folder that this user may not enter, as root's home is for others; root itself looks as nobody."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o000)
    was = os.geteuid()
    if was == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    yield folder
    os.seteuid(was)
    folder.chmod(0o700)


def test_places_under_another_user_s_private_folder_are_told(locked: Path) -> None:
    found = findings(
        run__data_dir=locked / "data",
        jars__cache_dir=locked / "jars",
        jars__java=locked / "java",
        grafana__home=locked / "grafana",
    )
    for what in ("data folder", "jars for kafka", "jars for spark", "Java", "Grafana"):
        assert not found[what].ok and "locked" in found[what].found + found[what].fix, what
    assert "free disk" in found
