"""The state machine notices a broker that does one thing wrong.

A part of the faults is tried here, those that few stories show; with `STORIES=1000` in the environment,
which is also how many stories each of them has to be noticed in, it is all of them.
"""

import os
from pathlib import Path

import pytest

from tests.contract.seeded_faults import FAULTS, Fault, Misheard, first_noticed
from tests.contract.stores import SQLiteStore

STORIES = int(os.environ.get("STORIES", "0"))
FEW_STORIES = 300

QUICK = {
    "follow-ups are lost",
    "who holds no token ends calls",
    "a delay is forgotten at once",
    "a key is forgotten",
    "a lease that ended is no take-over",
    "a lease ends late",
    "what is ready starts before its time",
    "what is held is leased again",
    "what is ready comes in no order of priority",
    "leases are no reason to wake up",
    "the attempts are not recorded",
    "failures come newest first",
    "many calls are none",
    "limits are not kept",
    "what waits is not paused",
}


@pytest.mark.timeout(600)
@pytest.mark.no_cover
@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if STORIES or fault.name in QUICK], ids=lambda fault: fault.name
)
def test_fault_is_noticed(fault: Fault | Misheard, memory_path: Path) -> None:
    """No broker with this fault tells every story as the model does."""
    with fault.put_in():
        noticed = first_noticed(SQLiteStore(memory_path), stories=STORIES or FEW_STORIES)

    print(f"{fault.name}: {noticed}")
    assert noticed is not None
