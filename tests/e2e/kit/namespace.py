"""A network of our own, in which the loopback interface has more addresses."""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct

import pytest

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
_IFF_UP_RUNNING = 0x41
_libc = ctypes.CDLL(None, use_errno=True)


def _address(text):
    return struct.pack("!HH4s8x", socket.AF_INET << 8 if os.sys.byteorder == "little"
                       else socket.AF_INET, 0, socket.inet_aton(text))


@contextlib.contextmanager
def network(*subnets):
    """
    This thread, and what it starts, has a network with nothing but a loopback interface, to which
    127.0.0.0/8 and the subnets ("198.51.100.0/24") belong, each address of them. Without the
    rights for it: skip.
    """
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if _libc.unshare(_CLONE_NEWNET) != 0:
            pytest.skip(f"no network of our own: {os.strerror(ctypes.get_errno())}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP_RUNNING))
            for number, subnet in enumerate(subnets):
                base, _, bits = subnet.partition("/")
                mask = socket.inet_ntoa(struct.pack("!I", 2**32 - 2**(32 - int(bits))))
                name = b"lo:%d" % number
                first = base.rpartition(".")[0] + ".1"
                fcntl.ioctl(control, _SIOCSIFADDR, struct.pack("16s16s", name, _address(first)))
                fcntl.ioctl(control, _SIOCSIFNETMASK, struct.pack("16s16s", name, _address(mask)))
        yield
    finally:
        _libc.setns(before, _CLONE_NEWNET)
        os.close(before)
