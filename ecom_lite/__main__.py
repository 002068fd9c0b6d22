"""`python -m ecom_lite`, and the installed `ecom_lite`: the command line, and how a signal ends it while it is still imported."""

import os
import signal
import sys


def _stopped(number: int, _frame: object) -> None:
    os.write(2, b"ecom_lite: stopped before anything was started\n")
    os._exit(128 + number)


def _open_closed() -> None:
    """Where the caller has closed stdin, stdout or stderr (`>&-`): else the next file that is opened, a lock or a database, would
    have its number, and be written to by who talks."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))


def main() -> None:
    """Run the command line; the modules come after the signals' handlers, since they take a while."""
    if sys.platform == "win32":
        sys.exit("ecom_lite needs Linux or macOS; on Windows it runs inside WSL 2, as on Linux")
    _open_closed()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stopped)
    from .cli import main as run

    run()


if __name__ == "__main__":
    main()
