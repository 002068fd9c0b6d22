"""examples/servers: settings for servers that others run load, and say what their comments promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.settings.load import load_settings
from ecom_lite.topic.client import client_config
from ecom_lite.warehouse.connect import Address

FOLDER = Path(__file__).parents[3] / "examples" / "servers"


@pytest.mark.parametrize("name", ["redpanda", "msk"])
def test_a_cluster_with_log_in_is_reached_by_it(name: str, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    env = {"ECOM_LITE_KAFKA__SASL_PASSWORD": "hush", "ECOM_LITE_KAFKA__SSL_CAFILE": str(authority)}
    kafka = load_settings(FOLDER / f"{name}.toml", env=env).kafka
    client = client_config(kafka, kafka.bootstrap)
    assert len(client["bootstrap_servers"]) == 3 and client["security_protocol"] == "SASL_SSL"
    assert client["sasl_mechanism"].startswith("SCRAM-SHA-") and client["sasl_plain_password"] == "hush"
    assert client["ssl_cafile"] == str(authority)
    assert "hush" not in (FOLDER / f"{name}.toml").read_text() and "hush" not in repr(kafka)


def test_a_providers_postgresql_is_reached_by_tls_with_the_address_of_the_comment() -> None:
    file = FOLDER / "managed_postgres.toml"
    (line,) = [line for line in file.read_text().splitlines() if "export ECOM_LITE_POSTGRES__URL=" in line]
    settings = load_settings(file, env={"ECOM_LITE_POSTGRES__URL": line.split("'")[1]})
    address = Address.from_url(settings.postgres.url.get_secret_value(), {"ecom_loader": "hush"})
    assert address.place == "db.example.com:5432/ecom_lite" and not settings.lake.enabled
    assert "sslmode=verify-full" in address.conninfo("ecom_loader") and "/etc/ecom_lite/db-ca.pem" in address.conninfo(
        "ecom_loader"
    )


def test_each_of_them_is_in_the_list() -> None:
    text = (FOLDER.parent / "README.md").read_text()
    assert [file.name for file in FOLDER.iterdir() if f"servers/{file.name}" not in text] == []
