"""Services whose calls take their time, or several attempts."""

import time

from zato.server.service import Retry, Service


class Slow(Service):
    """Works until it is cancelled."""

    name = "course.slow"

    def handle(self) -> None:
        while not self.cancelled:
            time.sleep(0.01)


class Flaky(Service):
    """Fails every time, and is tried twice."""

    name = "course.flaky"
    retry = Retry(attempts=2, backoff=0.05, jitter=0.0)

    def handle(self) -> None:
        raise KeyError("tea")
