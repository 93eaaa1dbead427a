"""What services write down when they start, so that it is known even if their process dies in the next moment."""

import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

from zato.server.service import AsyncService, Service

__all__ = ["begin"]


def begin(service: Service | AsyncService, folder: Path) -> dict[str, Any]:
    """Append a line to the journal, in one write that no kill can tear, and return the response to be given."""
    run = {"cid": service.cid, "run": secrets.token_hex(8), "pid": os.getpid()}
    told = {"reply": service.request.payload} if service.in_reply_to else {}
    line = {**run, **told, "service": service.name, "at": time.monotonic(), "in_reply_to": service.in_reply_to}
    handle = os.open(folder / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"{json.dumps(line)}\n".encode())
    finally:
        os.close(handle)
    return run
