"""Python's garbage collector is off while large inputs are read, and as before afterwards."""

import gc
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from zato.server.collector import without_collecting


@pytest.fixture(autouse=True)
def on() -> Iterator[None]:
    """The collector is on before and after each test."""
    gc.enable()
    yield
    gc.enable()


def is_on(_: object) -> bool:
    """Tell whether the collector is on."""
    return gc.isenabled()


def fail(_: object) -> bool:
    """Raise."""
    raise ValueError


def test_it_is_off_meanwhile() -> None:
    """It is off inside, and on again outside."""
    assert (without_collecting(is_on, None), gc.isenabled()) == (False, True)


def test_it_comes_back_after_an_error() -> None:
    """An input that cannot be read changes nothing."""
    with pytest.raises(ValueError, match=r"^$"):
        without_collecting(fail, None)

    assert gc.isenabled()


def test_it_stays_off_for_the_last_of_several() -> None:
    """Of two that read at the same time the one that ends first does not disturb the other."""
    inside, gate = threading.Event(), threading.Event()

    def slow(_: object) -> bool:
        inside.set()
        gate.wait(30)
        return gc.isenabled()

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(without_collecting, slow, None)
        inside.wait(30)
        without_collecting(is_on, None)
        between = gc.isenabled()
        gate.set()
        assert (between, reading.result(30), gc.isenabled()) == (False, False, True)


def test_it_stays_off_where_it_was() -> None:
    """A process that has switched it off for good keeps it off."""
    gc.disable()

    assert (without_collecting(is_on, None), gc.isenabled()) == (False, False)
