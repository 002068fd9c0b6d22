"""The files that come with the program as the user's own: what `init` writes, and what `diff` says after an upgrade."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ecom_lite.errors import ConfigError, UsageError
from ecom_lite.machine import shipped
from ecom_lite.settings.bundled import boards, dbt_project
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings

BOARD, MODEL = "dashboards/realtime_operations.json", "dbt_project/models/marts/daily_sales.sql"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    shipped.write(tmp_path)
    return tmp_path


@pytest.fixture
def upgrade(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str | None]], None]:
    """A version whose files are others: a text, or None for one that does not come with it any more."""

    def upgrade(changes: Mapping[str, str | None]) -> None:
        files: dict[str, str | None] = {**shipped.shipped(), **changes}
        monkeypatch.setattr(shipped, "shipped", lambda: {name: text for name, text in files.items() if text is not None})

    return upgrade


def settings_of(folder: Path) -> Settings:
    return load_settings(folder / "config.toml", env={})


def test_what_is_written_is_what_a_run_there_uses(own: Path) -> None:
    settings = settings_of(own)
    assert dbt_project(settings) == own / "dbt_project"
    assert boards(settings) == own / "dashboards"
    assert settings.alerts.folder == own / "alerts" and any((own / "alerts").glob("*.toml"))
    assert settings.check.folder == own / "checks" and any((own / "checks").glob("*.sql"))
    assert shipped.compare(own) == [] and shipped.behind(settings) == 0


def test_without_a_folder_of_ones_own_the_shipped_files_are_used(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[shop]\nseed = 8\n", "utf-8")
    settings = settings_of(tmp_path)
    assert (dbt_project(settings) / "models" / "marts" / "daily_sales.sql").is_file()
    assert len(list(boards(settings).glob("*.json"))) >= 4
    assert shipped.behind(settings) == 0


def test_a_file_that_is_there_is_not_overwritten_and_nothing_else_is_written(tmp_path: Path) -> None:
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "lag.toml").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match=r"alerts/lag\.toml"):
        shipped.write(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["lag.toml"]
    assert (tmp_path / "alerts" / "lag.toml").read_text("utf-8") == "mine"


def test_what_the_user_has_changed_and_deleted_is_his(own: Path) -> None:
    (own / BOARD).write_text("{}", "utf-8")
    (own / MODEL).unlink()
    (own / "dbt_project" / "models" / "own" / "mine.sql").write_text("SELECT 1", "utf-8")
    assert [tuple(one) for one in shipped.compare(own)] == [(BOARD, "yours"), (MODEL, "deleted")]
    assert shipped.update(own) == []
    assert (own / BOARD).read_text("utf-8") == "{}" and not (own / MODEL).exists()
    assert shipped.behind(settings_of(own)) == 0


def test_after_an_upgrade_each_change_is_told_by_whose_it_is(own: Path, upgrade: Callable[..., None]) -> None:
    (own / BOARD).write_text("{}", "utf-8")
    upgrade({BOARD: "newer", MODEL: "newer", "alerts/lag.toml": None, "alerts/more.toml": "more"})
    assert [tuple(one) for one in shipped.compare(own)] == [
        ("alerts/lag.toml", "dropped"), ("alerts/more.toml", "new"), (BOARD, "both"), (MODEL, "theirs"),
    ]  # fmt: skip
    assert shipped.behind(settings_of(own)) == 4


def test_an_update_takes_what_only_the_upgrade_has_changed(own: Path, upgrade: Callable[..., None]) -> None:
    (own / BOARD).write_text("{}", "utf-8")
    upgrade({BOARD: "newer", MODEL: "newer", "alerts/more.toml": "more"})
    assert [one.file for one in shipped.update(own)] == ["alerts/more.toml", MODEL]
    assert (own / MODEL).read_text("utf-8") == "newer" and (own / BOARD).read_text("utf-8") == "{}"
    assert [tuple(one) for one in shipped.compare(own)] == [(BOARD, "both")], "told until somebody has looked at it"
    (own / BOARD).write_text("newer", "utf-8")
    assert shipped.compare(own) == []


def test_the_lines_that_differ_are_a_patch_from_the_programs_file_to_the_users(own: Path) -> None:
    (own / "alerts" / "lag.toml").write_text((own / "alerts" / "lag.toml").read_text("utf-8") + "# mine\n", "utf-8")
    lines = list(shipped.differences(own, shipped.compare(own)))
    assert [line for line in lines if line.startswith("+") and not line.startswith("+++")] == ["+# mine\n"]


@pytest.mark.parametrize("note", ["", "[]", '{"files": 3}', "\0"])
def test_a_note_that_cannot_be_read_is_named(own: Path, note: str) -> None:
    (own / shipped.NOTE).write_text(note, "utf-8")
    with pytest.raises(UsageError, match=shipped.NOTE):
        shipped.compare(own)


def test_a_folder_that_init_has_not_written_has_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`ecom_lite init` has written nothing there"):
        shipped.compare(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        shipped.compare(tmp_path / "nowhere")


def test_what_is_there_already_is_counted_and_leads_in_no_circle(own: Path) -> None:
    with pytest.raises(UsageError, match=f"config.toml and {len(shipped.shipped()) - 1} more are there already.*ecom_lite diff"):
        shipped.write(own)
    (own / shipped.NOTE).unlink()
    with pytest.raises(UsageError, match="name a folder that has none of them"):
        shipped.write(own)


def test_files_that_dbt_leaves_behind_are_not_written() -> None:
    assert not [name for name in shipped.shipped() if {"target", "logs", "dbt_packages"} & set(name.split("/"))]


@pytest.mark.parametrize(
    ("section", "key", "ask"),
    [("transform", "project", dbt_project), ("dashboards", "folder", boards)],
    ids=["project", "boards"],
)
def test_a_folder_that_holds_none_is_named_with_its_setting(
    tmp_path: Path, section: str, key: str, ask: Callable[[Settings], Path]
) -> None:
    (tmp_path / "config.toml").write_text(f'[{section}]\n{key} = "nowhere"\n', "utf-8")
    with pytest.raises(ConfigError, match=f"{section}.{key} = .*nowhere"):
        ask(settings_of(tmp_path))


def test_the_note_says_which_version_wrote_it(own: Path) -> None:
    from ecom_lite import __version__

    assert json.loads((own / shipped.NOTE).read_text("utf-8"))["version"] == __version__
