"""The webhook: one POST for each change; whatever refuses it is said without the address, which may be a secret."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ecom_lite.alerts.delivery import Patience, Undelivered
from ecom_lite.alerts.message import AlertMessage
from ecom_lite.alerts.webhook import Webhook
from ecom_lite.errors import ConfigError
from ecom_lite.settings.load import load_settings


def message(number: int) -> AlertMessage:
    return AlertMessage(
        id=number, rule="lag", title="The loader is behind", severity="critical", state="firing", at="2026-11-27T12:00:00+00:00",
        since="2026-11-27T11:59:30+00:00", value=61.5, unit="s", told="61.5 s (fires above 60)", what_to_do="Look.", board="",
    )  # fmt: skip


class Receiver(ThreadingHTTPServer):
    """Answers with the next of `answers`, then with 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[int] = []
        self.received: list[tuple[dict[str, str], dict[str, object]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook/hush?token=secret"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(self.server, Receiver)
        self.server.received.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_each_change_is_one_post_with_the_header(receiver: Receiver) -> None:
    hook = Webhook(receiver.url, "Authorization: Bearer abc", 60)
    assert hook.send([message(1), message(2)]) == 2
    assert [body["id"] for _, body in receiver.received] == [1, 2]
    headers, body = receiver.received[0]
    assert (headers["Authorization"], headers["Content-Type"]) == ("Bearer abc", "application/json")
    assert body["version"] == 1 and body["rule"] == "lag" and body["value"] == 61.5


@pytest.mark.parametrize("answer", [302, 400, 500])
def test_what_is_refused_is_said_without_the_secret_and_what_went_out_counts(receiver: Receiver, answer: int) -> None:
    receiver.answers = [200, answer]
    hook = Webhook(receiver.url, "", 60)
    with pytest.raises(Undelivered, match=rf"http://127\.0\.0\.1:\d+/\.\.\. answered {answer}") as error:
        hook.send([message(1), message(2), message(3)])
    assert (error.value.delivered, error.value.one, len(receiver.received)) == (1, True, 2), "the third was not tried"
    assert "hush" not in str(error.value) and "secret" not in str(error.value)


def test_nobody_there_or_nobody_who_answers(receiver: Receiver) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(Undelivered, match="timed out"):
            Webhook(f"http://127.0.0.1:{port}/hush", "", 0.2).send([message(1)])
    with pytest.raises(Undelivered, match="refused") as error:
        Webhook(f"http://127.0.0.1:{port}/hush", "", 1).send([message(1)])
    assert "hush" not in str(error.value)


def test_a_slow_one_does_not_take_all_the_time(receiver: Receiver) -> None:
    times = iter([0.0, 4.0, 11.0])
    assert Webhook(receiver.url, "", 60, clock=lambda: next(times)).send([message(1), message(2), message(3)]) == 2


def test_the_waits_grow_to_a_limit() -> None:
    waits = [Patience().wait(attempts).total_seconds() for attempts in (0, 1, 2, 8, 9, 10_000)]
    assert waits == [1, 2, 4, 256, 300, 300]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"alerts.webhook": "ftp://hush"}, r"alerts\.webhook = \*\*\*: give an address that begins with http:// or https://"),
        ({"alerts.webhook": "http://me:hush@host/"}, r"alerts\.webhook = \*\*\*: .*without a name and password"),
        ({"alerts.webhook": "http://host/a b"}, r"alerts\.webhook = \*\*\*"),
        ({"alerts.webhook": "http://hush:99999/"}, r"alerts\.webhook = \*\*\*"),
        ({"alerts.webhook": "http://[hush/"}, r"alerts\.webhook = \*\*\*"),
        ({"alerts.webhook_header": "hush"}, r"alerts\.webhook_header = \*\*\*: give one line such as"),
        ({"alerts.webhook_header": "A: b\nC: hush"}, r"alerts\.webhook_header = \*\*\*"),
        ({"alerts.topic": "ecommerce_events"}, r"alerts\.topic = 'ecommerce_events': that is the topic of kafka\.topic"),
        ({"alerts.every_s": 0}, r"alerts\.every_s = 0"),
    ],
)
def test_settings_that_cannot_work_are_refused_without_the_secret(flags: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        load_settings(env={}, flags=flags)
    assert "hush" not in str(error.value)
