"""A writer of the lake that never rests, to be killed: passes, merges and deletions one after the other; a line for each."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from ecom_lite.lake.upkeep import Tier, Upkeep
from ecom_lite.lake.writer import Writer
from ecom_lite.warehouse.connect import Address


def main() -> None:
    address = msgspec.json.decode(sys.stdin.buffer.readline(), type=Address)
    with Writer(address, Path(sys.argv[1])) as writer:
        writer.open()
        upkeep = Upkeep(writer, keep_snapshots_h=1 / 3600, tiers=(Tier(0, 1 << 20, 3),))
        while True:
            print(writer.sync(), flush=True)
            upkeep.merge()
            upkeep.expire()
            upkeep.delete(5)  # who reads has so long


if __name__ == "__main__":
    main()
