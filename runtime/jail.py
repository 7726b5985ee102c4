"""Closes the doors of this process, then becomes Node: the program that every child of `runtime.process` starts as.

Usage: python -I -S jail.py SOCKETS_ALLOWED(0|1) READABLE_PATH... -- NODE ARGUMENT...
A program of its own rather than a `preexec_fn`, because code between fork and exec in a threaded server can deadlock.
It must import nothing but the standard library. Exit code 78 means that a door could not be closed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from typing import NoReturn

MEGABYTE = 1024 * 1024
LIMITS = {
    "RLIMIT_CORE": 0,
    "RLIMIT_CPU": 120,
    "RLIMIT_DATA": 768 * MEGABYTE,
    "RLIMIT_FSIZE": 0,
    "RLIMIT_NOFILE": 256,
    "RLIMIT_MEMLOCK": 0,
    "RLIMIT_MSGQUEUE": 0,
}
EXIT_NOT_CLOSED = 78
NOBODY = 65534
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2

# What a Node that only computes has no use for: sockets, other processes, kernel interfaces with a history.
DENIED = {
    "x86_64": (0xC000003E, {
        "socket": 41, "connect": 42, "bind": 49, "listen": 50, "socketpair": 53, "fork": 57, "vfork": 58,
        "ptrace": 101, "rt_sigqueueinfo": 129, "mount": 165, "tkill": 200, "add_key": 248, "request_key": 249,
        "keyctl": 250, "unshare": 272, "perf_event_open": 298, "rt_tgsigqueueinfo": 297, "setns": 308,
        "process_vm_readv": 310, "process_vm_writev": 311, "bpf": 321, "execveat": 322, "userfaultfd": 323,
        "pidfd_send_signal": 424, "io_uring_setup": 425, "pidfd_open": 434, "pidfd_getfd": 438,
    }, {"kill": 62, "tgkill": 234, "clone": 56, "clone3": 435, "execve": 59}),
    "aarch64": (0xC00000B7, {
        "socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "connect": 203, "ptrace": 117,
        "rt_sigqueueinfo": 138, "mount": 40, "tkill": 130, "add_key": 217, "request_key": 218, "keyctl": 219,
        "unshare": 97, "perf_event_open": 241, "rt_tgsigqueueinfo": 240, "setns": 268, "process_vm_readv": 270,
        "process_vm_writev": 271, "bpf": 280, "execveat": 281, "userfaultfd": 282, "pidfd_send_signal": 424,
        "io_uring_setup": 425, "pidfd_open": 434, "pidfd_getfd": 438,
    }, {"kill": 129, "tgkill": 131, "clone": 220, "clone3": 435, "execve": 221}),
}  # fmt: skip
EPERM, ENOSYS = 1, 38
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
CLONE_THREAD = 0x00010000

libc = ctypes.CDLL(None, use_errno=True)


def statement(code: int, jump_true: int, jump_false: int, value: int) -> bytes:
    return struct.pack("HBBI", code, jump_true, jump_false, value)


def load(offset: int) -> bytes:
    return statement(0x20, 0, 0, offset)


def when_equal(value: int, then: bytes) -> bytes:
    """Run `then` only if the loaded word equals `value`."""
    return statement(0x15, 0, len(then) // 8, value) + then


def answer(errno: int = 0) -> bytes:
    return statement(0x06, 0, 0, ERRNO | errno if errno else ALLOW)


def argument(index: int) -> int:
    return 16 + 8 * index


def seccomp_program(machine: str, own_pid: int, path_address: int) -> bytes:
    """The BPF filter: threads yes, processes no; signals to oneself alone; one execve, of our own path."""
    arch, denied, judged = DENIED[machine]
    only_self = load(argument(0)) + when_equal(own_pid, answer()) + answer(EPERM)
    threads = load(argument(0)) + statement(0x45, 1, 0, CLONE_THREAD) + answer(EPERM) + answer()
    this_path = (
        load(argument(0))
        + when_equal(path_address & 0xFFFFFFFF, load(argument(0) + 4) + when_equal(path_address >> 32, answer()))
        + answer(EPERM)
    )
    program = load(4) + statement(0x15, 1, 0, arch) + answer(EPERM) + load(0)
    if machine == "x86_64":
        program += statement(0x35, 0, 1, 0x40000000) + answer(EPERM)
    for number in denied.values():
        program += when_equal(number, answer(EPERM))
    program += when_equal(judged["clone3"], answer(ENOSYS))  # the C library then falls back to clone
    for name, rule in (("kill", only_self), ("tgkill", only_self), ("clone", threads), ("execve", this_path)):
        program += when_equal(judged[name], rule)
    return program + answer()


class FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def close_system_calls(path: ctypes.Array[ctypes.c_char]) -> bool:
    machine = platform.machine()
    if machine not in DENIED or struct.calcsize("P") != 8:
        return False
    program = seccomp_program(machine, os.getpid(), ctypes.addressof(path))
    description = FilterProgram(len(program) // 8, program)
    return libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(description)) == 0


def close_network(*, keep_user: bool) -> bool:
    """An own network namespace with nothing in it, in a user namespace too unless that must be kept to change users.

    In its own user namespace even root has no rights over the machine.
    """
    flags = CLONE_NEWNET | CLONE_NEWIPC
    ways = (flags, flags | CLONE_NEWUSER) if keep_user else (flags | CLONE_NEWUSER, flags)
    return any(libc.unshare(way) == 0 for way in ways)


def become_nobody() -> None:
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError:
        return  # a container without the right to change users: the other doors are closed all the same


def readable_by_all(path: str) -> bool:
    while path != "/":
        mode = os.stat(path).st_mode  # noqa: PTH116
        if not mode & (0o001 if os.path.isdir(path) else 0o004):  # noqa: PTH112
            return False
        path = os.path.dirname(path)  # noqa: PTH120
    return True


SYSTEM_READABLE = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ssl", "/etc/ld.so.cache", "/etc/localtime",
                   "/usr/share/zoneinfo", "/usr/share/ca-certificates", "/dev/null", "/dev/urandom",
                   "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/sys/fs/cgroup"]  # fmt: skip
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
ACCESS_ALL = (1 << 13) - 1  # every file access of Landlock's first version
ACCESS_EXECUTE, ACCESS_READ_FILE, ACCESS_READ_FOLDER = 1, 4, 8


def close_files(readable: list[str]) -> bool:
    """Landlock: the kernel's own list of what may be read. Older kernels leave this to Node's permission model."""
    attributes = struct.pack("Q", ACCESS_ALL)
    ruleset = libc.syscall(LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    for path in [*SYSTEM_READABLE, *readable]:
        allow_reading(ruleset, path)
    return libc.syscall(LANDLOCK_RESTRICT, ruleset, 0) == 0


def allow_reading(ruleset: int, path: str) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    folder = os.path.isdir(path)  # noqa: PTH112
    access = ACCESS_READ_FILE | ACCESS_EXECUTE | (ACCESS_READ_FOLDER if folder else 0)
    libc.syscall(LANDLOCK_ADD, ruleset, 1, struct.pack("=Qi", access, descriptor), 0)
    os.close(descriptor)


def limit_resources() -> None:
    for name, value in LIMITS.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (ceiling, ceiling))


def main(arguments: list[str]) -> NoReturn:
    split = arguments.index("--")
    open_network, readable, command = arguments[0] == "1", arguments[1:split], arguments[split + 1 :]
    path = ctypes.create_string_buffer(os.fsencode(command[0]))
    limit_resources()
    if sys.platform == "linux":
        # Root gives up being root, unless what Node must read is readable for root alone (a project in /root).
        dropping = os.geteuid() == 0 and all(readable_by_all(one) for one in readable)
        namespace = close_network(keep_user=dropping)
        if dropping:
            become_nobody()
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        close_files(readable)
        filtered = close_system_calls(path)
        closed = namespace or filtered
    else:
        closed = False
    if not closed and not open_network:
        os.write(2, b"network-not-closed")
        os._exit(EXIT_NOT_CLOSED)
    words = (ctypes.c_char_p * (len(command) + 1))(*[os.fsencode(word) for word in command], None)
    libc.execve(path, words, (ctypes.c_char_p * 1)(None))
    os.write(2, b"exec failed: " + os.strerror(ctypes.get_errno()).encode())
    os._exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
