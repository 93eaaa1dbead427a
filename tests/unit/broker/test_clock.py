"""The clocks of this machine."""

import time

from tests.support.subprocesses import run_python
from zato.broker.clock import SystemClock

PRINT_BOOT = "from zato.broker.clock import SystemClock; print(SystemClock().boot(), SystemClock().boot_id())"
WITHOUT_BOOT_CLOCK = """
import time
if hasattr(time, "CLOCK_BOOTTIME"):
    del time.CLOCK_BOOTTIME
from zato.broker.clock import SystemClock
before, now, after = time.monotonic(), SystemClock().boot(), time.monotonic()
print(int(before * 1000) <= now <= after * 1000)
"""


def test_wall_clock_is_unix_time_in_milliseconds() -> None:
    """Delays and expiry are counted from 1970, as everywhere."""
    before, now, after = time.time(), SystemClock().wall(), time.time()

    assert int(before * 1000) <= now <= after * 1000


def test_boot_clock_goes_on_in_milliseconds() -> None:
    """What passes on the boot clock is what passes."""
    clock = SystemClock()
    start, before = clock.boot(), time.monotonic()
    while time.monotonic() < before + 0.02:
        pass

    assert clock.boot() - start >= 19


def test_processes_agree_about_the_boot_clock() -> None:
    """The end of a lease means the same to every process of the machine."""
    clock = SystemClock()
    before = clock.boot()
    other, *boot_id = run_python(PRINT_BOOT).split()

    assert before <= int(other) <= clock.boot()
    assert "".join(boot_id) == clock.boot_id()


def test_without_a_boot_clock_the_monotonic_one_stands_in() -> None:
    """Some systems have only that; nobody can set it either."""
    assert run_python(WITHOUT_BOOT_CLOCK).strip() == "True"
