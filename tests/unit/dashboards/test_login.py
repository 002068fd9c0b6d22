"""The log-in around the page: nothing without it, sessions and tries bounded, programs too, nobody from afar controls."""

from __future__ import annotations

import base64
import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.dashboards import Page
from ecom_lite.dashboards.home import Home
from ecom_lite.dashboards.http_docs import EXAMPLES
from ecom_lite.dashboards.sessions import IDLE_S, LONGEST_S, TRIES_EACH, Attempts, Sessions
from ecom_lite.observe.figures import ControlAnswer
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.settings.password import hashed
from ecom_lite.warehouse.connect import Address
from tests.unit.dashboards.asking import ask, looking

BOARDS = Path(__file__).resolve().parents[3] / "grafana" / "dashboards"
NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "none"})  # no query is asked here
SECRET = "correct horse"
WELL = RunStatus(state="running", parts={"load": PartStatus(state="ready", ok=True)})


@pytest.fixture(scope="module", params=["plain", "hashed"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    password = SECRET if request.param == "plain" else hashed(SECRET)
    made = Page(
        NOWHERE, BOARDS, "127.0.0.1", 0, lambda: WELL, lambda override: ControlAnswer(rate=5.0), home=Home(), password=password
    )
    made.start()
    yield made
    made.stop()


def from_(address: str) -> dict[str, str]:
    """As if a proxy on this machine asked for it."""
    return {"x-forwarded-for": address}


def basic(password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"any:{password}".encode()).decode()}


def logged_in(page: Page, path: str = "/login", **headers: str) -> tuple[str, dict[str, str]]:
    status, found, _ = ask(page, path, "POST", f"password={SECRET.replace(' ', '+')}", headers=headers)
    assert status == 303, status
    return found["set-cookie"].partition(";")[0], found


def test_without_logging_in_there_is_nothing_but_health_and_the_form(page: Page) -> None:
    for example in EXAMPLES:
        status, headers, answer = ask(page, example.path, example.method, {} if example.method == "POST" else None)
        if example.path == "/health":
            assert status == 200
        else:
            assert (status, headers["x-log-in"]) == (401, "/login") and "log in first" in answer["error"], example.path
            assert page.token not in f"{headers}{answer}" and "Basic" not in headers["www-authenticate"]
    for path in ("/login/", "/static/x/app.js", "/static/x/../app.css", "/%2e/", "/docs", "/openapi.json"):
        assert ask(page, path)[0] == 401, path
    _, _, form = ask(page, "/login")
    wanted = set(re.findall(r"/static/\w+/([\w.]+)", form))
    assert wanted >= {"app.css", "home.css", "login.js", "token.js", "session.js", "stored.js", "scheme.js", "favicon.svg"}
    for name in wanted:
        assert ask(page, f"/static/x/{name}")[0] == 200, name


def test_a_browser_is_led_to_the_form_and_back(page: Page) -> None:
    navigates = {"accept": "text/html,*/*"}
    status, headers, _ = ask(page, "/d/realtime-operations?from=now-6h&to=now", headers=navigates)
    assert (status, headers["location"]) == (303, "/login?next=/d/realtime-operations%3Ffrom%3Dnow-6h%26to%3Dnow")
    assert ask(page, "/api/boards", headers=navigates)[0] == 401
    status, headers, form = ask(page, headers["location"])
    assert status == 200 and 'type="password"' in form and "hidden>" in form and "{{" not in form
    assert "form-action 'self'" in headers["content-security-policy"] and headers["cache-control"] == "no-store"
    cookie, found = logged_in(page, "/login?next=/d/realtime-operations%3Ffrom%3Dnow-6h")
    assert found["location"] == "/d/realtime-operations?from=now-6h"
    assert ask(page, "/api/chain", headers={"cookie": cookie})[2]["login"] is True
    assert ask(page, "/login", headers={"cookie": cookie})[:1] == (303,), "who is in needs no form"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/a%0d%0aSet-Cookie:x",
        "/%E2%82%AC",
    ],
)
def test_nobody_is_led_elsewhere(page: Page, wanted: str) -> None:
    assert logged_in(page, f"/login?next={wanted}")[1]["location"] == "/"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(page: Page) -> None:
    attributes = {part.strip().lower() for part in logged_in(page)[1]["set-cookie"].split(";")[1:]}
    assert attributes == {"httponly", "path=/", "samesite=strict"}
    assert "Secure" in logged_in(page, **{"x-forwarded-proto": "https", "sec-fetch-site": "same-origin"})[1]["set-cookie"]
    assert logged_in(page)[0].startswith(f"ecom_lite_{page.port}=") and logged_in(page)[0] != logged_in(page)[0]


def test_logging_out_ends_the_session_and_no_other(page: Page) -> None:
    (one, _), (other, _) = logged_in(page), logged_in(page)
    assert ask(page, "/logout", headers={"cookie": one})[0] == 405
    foreign = {"cookie": one, "sec-fetch-site": "cross-site"}
    assert ask(page, "/logout", "POST", headers=foreign)[0] == 403 and ask(page, "/api/boards", headers={"cookie": one})[0] == 200
    status, headers, _ = ask(page, "/logout", "POST", headers={"cookie": one})
    assert (status, headers["location"]) == (303, "/login")
    assert ask(page, "/api/boards", headers={"cookie": one})[0] == 401
    assert ask(page, "/api/boards", headers={"cookie": other})[0] == 200
    assert ask(page, "/api/boards", headers={"cookie": f"ecom_lite_{page.port}=guess"})[0] == 401


def test_logging_out_ends_the_streams_of_the_session_and_no_other(page: Page) -> None:
    (one, _), (other, _) = logged_in(page), logged_in(page)
    token = {"authorization": f"Bearer {page.token}"}
    with looking(page, {"cookie": one}) as own, looking(page, {"cookie": other}) as theirs, looking(page, token) as program:
        assert all(b"event: tick" in each.read_until(b"event: tick") for each in (own, theirs, program))
        assert ask(page, "/logout", "POST", headers={"cookie": one})[0] == 303
        own.read_to_the_end()
        for each in (theirs, program):
            assert b"event: tick" in each.read_until(b"event: tick"), "told as before"


def test_another_site_s_form_logs_nobody_in(page: Page) -> None:
    right = "password=correct+horse"
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert ask(page, "/login", "POST", right, headers=headers)[0] == 403, headers
    own = {"origin": f"http://127.0.0.1:{page.port}"}
    assert ask(page, "/login", "POST", right, headers=own)[0] == 303
    assert ask(page, "/login", "PUT", right)[0] == 405
    assert ask(page, "/login", headers={"host": "evil.example"})[0] == 421, "the Host check stays"


def test_wrong_passwords_are_told_counted_and_slowed_down(page: Page) -> None:
    here, there = from_("203.0.113.9"), from_("203.0.113.10")
    for wrong in ("password=wrong", "password=", "", "other=correct+horse", "x" * 5000)[:TRIES_EACH]:
        status, headers, form = ask(page, "/login", "POST", wrong, headers=here)
        assert status == 401 and "That is not the password." in form and "set-cookie" not in headers, wrong
    status, headers, form = ask(page, "/login", "POST", "password=correct+horse", headers=here)
    assert status == 429 and 0 < int(headers["retry-after"]) <= 60 and "Too many wrong passwords" in form
    assert ask(page, "/metrics", headers={**basic(SECRET), **here})[0] == 429
    assert ask(page, "/login", "POST", "password=correct+horse", headers=there)[0] == 303, "another address is not concerned"


def test_a_form_of_many_fields_has_no_password_and_a_half_one_no_sender(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    assert ask(page, "/login", "POST", "a=b&" * 50 + "password=x", headers=from_("203.0.113.15"))[0] == 401
    caplog.clear()
    with caplog.at_level(logging.WARNING), socket.create_connection(("127.0.0.1", page.port), timeout=60) as connection:
        head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nContent-Length: 99\r\n\r\n"
        connection.sendall(f"{head}password=".encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
        assert ask(page, "/health")[0] == 200  # by now it was told
    assert [each.getMessage() for each in caplog.records if each.exc_info or "wrong password" in each.getMessage()] == []


def test_programs_show_the_password_or_the_token(page: Page) -> None:
    for headers in (basic(SECRET), {"authorization": f"Bearer {page.token}"}):
        for path in ("/metrics", "/api/status", "/"):
            assert ask(page, path, headers={**headers, **from_("203.0.113.20")})[0] == 200, path
    for headers in (basic("wrong"), {"authorization": "Basic !!!"}, {"authorization": "Bearer x"}, {"authorization": "Basic"}):
        assert ask(page, "/metrics", headers={**headers, **from_("203.0.113.21")})[0] == 401, headers


def test_who_has_logged_in_from_another_machine_looks_and_does_not_control(page: Page) -> None:
    cookie, _ = logged_in(page)
    afar, here = {"cookie": cookie, **from_("203.0.113.30")}, {"cookie": cookie}
    assert ask(page, "/api/chain", headers=afar)[2]["here"] is False and ask(page, "/api/chain", headers=here)[2]["here"] is True
    for path, body in (("/api/control", {"paused": True}), ("/api/story", {"part": "load"}), ("/api/refresh", {})):
        assert ask(page, path, "POST", body, token=True, headers=afar)[0] == 403, path
        assert ask(page, path, "POST", body, headers=here)[0] == 401, f"{path}: a session is no token"
    assert ask(page, "/api/logs/load", token=True, headers=afar)[0] == 403
    assert ask(page, "/api/control", "POST", {"paused": True}, token=True)[0] == 200, "`ecom_lite pause` needs no session"


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_sessions_end_when_idle_when_old_and_when_there_are_too_many() -> None:
    time = Time()
    sessions = Sessions(time, most=2)
    idle = sessions.begin()
    time.now += IDLE_S - 1
    assert sessions.holds(idle)
    time.now += IDLE_S
    assert not sessions.holds(idle)
    used = sessions.begin()
    for _ in range(int(LONGEST_S // (IDLE_S / 2)) - 1):
        time.now += IDLE_S / 2
        assert sessions.holds(used)
    time.now += IDLE_S / 2
    assert not sessions.holds(used), "seven days are enough"
    first, second = sessions.begin(), sessions.begin()
    time.now += 1
    assert sessions.holds(first)
    third = sessions.begin()
    assert [sessions.holds(one) for one in (first, second, third)] == [True, False, True], "the longest idle one made room"


def test_tries_are_counted_by_address_and_in_all_and_forgotten_after_a_while() -> None:
    time = Time()
    tries = Attempts(time, each=2, in_all=5)
    assert [tries.begin("10.0.0.1") for _ in range(2)] == [0, 0] and tries.begin("10.0.0.1") == 60
    time.now += 10
    assert tries.begin("10.0.0.1") == 50
    assert [tries.begin(one) for one in ("2001:db8::1", "2001:db8::2")] == [0, 0] and tries.begin("2001:db8::3") > 0, (
        "one network"
    )
    assert tries.begin("10.0.0.2") == 0 and tries.begin("10.0.0.3") == 50, "five in all"
    tries.forgive("2001:db8::9")
    assert tries.begin("10.0.0.3") == 0, "the right password is not counted"
    time.now += 60
    assert tries.begin("10.0.0.1") == 0 and tries.begin("::ffff:10.0.0.1") == 0 and tries.begin("10.0.0.1") == 60
