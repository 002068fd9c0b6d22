"""The doctor's findings: true, and each bad one with what to do."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ecom_lite.machine import doctor
from ecom_lite.machine.doctor import Finding, examine
from ecom_lite.settings.load import load_settings


def findings(**flags: object) -> dict[str, Finding]:
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    return {finding.what: finding for finding in examine(load_settings(env={}, flags=dotted))}


def test_a_machine_that_is_fit(data_dir: Path) -> None:
    found = findings(run__data_dir=data_dir, run__light=True)
    assert [finding for finding in found.values() if not finding.ok] == []
    assert {"Python", "Java", "PostgreSQL", "jars for kafka", "data folder", "free disk", "free memory"} <= set(found)
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


def test_a_port_of_a_server_that_is_not_ours_is_not_looked_at(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ours = findings(run__data_dir=data_dir, grafana__port=port)
        theirs = findings(run__data_dir=data_dir, kafka__port=port, kafka__bootstrap=f"127.0.0.1:{port}")
        off = findings(run__data_dir=data_dir, grafana__port=port, grafana__enabled=False)
    assert not ours[f"port {port}"].ok and "grafana.port" in ours[f"port {port}"].found
    assert f"port {port}" not in theirs and f"port {port}" not in off


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
