"""For whom the request that is being answered here and now is made: a person, or nobody but a machine user.

It is set at the door, in the task of one request, and seen by the built-in services that this task runs. Nobody
can set it by what a request says: `zato.server.people.checkpoint` finds it by the token of a session.
"""

from collections.abc import Awaitable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from zato.core.errors import BadRequest
from zato.core.people import Role

__all__ = ["Person", "acting", "acting_person", "for_nobody"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who acts, by an open session.

    Attributes:
        client: the address that this request came from, as the web admin says.
        key: under which the session is kept.
        opened: when the session began, as `expires`, in Unix milliseconds.
        since: the address at which it was opened.
    """

    name: str
    role: Role
    client: str
    key: str
    opened: int
    expires: int
    since: str


acting: ContextVar[Person | None] = ContextVar("acting", default=None)


def acting_person() -> Person:
    """Return the person for whom this request is made.

    Raises:
        BadRequest: it is made for nobody.
    """
    person = acting.get()
    if person is None:
        raise BadRequest("This is about the person whose session it is: send its token in the header X-Zato-Session.")
    return person


async def for_nobody(running: Awaitable[Result]) -> Result:
    """Return what something returns that acts for nobody, as a service of a user does, whoever invokes it."""
    token = acting.set(None)
    try:
        return await running
    finally:
        acting.reset(token)
