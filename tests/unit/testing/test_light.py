"""Which servers a `light_warehouse` has, without starting any."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import pytest

from ecom_lite.settings.tree import Settings
from ecom_lite.testing import light

THEIRS = """
[kafka]
bootstrap = "kafka.example.com:9093"
security_protocol = "SASL_SSL"
sasl_mechanism = "PLAIN"
sasl_username = "shop"
[postgres]
url = "postgresql://admin:secret@db.example.com/shop"
[load]
flush_ms = 70
"""


class Asked(Exception):
    """What servers would have been started with."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings


@pytest.fixture(autouse=True)
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests are those of a project that runs on a cluster."""

    def servers(settings: Settings, *_: Any, **options: Any) -> NoReturn:
        raise Asked(settings)

    (tmp_path / "config.toml").write_text(THEIRS, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(light, "servers", servers)


def asked(folder: Path, **flags: Any) -> Settings:
    with pytest.raises(Asked) as found, light.light_warehouse(folder, **flags):
        pass
    return found.value.settings


def test_a_test_never_reaches_the_servers_of_the_projects_own_settings(tmp_path: Path) -> None:
    settings = asked(tmp_path / "data", kafka__partitions=2)
    assert (settings.kafka.bootstrap, settings.kafka.security_protocol) == ("", "PLAINTEXT")
    assert settings.postgres.url.get_secret_value() == "" and settings.kafka.partitions == 2
    assert settings.load.flush_ms == 70, "other settings of the project count"


def test_a_server_that_the_test_itself_names_is_reached_by_the_projects_login(tmp_path: Path) -> None:
    kafka = asked(tmp_path / "data", kafka__bootstrap="test.example.com:9093").kafka
    assert (kafka.bootstrap, kafka.security_protocol, kafka.sasl_username) == ("test.example.com:9093", "SASL_SSL", "shop")
    postgres = asked(tmp_path / "data", postgres__url="postgresql://test/db").postgres
    assert postgres.url.get_secret_value() == "postgresql://test/db"
