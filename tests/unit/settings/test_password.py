"""The page's password as a setting: what is taken, what is refused, and that it is shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.errors import ConfigError
from ecom_lite.machine.page_login import require_page_login
from ecom_lite.run.secrets_of import secrets_of
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.password import hashed, is_hash, is_loopback, matches
from ecom_lite.settings.show import describe
from ecom_lite.warehouse.connect import Address

SECRET = "correct horse €"


def test_a_hash_is_of_one_password_and_of_no_other() -> None:
    made = hashed(SECRET)
    assert is_hash(made) and SECRET not in made and made != hashed(SECRET), "each has a salt of its own"
    assert matches(made, SECRET)
    for other in ("", SECRET.upper(), SECRET + " ", made, "x" * 5000):
        assert not matches(made, other), other
    assert not matches("scrypt:15:8:1:x:y", SECRET) and not matches(SECRET, SECRET), "what is no hash is nobody's"
    assert not set(made) & set("$\"'`\\ #"), "a shell, TOML and compose.yaml take it as it is"


@pytest.mark.parametrize("setting", ["", "123456789012", SECRET, hashed(SECRET)], ids=("none", "short", "plain", "hashed"))
def test_it_may_be_plain_hashed_or_not_set_and_is_masked(setting: str) -> None:
    settings = load_settings(env={"ECOM_LITE_DASHBOARDS__PASSWORD": setting})
    assert settings.dashboards.password.get_secret_value() == setting
    shown = next(one for one in describe(settings) if one.name == "dashboards.password")
    assert shown.value == ("***" if setting else "")
    if setting:
        assert setting not in repr(settings) and setting in secrets_of(settings, Address("h", 1, "d", "a", "s", {}), "token")


@pytest.mark.parametrize(
    "setting",
    [
        "12345678901",
        "x" * 1025,
        "scrypt:",
        "scrypt:15:8:1:AAAA:BBBB",
        hashed(SECRET).replace(":15:", ":30:"),
        hashed(SECRET)[:-9],
    ],
    ids=("short", "long", "no hash", "short parts", "too costly", "cut"),  # a salt is another one in each process
)
def test_a_wrong_one_is_refused_without_being_shown(setting: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings(env={"ECOM_LITE_DASHBOARDS__PASSWORD": setting})
    said = str(refused.value)
    assert "ECOM_LITE_DASHBOARDS__PASSWORD: dashboards.password = ***" in said and "give at least 12 characters" in said
    assert setting not in said


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.0.0.9", True), ("::1", True), ("localhost", True), ("LOCALHOST", True),
        ("0.0.0.0", False), ("::", False), ("", False), ("192.168.1.9", False), ("shop.lan", False),
        ("localhost.evil.example", False),
    ],
)  # fmt: skip
def test_beyond_loopback_a_password_is_demanded(host: str, loopback: bool, tmp_path: Path) -> None:
    assert is_loopback(host) is loopback
    bare = load_settings(env={}, flags={"dashboards.host": host, "run.data_dir": tmp_path})
    if loopback:
        require_page_login(bare)
    else:
        with pytest.raises(ConfigError, match=r"dashboards\.host = .* dashboards\.password is not set: set dashboards\.password"):
            require_page_login(bare)
    require_page_login(load_settings(env={}, flags={"dashboards.host": host, "dashboards.password": SECRET}))
