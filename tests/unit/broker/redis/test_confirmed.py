"""Which changes wait until replicas have them, where the settings want it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from tests.contract.calls import DEPLOYED, HOLDER, ask
from zato.broker.audit import Note, Notes
from zato.broker.base import Announce, Backend, Operation
from zato.broker.clock import SystemClock
from zato.broker.documents import Browse, Fetch, Forget, ForgetAll, Keep, PurgeKept
from zato.broker.open import Location, open_client
from zato.broker.redis import wire
from zato.broker.redis.backend import RedisBackend
from zato.core.audit import AuditEntry

KEEP = Keep("user", "anna", b"1")
CHANGES = (KEEP, Forget("user", "anna"), ForgetAll("user", ""), Note(AuditEntry(time=1, user="anna", action="a")))
OTHERS = (Fetch("user", "anna"), Browse("user"), Notes(), PurgeKept(60))


@pytest.fixture
def backend(location: Location, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """A backend that waits for a replica that is not there, and not for long."""
    monkeypatch.setattr(wire, "CONFIRMED_WITHIN", 1)
    with closing(RedisBackend(replace(location, replicas=1), SystemClock())) as opened:
        ask(opened, Announce(DEPLOYED, server=HOLDER.server))
        yield opened


def _waits(location: Location) -> int:
    """Return how often anybody has waited for replicas."""
    with closing(open_client(location)) as client:
        return int(client.info("commandstats").get("cmdstat_wait", {"calls": 0})["calls"])


@pytest.mark.parametrize(
    ("operations", "waits"), [pytest.param(CHANGES, 1, id="changes"), pytest.param(OTHERS, 0, id="others")]
)
def test_documents_and_the_audit_wait_for_replicas(
    backend: Backend, location: Location, operations: tuple[Operation[object], ...], waits: int
) -> None:
    """Each change does, and is not refused where none confirms; nothing else does."""
    waited = []
    for operation in operations:
        before = _waits(location)
        (result,) = backend.apply([operation]).results
        waited.append((_waits(location) - before, isinstance(result, Exception)))

    assert waited == [(waits, False)] * len(operations)
