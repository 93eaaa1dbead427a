"""Chance and time."""

import threading
import time

from zato.core.cid import check_cid
from zato.server.identity import new_cid, new_invocation_id, new_token, now_ms


def test_cids_differ() -> None:
    """A thousand calls have a thousand CIDs, all of them legal."""
    assert len({check_cid(new_cid()) for _ in range(1000)}) == 1000


def test_invocation_ids_sort_by_time() -> None:
    """A later call has a greater id, and two of one moment differ."""
    early, late = new_invocation_id(1), new_invocation_id(2)
    assert early < late
    assert len({new_invocation_id(1) for _ in range(1000)}) == 1000


def test_tokens_differ() -> None:
    """No two deliveries can be taken for each other."""
    assert len({new_token() for _ in range(1000)}) == 1000


def test_threads_share_no_chance() -> None:
    """What one thread was given no other gets."""
    given: list[bytes] = []
    threads = [threading.Thread(target=lambda: given.extend(new_token() for _ in range(2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(given)) == 8000


def test_now_is_unix_time_in_milliseconds() -> None:
    """The clock is that of the system."""
    before = time.time()
    now = now_ms()
    assert int(before * 1000) <= now <= time.time() * 1000
