"""Makes one background call many times over, from threads: `python -m tests.support.keyed_client`.

It reads one line of JSON, and with the next line begins: every thread sends the call again until it is
accepted, whatever happens to the server meanwhile. It prints the CIDs that the threads were given.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.support.waiting import wait_until
from zato.client import AnyServiceInvoker, NetworkError

__all__ = ["main"]

PATIENCE = 40.0


def main() -> None:
    """Do as the module says."""
    order = json.loads(sys.stdin.readline())
    with ThreadPoolExecutor(order["threads"]) as pool:
        print("ready", flush=True)
        sys.stdin.readline()
        accepted = [pool.submit(_accepted, order) for _ in range(order["threads"])]
        print(json.dumps([each.result() for each in accepted]), flush=True)


def _accepted(order: dict[str, Any]) -> str:
    """Return the CID of the call."""
    auth = tuple(order["auth"])
    with AnyServiceInvoker(order["address"], "/zato/admin/invoke", auth, read_timeout=20) as client:
        return wait_until(lambda: _asked(client, order), PATIENCE)


def _asked(client: AnyServiceInvoker, order: dict[str, Any]) -> str:
    """Ask once, and return the CID, or nothing if the server is away."""
    try:
        reply = client.invoke_async(order["service"], order["payload"], headers={"Idempotency-Key": order["key"]})
    except NetworkError:
        return ""
    if reply.inner.status_code == 503:
        return ""
    assert reply.ok, reply.details
    return str(reply.data)


if __name__ == "__main__":
    main()
