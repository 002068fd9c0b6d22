"""What a test is told of its own part of the engines."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ecom_lite.settings.load import NO_FILE, load_settings
from ecom_lite.testing.place import Place
from ecom_lite.warehouse.connect import Address

GIVEN = {
    "PGSSLMODE": "require",
    "PGCHANNELBINDING": "require",
    "PGOPTIONS": "-c search_path=theirs",
    "PGHOSTADDR": "192.0.2.1",
    "PGTARGETSESSIONATTRS": "standby",
}


def test_variables_of_libpq_in_a_test_process_do_not_count_for_the_fixtures_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    template = Address("127.0.0.1", 1, "ecom_template", "postgres", "", {"ecom_reader": "hush"})
    settings = load_settings(NO_FILE, env={}, flags={"run.data_dir": tmp_path, "kafka.topic": "events_1"})
    known = Place(settings, "127.0.0.1:1", template, "test_1").known()
    said = conninfo_to_dict(known["conninfo"])
    assert (said["sslmode"], said["options"], said["target_session_attrs"]) == ("disable", "", "any")
    assert said["channel_binding"] == "disable"
    assert (said["dbname"], said["user"]) == ("test_1", "ecom_reader")
    with pytest.raises(psycopg.OperationalError, match=r"127\.0\.0\.1.*[Rr]efused"):
        psycopg.connect(known["conninfo"])
