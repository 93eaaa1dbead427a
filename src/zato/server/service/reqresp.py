"""The older import path of what a service is invoked with, and of what it answers."""

from zato.core.exchange import Request, Response

__all__ = ["Request", "Response"]
