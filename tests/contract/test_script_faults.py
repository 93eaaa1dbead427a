"""Somebody notices a cluster whose scripts do one thing wrong.

Faults that a test of the contract notices are all tried here. Those that only the state machine notices are tried with
`STORIES=1000` in the environment, which is also how many stories each of them has to be noticed in.
"""

import os
from pathlib import Path

import pytest

from tests.contract import kept_faults
from tests.contract.noticing import noticed_by
from tests.contract.script_faults import FAULTS, MisheardQuestion, ScriptFault
from tests.contract.seeded_faults import first_noticed
from tests.contract.stores import RedisStore

STORIES = int(os.environ.get("STORIES", "0"))


@pytest.mark.timeout(600)
# A test that fails leaves open what it has opened, and that is found when it is collected.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.no_cover
@pytest.mark.parametrize(
    "fault",
    [fault for fault in (*FAULTS, *kept_faults.OF_SCRIPTS) if STORIES or fault.seen_by],
    ids=lambda fault: fault.name,
)
def test_fault_is_noticed(fault: ScriptFault | MisheardQuestion, memory_path: Path) -> None:
    """No cluster with this fault does what the words say."""
    store = RedisStore(memory_path)
    with fault.put_in():
        test = fault.seen_by
        noticed = first_noticed(store, stories=STORIES) if test is None else noticed_by(test, store)

    print(f"{fault.name}: {noticed}")
    assert noticed is not None
