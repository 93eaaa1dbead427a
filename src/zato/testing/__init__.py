"""What users test their services with: the real parts of a server, in memory, without a process, a port or a file.

`Zato` runs services, `ServiceTestCase` is for tests in the style of unittest, and pytest has a fixture called `zato`
(see `zato.pytest_plugin`). `docs/howto/test-services.md` shows how.
"""

from zato.testing.answers import Answer
from zato.testing.case import ServiceTestCase
from zato.testing.clock import Clock
from zato.testing.kit import Zato
from zato.testing.records import BackgroundCall
from zato.testing.watching import Invoked

__all__ = ["Answer", "BackgroundCall", "Clock", "Invoked", "ServiceTestCase", "Zato"]
