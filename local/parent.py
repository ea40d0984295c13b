"""A child process that must not outlive its parent."""

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1
# Looked up here, before any fork: the child of a process with threads may not load libraries.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(by: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send `by` to the calling process when the *thread* that started it ends.

    Call it in the child, between fork and exec. Linux only; elsewhere it does nothing.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(by))
