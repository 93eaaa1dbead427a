"""The state machine, or a test of the contract, notices a broker that does one thing wrong.

Of the faults that the state machine is to notice, those are tried here that few stories show; with `STORIES=1000` in
the environment, which is also how many stories each of them has to be noticed in, it is all of them.
"""

import os
from pathlib import Path

import pytest

from tests.contract import kept_faults
from tests.contract.noticing import noticed_by
from tests.contract.seeded_faults import FAULTS, Fault, Misheard, first_noticed
from tests.contract.stores import SQLiteStore

STORIES = int(os.environ.get("STORIES", "0"))
# Of so few none is made small, as the first ones of many are, which show little.
FEW_STORIES = 9
BEGINNINGS = 30

# Faults that few stories show, and the beginning of those that show each of them soonest.
QUICK = {
    "follow-ups are lost": 1,
    "who holds no token ends calls": 4,
    "a delay is forgotten at once": 1,
    "a key is forgotten": 1,
    "a lease that ended is no take-over": 1,
    "a lease ends late": 1,
    "what is ready starts before its time": 1,
    "what is held is leased again": 1,
    "what is ready comes in no order of priority": 1,
    "leases are no reason to wake up": 1,
    "the attempts are not recorded": 1,
    "failures come newest first": 4,
    "many calls are none": 1,
    "limits are not kept": 2,
    "what waits is not paused": 3,
}


@pytest.mark.timeout(600)
@pytest.mark.no_cover
@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if STORIES or fault.name in QUICK], ids=lambda fault: fault.name
)
def test_fault_is_noticed(fault: Fault | Misheard, memory_path: Path) -> None:
    """No broker with this fault tells every story as the model does."""
    store = SQLiteStore(memory_path)
    with fault.put_in():
        if STORIES:
            noticed = first_noticed(store, stories=STORIES)
        else:
            told = (
                first_noticed(store, stories=FEW_STORIES, beginning=beginning)
                for beginning in (QUICK[fault.name], *range(BEGINNINGS))
            )
            noticed = next(filter(None, told), None)

    print(f"{fault.name}: {noticed}")
    assert noticed is not None


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.no_cover
@pytest.mark.parametrize("fault", kept_faults.OF_STATEMENTS, ids=lambda fault: fault.name)
def test_fault_is_noticed_by_the_contract(fault: Fault, memory_path: Path) -> None:
    """No broker with this fault does what the words say."""
    assert fault.seen_by is not None
    with fault.put_in():
        noticed = noticed_by(fault.seen_by, SQLiteStore(memory_path))

    print(f"{fault.name}: {noticed}")
    assert noticed is not None
