"""What the load of a rolling restart calls: an answer, and work in the background that writes down that it ran."""

import os
import time
from pathlib import Path

from zato.server.service import Service


class Answer(Service):
    """Answers with what it was given, after a while."""

    name = "rolling.answer"

    def handle(self) -> None:
        time.sleep(0.02)
        self.response.payload = {"number": self.request.payload["number"]}


class Accept(Service):
    """Has work done later, and says under which CID."""

    name = "rolling.accept"

    def handle(self) -> None:
        cid = self.invoke_async("rolling.work", self.request.payload)
        self.response.payload = {"number": self.request.payload["number"], "accepted": cid}


class Work(Service):
    """Adds a line to a file that all servers share."""

    name = "rolling.work"

    def handle(self) -> None:
        time.sleep(0.02)
        line = f"{self.cid} {self.request.payload['number']}\n".encode()
        file = os.open(Path("RAN"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, line)
        finally:
            os.close(file)
