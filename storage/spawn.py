"""Turn this process into a server that does not outlive its parent. Run as a script; standard library only.

    python -I -S spawn.py PARENT_PID STOP_SIGNAL UID:GID|- CAPABILITY|- LOCK_FD|- COMMAND [ARGUMENT ...]

A program of its own, because code between fork and exec is unsafe in a process with threads.
"""

import contextlib
import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
NO_REACH = (
    "this root may not hand on the right to enter a folder of root's alone (CAP_SETPCAP and CAP_DAC_OVERRIDE): "
    "move the project and data_dir to a folder that every account may enter, or set database.dsn"
)


def become(uid: int, gid: int, *, reach: bool) -> None:
    """Switch from root to an account; with `reach`, keep the right to enter directories that only root may enter."""
    libc = ctypes.CDLL(None, use_errno=True)
    # access() checks the capabilities of the real user, and ignores those of a user other than root unless this bit is
    # set. initdb looks for its programs with access().
    if reach and libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0):
        sys.exit(NO_REACH)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if reach:
        # The bit also keeps all other capabilities through setuid: drop them here.
        mask = 1 << CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        if libc.capset(header, (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)) or libc.prctl(
            PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0
        ):
            sys.exit(NO_REACH)


def main(arguments: list[str]) -> None:
    """Switch accounts, tie this process to its parent, write its id into the lock file, and exec the command."""
    parent, stop_signal, account, reach, lock, *command = arguments
    if account != "-":
        uid, gid = account.split(":")
        become(int(uid), int(gid), reach=reach != "-")
    if sys.platform == "linux":
        # Only now: a change of account clears it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
    # The parent may have died before prctl; then no signal would come.
    if os.getppid() != int(parent):
        sys.exit("the parent is gone")
    if lock != "-":
        with contextlib.suppress(ValueError):
            os.ftruncate(int(lock), 0)
            os.pwrite(int(lock), str(os.getpid()).encode(), 0)
    os.umask(0o077)
    os.execv(command[0], command)  # noqa: S606 - the command is the parent's, an absolute path, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
