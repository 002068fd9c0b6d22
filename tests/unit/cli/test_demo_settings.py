"""What `ecom_lite demo` is shown with: settings of its own, whatever stands in the files around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from ecom_lite.cli.demo import demo
from ecom_lite.settings.tree import Settings

THEIRS = """
[kafka]
bootstrap = "kafka.example.com:9092"
[postgres]
url = "postgresql://admin:secret@db.example.com/shop"
[events]
lines = "items[]"
"""


def test_no_file_of_the_users_is_read_not_even_the_one_that_came_with_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a clone that one is the very file that the user is told to edit: the demo would sell in the user's own warehouse."""
    shown: list[Settings] = []

    def execute(settings: Settings, *_: Any) -> tuple[int, None]:
        shown.append(settings)
        return 0, None

    (tmp_path / "config.toml").write_text(THEIRS, "utf-8")
    (tmp_path / "checks").mkdir()
    monkeypatch.setattr("ecom_lite.run.execute.execute", execute)
    monkeypatch.setattr("ecom_lite.settings.bundled.bundled", lambda name: tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(typer.Exit):
        demo(pace="quick", light=True)
    (settings,) = shown
    assert settings.kafka.bootstrap == "" and settings.postgres.url.get_secret_value() == "" and not settings.events.lines
    assert settings.data_dir == tmp_path / ".ecom_lite_demo" and not settings.check.folder.exists()
