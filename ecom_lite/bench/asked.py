"""`python -m ecom_lite.bench.asked DATA_DIR STATEMENT`: one question as `ecom_lite sql` asks it, in a process of its own.

The address comes on stdin, as there is no run that it could be found by."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    from ..ask.answer import Wish
    from ..ask.once import ask_once
    from ..ask.warm import Warm
    from ..warehouse.connect import Address

    warm = Warm()
    address = Address(**json.loads(sys.stdin.buffer.readline()))
    for note in ask_once(Path(sys.argv[1]), lambda _: address, warm, sys.argv[2], Wish(), 60).notes:
        print(note, file=sys.stderr)


if __name__ == "__main__":
    main()
