"""A writer of the lake that never rests, to be killed: passes, merges and deletions in turn; a line as each begins.

`open_in_turn` is for every test that has one writer after the other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from ecom_lite.lake.upkeep import Tier, Upkeep
from ecom_lite.lake.writer import LakeBusy, Writer
from ecom_lite.warehouse.connect import Address
from tests.patience import connect_patiently
from tests.runs import wait_for

STEPS: dict[str, Callable[[Writer, Upkeep], object]] = {
    "sync": lambda writer, upkeep: writer.sync(),
    "merge": lambda writer, upkeep: upkeep.merge(),
    "expire": lambda writer, upkeep: upkeep.expire(),
    "delete": lambda writer, upkeep: upkeep.delete(20),  # who reads has so long, also beside a machine that stands still
}


def open_in_turn(writer: Writer) -> None:
    """Once the writer before has let go: the server ends a session, and gives its lock back, after who has closed it went on."""

    def opened() -> bool:
        try:
            writer.open()
        except LakeBusy:
            return False
        return True

    wait_for(opened, "the lock of the lake")


def main() -> None:
    connect_patiently()
    address = msgspec.json.decode(sys.stdin.buffer.readline(), type=Address)
    with Writer(address, Path(sys.argv[1])) as writer:
        open_in_turn(writer)
        upkeep = Upkeep(writer, keep_snapshots_h=1 / 3600, tiers=(Tier(0, 1 << 20, 3),))
        while True:
            for step, work in STEPS.items():
                print(step, flush=True)
                work(writer, upkeep)


if __name__ == "__main__":
    main()
