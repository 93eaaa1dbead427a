"""openzato: services as Python classes, run now or in the background. See `zato.server.service`."""

__all__ = ["__version__"]

__version__ = "0.1.0"
