"""The older import path of what the server's own services are made of."""

from zato.core.absent import say_what_is_absent
from zato.server.service.blocking import Service

__all__ = ["AdminService"]


class AdminService(Service):
    """A service like any other one. The name is here for files that import it; it gives no rights of its own."""


say_what_is_absent(__name__)
