"""Owns the last steps before a child program runs: drop to another account, tie its life to ours, exec.

Runs as a script of its own (`python -I -S launch.py PARENT LIFE DEATH_SIGNAL UID GID -- PROGRAM ARGS..`) and so imports
nothing but the standard library. A `preexec_fn` would do the same between fork and exec, where a program with threads may hang.
LIFE is `-` where the system signals a parent's death, else the reading end of system.LifeLine, for which a watcher is left.
Exit code 127: the program could not be run; the reason is on stderr, which is the child's log.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys

PR_SET_PDEATHSIG = 1
EXIT_CANNOT_RUN = 127
NONE = "-"


def _fail(reason: str) -> None:
    os.write(2, f"ecom_lite launcher: {reason}\n".encode())
    os._exit(EXIT_CANNOT_RUN)


def _watch(life: int, number: int) -> None:
    """Leave a process behind that sends `number` to the program when the parent has ended, and ends with the program.

    It is nobody's child: a server would wonder about one that it has not made.
    """
    program = os.getpid()
    ended, kept = os.pipe()
    os.set_inheritable(kept, True)  # the program keeps it open as long as it lives
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        os.close(life)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.close(kept)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # a pipe of the program's must close with the program
        os.dup2(nothing, stream)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    ready, _, _ = select.select([life, ended], [], [])
    if ended not in ready:
        os.kill(program, number)
    os._exit(0)


def main(args: list[str]) -> None:
    """Prepare this process as told by `args` and become the program named after `--`."""
    parent, life, death_signal, uid, gid, separator, *command = args
    if separator != "--" or not command:
        _fail(f"wrong arguments: {args}")
    try:
        if uid != NONE:
            os.setgroups([])
            os.setgid(int(gid))
            os.setuid(int(uid))
        if life != NONE:
            _watch(int(life), int(death_signal))
        # After setuid, which clears it. The check that follows covers a parent that died before the call.
        elif ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
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
