"""What running processes use, and how they are ended."""

import contextlib
import resource
import subprocess
import time
from collections.abc import Callable, Iterable

import psutil

__all__ = ["children_cpu", "cpu", "end", "pss", "wait_for"]

MIB = 2**20


def tree(pids: Iterable[int]) -> list[psutil.Process]:
    """Return processes with all of their descendants."""
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(pid)
            found += [root, *root.children(recursive=True)]
    return found


def cpu(pids: Iterable[int]) -> float:
    """Return the seconds of CPU that process trees have used so far."""
    seconds = 0.0
    for process in tree(pids):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def children_cpu() -> float:
    """Return the seconds of CPU that ended children of this process have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def pss(pid: int) -> float:
    """Return the proportional memory of a process tree, in MiB."""
    return float(sum(process.memory_full_info().pss for process in tree([pid]))) / MIB


def end(process: "subprocess.Popen[bytes]", *, kindly: float = 5.0) -> None:
    """End a process and its descendants, by SIGTERM and then by SIGKILL."""
    family = tree([process.pid])
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(kindly)
    for member in psutil.wait_procs(family, timeout=0.5)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()


def wait_for(condition: Callable[[], bool], seconds: float, what: str, *, step: float = 0.005) -> float:
    """Return the monotonic time at which a condition was first seen to hold.

    Raises:
        TimeoutError: it did not come to hold.
    """
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(step)
    return time.monotonic()
