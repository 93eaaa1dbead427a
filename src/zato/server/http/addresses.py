"""The addresses of a server: what answers at each, to which methods, and for whom. The reference page shows them."""

from dataclasses import dataclass

from zato.core.envelope import ADMIN_INVOKE, ADMIN_USER, API_USER
from zato.server.http.api import API_INVOKE, API_VERBS

__all__ = ["API_ADDRESS", "DOORS", "LIVE", "PING", "READY", "Door"]

PING = "/zato/ping"
LIVE = "/zato/live"
READY = "/zato/ready"
API_ADDRESS = f"{API_INVOKE}{{service}}"


@dataclass(frozen=True, slots=True)
class Door:
    """One address.

    Attributes:
        address: of `{service}`, any name may stand there.
        user: who may ask, or an empty text for everybody.
        what: what it does, in a few words.
    """

    address: str
    methods: tuple[str, ...]
    user: str
    what: str


DOORS = (
    Door(ADMIN_INVOKE, ("POST",), ADMIN_USER, "invokes any service, now or in the background"),
    Door(API_ADDRESS, API_VERBS, API_USER, "invokes a service with plain JSON"),
    Door(PING, ("GET", "POST"), "", '`{"pong": "zato", "zato_env": {...}}`'),
    Door(LIVE, ("GET",), "", "200 while the process runs"),
    Door(READY, ("GET",), "", "200 if requests should be sent here, else 503 with the reason"),
)
