"""Owns the last steps before a child program runs: drop to another account, tie its life to ours, exec.

Runs as a script of its own (`python -I -S launch.py PARENT DEATH_SIGNAL UID GID -- PROGRAM ARGS..`) and so imports
nothing but the standard library. A `preexec_fn` would do the same between fork and exec, where a program with threads may hang.
Exit code 127: the program could not be run; the reason is on stderr, which is the child's log.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
EXIT_CANNOT_RUN = 127
NO_ACCOUNT = "-"


def _fail(reason: str) -> None:
    os.write(2, f"ecom_lite launcher: {reason}\n".encode())
    os._exit(EXIT_CANNOT_RUN)


def main(args: list[str]) -> None:
    """Prepare this process as told by `args` and become the program named after `--`."""
    parent, death_signal, uid, gid, separator, *command = args
    if separator != "--" or not command:
        _fail(f"wrong arguments: {args}")
    try:
        if uid != NO_ACCOUNT:
            os.setgroups([])
            os.setgid(int(gid))
            os.setuid(int(uid))
        # After setuid, which clears it. The check that follows covers a parent that died before the call.
        if sys.platform == "linux" and ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
            _fail("prctl(PR_SET_PDEATHSIG) was refused")
        if os.getppid() != int(parent):
            os._exit(EXIT_CANNOT_RUN)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        for name in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_DFL)
        os.execve(command[0], command, os.environ)
    except OSError as error:
        _fail(f"cannot run {command[0]}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
