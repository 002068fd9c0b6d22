"""`python -m ecom_lite.bench.checked NAME`: one check as `ecom_lite check --only NAME` takes it, in a process of its own.

The address comes on stdin, as there is no run that it could be found by."""

from __future__ import annotations

import json
import sys


def main() -> None:
    import typer

    from ..settings.load import load_settings
    from ..terminal.printing import print_table
    from ..warehouse.connect import Address

    load_settings(None, flags={})
    from functools import partial

    from ..check.named import built_in, choose
    from ..check.reconcile import reconcile
    from ..lake.counted import Counted

    address = Address(**json.loads(sys.stdin.buffer.readline()))
    checks = choose(built_in(), [sys.argv[1]])
    report = reconcile(address, [], dict, producing=False, catch_up_s=0, checks=checks, lake=partial(Counted, address))
    report.raise_if_open()
    print_table(
        ["check", "line", "left", "right"], [(sys.argv[1], one.name, str(one.left), str(one.right)) for one in report.lines]
    )
    typer.echo(report.said(), err=True)


if __name__ == "__main__":
    main()
