"""The room on the disk is watched: who must stop is told of each change, once; a person's pause is nobody else's."""

from __future__ import annotations

from pathlib import Path

from ecom_lite.observe.figures import InForce
from ecom_lite.observe.room import GB, Room
from ecom_lite.run.room import RoomWatch
from ecom_lite.run.shop_control import ShopControl
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.override import ShopOverride


class Disk:
    """Of 10 GB."""

    def __init__(self) -> None:
        self.free_gb = 5.0
        self.gone = False

    def __call__(self, place: Path) -> tuple[int, int, int]:
        if self.gone:
            raise FileNotFoundError(place)
        return round(10 * GB), round((10 - self.free_gb) * GB), round(self.free_gb * GB)


def watched(folder: Path) -> tuple[RoomWatch, Disk, list[str]]:
    disk, heard = Disk(), list[str]()
    watch = RoomWatch(load_settings(env={}, flags={"run.data_dir": folder}), disk)
    watch.hear(lambda room: heard.append(room.state))
    return watch, disk, heard


def test_each_change_is_told_once(tmp_path: Path) -> None:
    watch, disk, heard = watched(tmp_path)
    for disk.free_gb in (5, 0.4, 0.4, 0.15, 0.19, 0.45, 0.72, 0.6):
        watch.look()
    assert heard == ["little", "none", "little", "enough"] == [room.state for room in watch.news()]
    assert watch.news() == [] and watch.held() == ""
    disk.free_gb = 0.1
    watch.look()
    assert watch.held().startswith(f"room: the disk of {tmp_path} is 99.0 % full")


def test_who_comes_later_hears_of_it_too(tmp_path: Path) -> None:
    watch, disk, _ = watched(tmp_path)
    disk.free_gb = 0.1
    watch.look()
    told = list[Room]()
    watch.hear(told.append)
    assert [room.state for room in told] == ["none"]


def test_a_folder_that_is_not_there_is_no_disk(tmp_path: Path) -> None:
    watch, disk, heard = watched(tmp_path / "not made yet")
    watch.look()
    assert watch.now == Room() and heard == []
    watch, disk, heard = watched(tmp_path)
    disk.gone = True
    watch.look()
    assert watch.now == Room() and heard == []


def test_neither_the_run_nor_a_person_ends_the_pause_of_the_other() -> None:
    sent: list[ShopOverride] = []
    shop = ShopControl(load_settings(env={}, flags={}), sent.append, InForce)
    shop.no_room(True)
    shop.change(ShopOverride(paused=True))
    assert (sent[-1].paused, sent[-1].no_room) == (True, True)
    shop.no_room(False)
    assert (sent[-1].paused, sent[-1].no_room) == (True, False)
    shop.no_room(True)
    shop.change(ShopOverride(paused=False))
    assert (sent[-1].paused, sent[-1].no_room) == (False, True)
    assert shop.override == sent[-1], "a producer that is started again knows both"
