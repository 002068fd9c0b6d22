"""A reset deletes what a run wrote, all of it, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.errors import AlreadyRunning
from ecom_lite.live.lock import RunLock
from ecom_lite.machine.reset import reset_data, what_goes
from ecom_lite.settings.data_dir import LOADERS, OURS
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings


@pytest.fixture
def settings(data_dir: Path) -> Settings:
    for name in OURS:
        if "." in name:
            data_dir.mkdir(parents=True, exist_ok=True)
            (data_dir / name).write_text("{}")
        else:
            (data_dir / name / "deep").mkdir(parents=True)
            (data_dir / name / "deep" / "file").write_bytes(b"x" * 1000)
    (data_dir / "children.json").write_text("[]")
    return load_settings(env={}, flags={"run.data_dir": data_dir})


def test_everything_goes_the_folder_too(settings: Settings) -> None:
    sizes = dict(what_goes(settings))
    assert set(sizes) == set(OURS) and sizes["kafka"] == 1000
    reset_data(settings, keep_grafana=False)
    assert not settings.data_dir.exists()
    assert what_goes(settings) == []
    reset_data(settings, keep_grafana=False)


def test_fresh_data_keeps_grafanas_own_state_and_the_passwords_for_a_server_elsewhere(settings: Settings) -> None:
    reset_data(settings, keep_grafana=True)
    left = {entry.name for entry in settings.data_dir.iterdir()}
    assert left == {"grafana", "passwords", "run.lock"}
    assert (settings.data_dir / "grafana" / "deep" / "file").is_file()


def test_a_link_is_removed_not_followed(settings: Settings, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("keep")
    (settings.data_dir / "lake" / "link").symlink_to(precious)
    reset_data(settings, keep_grafana=False)
    assert (precious / "file").read_text() == "keep"


def test_not_while_a_run_has_it(settings: Settings) -> None:
    with RunLock(settings.data_dir, "run"):
        with pytest.raises(AlreadyRunning):
            reset_data(settings, keep_grafana=False)
    assert (settings.data_dir / "kafka").is_dir()


def test_not_while_loaders_alone_work_by_it(settings: Settings) -> None:
    """Their lock would go with the rest, and a second set of the same names could begin: each would throw the other out."""
    with RunLock(settings.data_dir / LOADERS, "load"):
        with pytest.raises(AlreadyRunning, match=r"loaders is in use by `ecom_lite load`, pid \d+: wait for its end, or end it"):
            reset_data(settings, keep_grafana=True)
    assert (settings.data_dir / "passwords").is_dir() and (settings.data_dir / LOADERS / "deep").is_dir()
    reset_data(settings, keep_grafana=False)
    assert not settings.data_dir.exists()
