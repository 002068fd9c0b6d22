"""When the room on a disk is judged to be little, or none, and when it is enough again."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.observe.room import ENOUGH, GB, LITTLE, NONE, Disk, Limits, Room, judge

LIMITS = Limits(95, 98, 100 * GB)


def of(size_gb: float, free_gb: float, before: str = ENOUGH) -> Room:
    return judge([Disk(Path("/data"), round((size_gb - free_gb) * GB), round(free_gb * GB))], LIMITS, before)


@pytest.mark.parametrize(
    ("free_gb", "state"), [(20, ENOUGH), (2.51, ENOUGH), (2.5, LITTLE), (1.01, LITTLE), (1.0, NONE), (0, NONE)]
)
def test_a_disk_of_50_gb_is_judged_by_its_percent(free_gb: float, state: str) -> None:
    assert of(50, free_gb).state == state


@pytest.mark.parametrize(("free_gb", "state"), [(80, ENOUGH), (5.1, ENOUGH), (4.9, LITTLE), (2.1, LITTLE), (1.9, NONE)])
def test_on_a_huge_disk_it_matters_what_is_free_not_what_others_have(free_gb: float, state: str) -> None:
    """2 TB at 96 % are 80 GB: no reason to stop a demo."""
    assert of(2000, free_gb).state == state


@pytest.mark.parametrize(
    ("before", "free_gb", "state"),
    [
        (LITTLE, 3.4, LITTLE),
        (LITTLE, 3.6, ENOUGH),
        (NONE, 1.9, NONE),
        (NONE, 2.1, LITTLE),
        (NONE, 3.4, LITTLE),
        (NONE, 3.6, ENOUGH),
    ],
)
def test_it_gets_better_only_with_two_points_more(before: str, free_gb: float, state: str) -> None:
    """Or a shop at the limit would pause and go on with each file that a database deletes."""
    assert of(50, free_gb, before).state == state


def test_the_fullest_of_several_disks_counts() -> None:
    disks = [Disk(Path("/data"), 10, 90), Disk(Path("/postgres"), 97, 3), Disk(Path("/lake"), 96, 4)]
    room = judge(disks, LIMITS)
    assert (room.state, room.place, room.percent) == (LITTLE, "/postgres", 97.0)
    assert judge([], LIMITS) == Room()


def test_it_says_who_stands_still_and_until_when() -> None:
    assert of(50, 20).problem == of(50, 20).held == ""
    assert of(50, 2).problem == "the disk of /data is 96.0 % full, 2.00 GB are free: the shop pauses until 3.50 GB are"
    assert of(50, 2).held == ""
    told = of(50, 0.5).problem
    assert "99.0 % full, 0.50 GB are free: the shop pauses, and loaders, lake, dbt and Spark wait until 2.00 GB are" in told
    assert of(50, 0.5).held == "room: the disk of /data is 99.0 % full, 0.50 GB are free, it goes on at 2.00 GB"
