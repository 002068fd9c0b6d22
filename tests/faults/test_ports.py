"""Fixed ports that somebody else has: nothing is started, and the message names the port, the setting and who has it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.runs import LightRun


@pytest.mark.parametrize("setting", ["kafka", "postgres", "dashboards", "grafana"])
def test_a_taken_port_is_named_with_its_owner(tmp_path: Path, setting: str) -> None:
    home = tmp_path / "grafana"  # one that is there, and is never started
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "grafana").touch(0o755)
    grafana = {"ECOM_LITE_GRAFANA__ENABLED": "true", "ECOM_LITE_GRAFANA__HOME": str(home)}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        run = LightRun(tmp_path / "data", env={f"ECOM_LITE_{setting.upper()}__PORT": port, **grafana})
        assert run.wait() == 1
    assert port in run.stderr and f"{setting}.port" in run.stderr and f"(pid {os.getpid()})" in run.stderr, run.stderr
    assert "Traceback" not in run.stderr and run.stdout == ""
    assert not (run.data_dir / "kafka").exists() and not (run.data_dir / "postgres").exists(), "nothing was started"
    run.close()
