"""Root reads and writes every file, whatever its mode: for tests of unreadable and read-only files it gives up that right.

It stays root, so that it still gets at the project and at Python where nobody else may look into their folders.
"""

import contextlib
import ctypes
import os
import sys

VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
OVERRIDES = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: both are among the first 32


def _capabilities():
    """The header and the two blocks (effective, permitted, inheritable) of this thread's capabilities."""
    header, blocks = (ctypes.c_uint32 * 2)(VERSION, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capget(header, blocks):
        raise OSError(ctypes.get_errno(), "capget")
    return header, blocks


def give_up_roots_rights():
    """Have this thread obey the modes of files; does nothing for another user than root."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return
    header, blocks = _capabilities()
    blocks[0] &= ~OVERRIDES
    if ctypes.CDLL(None, use_errno=True).capset(header, blocks):
        raise OSError(ctypes.get_errno(), "capset")


@contextlib.contextmanager
def without_roots_rights():
    """Inside this context files' modes count for root as well."""
    give_up_roots_rights()
    try:
        yield
    finally:
        if sys.platform == "linux" and os.geteuid() == 0:
            header, blocks = _capabilities()
            blocks[0] |= blocks[1] & OVERRIDES  # as far as they are permitted
            ctypes.CDLL(None, use_errno=True).capset(header, blocks)
