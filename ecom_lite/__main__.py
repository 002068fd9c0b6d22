"""`python -m ecom_lite`, and the installed `ecom_lite`: the command line, and how a signal ends it while it is still imported."""

import os
import signal
import sys


def _stopped(number: int, _frame: object) -> None:
    os.write(2, b"ecom_lite: stopped before anything was started\n")
    os._exit(128 + number)


def main() -> None:
    """Run the command line; the modules come after the signals' handlers, since they take a while."""
    if sys.platform == "win32":
        sys.exit("ecom_lite needs Linux or macOS; on Windows it runs inside WSL 2, as on Linux")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stopped)
    from .cli import main as run

    run()


if __name__ == "__main__":
    main()
