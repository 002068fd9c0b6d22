"""No secret of a run is in anything that it leaves, shows or says, and no process is given another's.

What is searched: every file of the data folder, PostgreSQL's cluster and Kafka's logs too, but for the private ones; what the
run and the verbs print, errors too; pages, metrics and answers; the command line and the environment of every process.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from ecom_lite.engines.postgres import PASSWORD_FILE
from ecom_lite.settings.data_dir import GRAFANA_ENV, SECRETS, STATE
from ecom_lite.settings.password import hashed
from tests.runs import START_S, LightRun, wait_for

ANSWER_S: Final = 60.0
WEBHOOK, HEADER, LOGIN = "geheim-hook-7f31c0", "geheim-header-92ab44", "geheim-login-55e0d1"
PRIVATE: Final = {SECRETS, GRAFANA_ENV, STATE, PASSWORD_FILE}
PAGES: Final = (
    "", "d/realtime-operations", "metrics", "health", "ready", "api/state", "api/alerts", "api/boards",
    "api/boards/pipeline-health", "api/logs", "dbt/", "nothing/here",
)  # fmt: skip
VERBS: Final = (
    ("status",), ("status", "--json"), ("config", "show"), ("config", "--json"), ("doctor", "--json"), ("logs",),
    ("alerts", "--json"),
    ("check", "--json"), ("sql", "SELECT nothing FROM nowhere"), ("sql", "SELECT * FROM duckdb_databases()"), ("tables",),
    ("dead", "list"), ("lake", "attach"), ("refresh",),
)  # fmt: skip
# What it is asked for: the link for the page's buttons, a statement that lets any DuckDB read.
MEANT: Final[Mapping[tuple[str, ...], str]] = {("status",): "token", ("lake", "attach"): ".ecom_reader"}


@dataclass
class Found:
    """Where a secret was seen: its name, and the place."""

    secrets: Mapping[str, str]
    places: list[str] = field(default_factory=list)

    def search(self, place: str, content: str | bytes, but: str = "") -> None:
        text = content if isinstance(content, bytes) else content.encode()
        self.places += [f"{name} in {place}" for name, secret in self.secrets.items() if secret.encode() in text and name != but]


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, with its path."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from texts(each, f"{name}.{key}")
    elif isinstance(value, str) and len(value) >= 12:
        yield name, value


def secrets_of(run: LightRun) -> dict[str, str]:
    found = dict(texts(json.loads((run.data_dir / SECRETS).read_text())))
    found |= {
        "superuser": (run.data_dir / "postgres" / PASSWORD_FILE).read_text().strip(), "token": run.state["control_token"],
        "webhook": WEBHOOK, "header": HEADER, "login": LOGIN,
    }  # fmt: skip
    assert len(found) >= 10 and all(len(secret) >= 12 for secret in found.values()), found.keys()
    return found


def get(run: LightRun, path: str) -> bytes:
    request = urllib.request.Request(
        run.state["addresses"]["dashboards"] + path, headers={"Authorization": f"Bearer {run.state['control_token']}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            return bytes(answer.read() + str(answer.headers).encode())
    except urllib.error.HTTPError as error:
        return error.read() + str(error.headers).encode()


def files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder, followlinks=True):
        yield from (Path(root, name) for name in names if stat.S_ISREG(Path(root, name).lstat().st_mode))


@pytest.mark.timeout(480)
def test_no_secret_is_in_any_trace_of_a_run(tmp_path: Path) -> None:
    env = {
        "ECOM_LITE_ALERTS__WEBHOOK": f"http://127.0.0.1:9/{WEBHOOK}",
        "ECOM_LITE_ALERTS__WEBHOOK_HEADER": f"Authorization: {HEADER}",
        "ECOM_LITE_DASHBOARDS__PASSWORD": hashed(LOGIN),
        "ECOM_LITE_RUN__LOG_LEVEL": "debug",
        "ECOM_LITE_FAULTS__MALFORMED": "0.1",
    }
    run = LightRun(tmp_path / "data", "--rate", "50", env=env)
    try:
        run.wait_ready()
        wait_for(lambda: run.state["dbt"] and run.state["dbt"]["succeeded_at"], "a dbt run", START_S)
        found = Found(secrets_of(run))
        for path in PAGES:
            found.search(f"the page {path!r}", get(run, path))
        for verb in VERBS:
            done = run.verb(*verb)
            found.search(f"`{' '.join(verb)}`", done.stdout + done.stderr, MEANT.get(verb, ""))
        _search_processes(run, found)
        psutil.Process(run.note_processes()["postgres"]).kill()  # whoever talks to it complains now
        wait_for(
            lambda: run.state["parts"]["postgres"]["restarts"] and run.state["parts"]["load"]["ok"], "PostgreSQL is back", START_S
        )
        _search_processes(run, found)
        found.search("a failing question", run.verb("sql", "SELECT 1/0").stderr)
        run.signal(signal.SIGTERM)
        run.wait()
        found.search("what the run said", run.stderr + run.stdout, "token")
        for file in files(run.data_dir):
            if file.name not in PRIVATE:
                found.search(str(file.relative_to(run.data_dir)), file.read_bytes())
            else:
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    finally:
        run.close()
    assert not found.places


def _search_processes(run: LightRun, found: Found) -> None:
    seen, main = 0, psutil.Process(run.process.pid)
    started_as = " ".join(main.cmdline())
    for process in [main, *main.children(recursive=True)]:
        try:
            command, environment = " ".join(process.cmdline()), process.environ()
        except psutil.Error:
            continue
        if process.pid != main.pid and command == started_as:
            continue  # forked a moment ago: not yet the program that it is to be
        seen += 1
        found.search(f"the command line of {process.pid}: {command[:80]}", command)
        # The user gave it to the main process; Python's own helper beside it (dbt's locks want one) is as good as that.
        if process.pid != run.process.pid and "multiprocessing.resource_tracker" not in command:
            found.search(f"the environment of {process.pid}: {command[:80]}", json.dumps(environment))
    assert seen > 5
