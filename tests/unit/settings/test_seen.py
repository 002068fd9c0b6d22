"""Settings that were found right before, and when they must be read anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ecom_lite.settings.data_dir import SETTINGS_SEEN
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.seen import remember, seen_data_dir

CASES: list[tuple[str | None, Mapping[str, str], str | None]] = [
    (None, {}, None),
    ("[run]\n# data_dir = 'other'\nlight = true\n", {}, None),
    ("[run]\ndata_dir = 'other'\n", {}, None),
    ("run.data_dir = '~/other'\n", {}, None),
    ("run = {data_dir = 'other'}\n", {}, None),
    ("[run]\ndata_dir = 'other'\n", {"ECOM_LITE_RUN__DATA_DIR": "third"}, None),
    ("[run]\ndata_dir = 'other'\n", {"ECOM_LITE_RUN__DATA_DIR": ""}, None),
    (None, {"ECOM_LITE_RUN__DATA_DIR": "third"}, "fourth"),
    (None, {"ECOM_LITE_SHOP__RATE": "5"}, "../fourth"),
]


def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str | None) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if config is not None:
        (folder / "config.toml").write_text(config)
    return folder


@pytest.mark.parametrize(("config", "env", "option"), CASES)
def test_it_is_the_folder_that_the_settings_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str | None, env: Mapping[str, str], option: str | None
) -> None:
    prepared(tmp_path, monkeypatch, config)
    given = None if option is None else Path(option)
    env = {**env, "HOME": str(tmp_path / "home")}
    data_dir = load_settings(env=env, flags={"run.data_dir": given}).data_dir
    assert seen_data_dir(None, given, env) is None
    data_dir.mkdir(parents=True)
    remember(None, given, data_dir, env)
    assert seen_data_dir(None, given, env) == data_dir
    assert (data_dir / SETTINGS_SEEN).stat().st_mode & 0o777 == 0o600


def test_whatever_changes_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = prepared(tmp_path, monkeypatch, "[shop]\nrate = 5\n")
    data_dir = folder / ".ecom_lite"
    data_dir.mkdir()
    remember(None, None, data_dir, {})
    assert seen_data_dir(None, None, {"PATH": "other"}) == data_dir
    assert seen_data_dir(None, None, {"ECOM_LITE_SHOP__RATE": "nonsense"}) is None
    assert seen_data_dir(None, data_dir, {}) is None, "written in another way"
    (folder / "config.toml").write_text("[shop]\nrate = 'nonsense'\n")
    assert seen_data_dir(None, None, {}) is None
    (folder / "config.toml").write_text("[shop]\nrate = 5\n")
    assert seen_data_dir(None, None, {}) == data_dir
    (data_dir / SETTINGS_SEEN).write_text("{")
    assert seen_data_dir(None, None, {}) is None


def test_of_another_folder_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file was copied with the folder."""
    folder = prepared(tmp_path, monkeypatch, None)
    first, second = folder / ".ecom_lite", folder / "second"
    for each in (first, second):
        each.mkdir()
    remember(None, None, first, {})
    (second / SETTINGS_SEEN).write_bytes((first / SETTINGS_SEEN).read_bytes())
    assert seen_data_dir(None, second, {}) is None


@pytest.mark.parametrize("config", ["[run]\ndata_dir = 5\n", "data_dir = [", "run = 'data_dir'\n", "data_dir = 'x'\n"])
def test_a_wrong_file_is_left_to_whoever_explains_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str) -> None:
    prepared(tmp_path, monkeypatch, config)
    assert seen_data_dir(None, None, {}) is None
    assert seen_data_dir(Path("none.toml"), None, {}) is None
