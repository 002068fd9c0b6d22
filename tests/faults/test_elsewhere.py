"""Other surroundings: servers started apart, a user without rights, no network, a long path."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka import KafkaProducer

from ecom_lite.engines.kafka import KafkaServer
from ecom_lite.engines.postgres import PostgresServer
from tests.acceptance.test_light_run import plain_event
from tests.runs import ENDS_S, LightRun

pytestmark = pytest.mark.timeout(600)  # whole runs
EVENTS = 300


@pytest.fixture(scope="module")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Not the session's: a run sets the passwords of the roles, which a whole server shares."""
    folder = tmp_path_factory.mktemp("apart")
    server = PostgresServer(folder / "postgres", folder / "logs")
    server.start()
    yield server
    server.remove()


@pytest.fixture
def external(kafka_server: KafkaServer, postgres_server: PostgresServer, tmp_path: Path) -> dict[str, str]:
    """A configuration file that points at servers which this run does not start."""
    secret = postgres_server.superuser_password
    url = f"postgresql://postgres:{secret}@{postgres_server.host}:{postgres_server.port}/external_shop"
    config = tmp_path / "external.toml"
    kafka = f'[kafka]\nbootstrap = "{kafka_server.bootstrap}"\ntopic = "external_events"\n'
    roles = postgres_server.data_dir.parent / "roles.json"  # for the runs of all these tests
    config.write_text(f'{kafka}[postgres]\nurl = "{url}"\npasswords_file = "{roles}"\n')
    return {"config": str(config), "secret": secret}


@contextmanager
def foreign_traffic(bootstrap: str) -> Iterator[None]:
    """Somebody else's order lines, about 100 a second, as soon as the topic is there."""
    done = threading.Event()

    def send() -> None:
        producer = KafkaProducer(bootstrap_servers=bootstrap, max_block_ms=round(ENDS_S * 1000))
        for number in itertools.count():
            if done.wait(0.01):
                break
            producer.send("external_events", json.dumps(plain_event(number)).encode())
        producer.close(5)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        done.set()
        sender.join()


def test_servers_started_apart_are_used_and_none_is_started(
    external: dict[str, str], kafka_server: KafkaServer, tmp_path: Path
) -> None:
    config = ("--config", external["config"])
    with foreign_traffic(kafka_server.bootstrap):  # it goes on while the run ends: the count must close all the same
        run = LightRun(tmp_path / "data", *config, "--for", "2s", "--rate", "100")
        assert run.wait() == 0, run.stderr
    assert run.stdout == "" and "the count closes" in run.stderr, "without --json the summary is for people"
    assert not (run.data_dir / "kafka").exists() and not (run.data_dir / "postgres").exists()
    assert "kafka" not in run.state["parts"] and "postgres" not in run.state["parts"]
    run.assert_nothing_left()
    said = run.verb("check", "--json", *config)
    counts = json.loads(said.stdout)
    still_open = [line["name"] for line in counts["lines"] if not line["closes"]]
    assert counts["foreign"] > 0 and still_open in ([], ["broker's offsets = offsets accounted for"]), "what came later waits"
    written = [file.read_text(errors="replace") for file in run.data_dir.rglob("*") if file.is_file() and file.suffix != ".json"]
    assert not [text for text in written if external["secret"] in text], "the server's password is in no file"


def test_a_postgresql_apart_is_used_beside_a_kafka_of_our_own(
    external: dict[str, str], postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """The schema is made while that Kafka is still starting."""
    url = f"postgresql://postgres:{external['secret']}@{postgres_server.host}:{postgres_server.port}/half_external"
    env = {"ECOM_LITE_POSTGRES__URL": url, "ECOM_LITE_KAFKA__BOOTSTRAP": ""}
    run = LightRun(tmp_path / "data", "--config", external["config"], "--events", str(EVENTS), "--rate", "max", "--json", env=env)
    assert run.wait() == 0, run.stderr
    assert run.summary()["closes"] and not (run.data_dir / "postgres").exists()
    run.assert_nothing_left()


@pytest.mark.parametrize("part", ["kafka", "postgres"])
def test_an_address_where_nobody_answers_is_named(
    external: dict[str, str], postgres_server: PostgresServer, tmp_path: Path, part: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        wrong = {
            "kafka": {"ECOM_LITE_KAFKA__BOOTSTRAP": f"127.0.0.1:{port}"},
            "postgres": {"ECOM_LITE_POSTGRES__URL": f"postgresql://me:hush@127.0.0.1:{port}/x"},
        }[part]
        run = LightRun(tmp_path / "data", "--config", external["config"], env=wrong)
        assert run.wait() == 1
    assert str(port) in run.stderr and "Traceback" not in run.stderr and "hush" not in run.stderr, run.stderr
    assert "not ready after" not in run.stderr, "sooner than by run.ready_timeout_s"
    run.assert_nothing_left()


NAMESPACES = ("unshare", "--user", "--map-root-user", "--net", "sh", "-c")
INSIDE = 'ip link set lo up && exec unshare --user --map-user=1000 --map-group=1000 "$@"'


@pytest.fixture
def confined() -> Iterator[list[str]]:
    """A command that runs its arguments as user 1000 without any right, in a network that has only loopback."""
    probe = "import os, socket; assert os.geteuid() == 1000; print(socket.if_nameindex())"
    wrap = [*NAMESPACES, INSIDE, "sh"]
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("needs unshare (util-linux) and ip (iproute2)")
    found = subprocess.run([*wrap, "python3", "-c", probe], capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip(f"this machine allows no user and network namespaces: {found.stderr.strip()}")
    assert found.stdout.strip() == "[(1, 'lo')]"
    yield wrap


def test_a_normal_user_without_network_in_a_long_path_with_spaces(confined: list[str], tmp_path: Path) -> None:
    """Also that no start needs the network once the jars are there."""
    folder = tmp_path / ("a long name, " * 8).strip() / ("and another one " * 8).strip() / "data"
    assert len(str(folder)) > 220
    run = LightRun(folder, "--events", str(EVENTS), "--rate", "max", "--json", wrap=confined)
    assert run.wait() == 0, run.stderr
    summary = run.summary()
    assert summary["closes"] and summary["sent"] == EVENTS
    run.assert_nothing_left()
