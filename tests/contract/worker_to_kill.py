"""A program that accepts, leases and finishes calls, each with a follow-up, and says so, until it is killed.

Arguments: the settings `broker` and `cluster`, and between them the data folder.
"""

import itertools
import sys
from pathlib import Path

from zato.broker.base import Accept, Announce, Finish, Lease
from zato.broker.clock import SystemClock
from zato.broker.open import Location, open_backend
from zato.core.invocation import Holder, Invocation, Lane, Outcome, Status

TOKEN = b"to-kill!"


def run(broker: str, folder: Path, cluster: str) -> None:
    """Do it for ever."""
    backend = open_backend(Location(broker, folder, cluster), SystemClock())
    backend.apply([Announce({"crm.sync": Lane.THREAD}, server="server1")])
    for number in itertools.count(1):
        call = Invocation(id=f"{number:026}", cid="abc", service="crm.sync", payload=b"1", created=1)
        backend.apply([Accept(call)])
        print("accepted", call.id, flush=True)

        backend.apply([Lease(holder=Holder("server1"), limits={Lane.THREAD: 1}, token=TOKEN, seconds=15)])
        answer = Invocation(id=f"f{number:025}", cid="def", service="crm.answer", payload=b"1", created=1)
        backend.apply([Finish(call.id, TOKEN, Outcome(status=Status.DONE, ended=1), (answer,))])
        print("finished", call.id, flush=True)


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
