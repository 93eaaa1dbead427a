"""Which role each built-in service needs, and whether a person may make a call.

The rules for calls, whichever way they are asked for:

* A service that is not built in needs an operator.
* A built-in needs what the table says; one that is not in the table needs an admin.
* In the background, and as a call-back, a built-in needs an admin, unless an operator may run it for a test.
"""

from collections.abc import Iterable, Mapping

from zato.core.errors import Forbidden
from zato.core.names import is_reserved
from zato.core.people import Role
from zato.server.people.acting import Person

__all__ = ["INDIRECT", "INDIRECT_MANY", "NEEDED", "READING", "is_for_trying", "is_reading", "permit", "role_needed"]

VIEWER, OPERATOR, ADMIN = Role.VIEWER, Role.OPERATOR, Role.ADMIN

NEEDED: Mapping[str, Role] = {
    "zato.audit.get-list": ADMIN,
    "zato.cluster.get-servers": VIEWER,
    "zato.helpers.echo": OPERATOR,
    "zato.helpers.input-logger": OPERATOR,
    "zato.invocation.cancel": OPERATOR,
    "zato.invocation.count": VIEWER,
    "zato.invocation.get": VIEWER,
    "zato.invocation.get-list": VIEWER,
    "zato.invocation.get-tree": VIEWER,
    "zato.invocation.replay": OPERATOR,
    "zato.log.get-levels": VIEWER,
    "zato.log.set-level": ADMIN,
    "zato.ping": OPERATOR,
    "zato.queue.get-list": VIEWER,
    "zato.queue.pause": OPERATOR,
    "zato.queue.resume": OPERATOR,
    "zato.server.drain": OPERATOR,
    "zato.server.info": VIEWER,
    "zato.service.check-input": OPERATOR,
    "zato.service.get": VIEWER,
    "zato.service.get-list": VIEWER,
    "zato.service.get-source": VIEWER,
    # What these two are asked to invoke is looked at as well.
    "zato.service.invoke": OPERATOR,
    "zato.service.invoke-async-many": OPERATOR,
    "zato.session.close": VIEWER,
    "zato.session.get": VIEWER,
    "zato.session.get-call": VIEWER,
    "zato.session.get-calls": VIEWER,
    "zato.session.open": VIEWER,
    "zato.user.create": ADMIN,
    "zato.user.delete": ADMIN,
    "zato.user.get-list": ADMIN,
    # Their own; the service itself asks an admin's role for another person's.
    "zato.user.set-password": VIEWER,
    "zato.user.set-role": ADMIN,
}

# What invokes others.
INDIRECT = "zato.service.invoke"
INDIRECT_MANY = "zato.service.invoke-async-many"

# What changes nothing, and leaves no entry in the audit. `zato.session.open` writes its own.
READING = frozenset(
    {
        "zato.audit.get-list",
        "zato.cluster.get-servers",
        "zato.invocation.count",
        "zato.invocation.get",
        "zato.invocation.get-list",
        "zato.invocation.get-tree",
        "zato.log.get-levels",
        "zato.queue.get-list",
        "zato.server.info",
        "zato.service.check-input",
        "zato.service.get",
        "zato.service.get-list",
        "zato.service.get-source",
        "zato.session.get",
        "zato.session.get-call",
        "zato.session.get-calls",
        "zato.session.open",
        "zato.user.get-list",
    }
)


def is_reading(service: str) -> bool:
    """Tell whether a service changes nothing."""
    return service in READING


def is_for_trying(service: str) -> bool:
    """Tell whether a built-in is there to be invoked as users' services are."""
    return service == "zato.ping" or service.startswith("zato.helpers.")


def role_needed(service: str, *, in_background: bool = False) -> Role:
    """Return the least role that may invoke a service."""
    if not is_reserved(service):
        return OPERATOR
    if in_background and not is_for_trying(service):
        return ADMIN
    return NEEDED.get(service, ADMIN)


def permit(person: Person | None, service: str, *, in_background: bool = False, call_backs: Iterable[str] = ()) -> None:
    """Return if a person may make this call. A machine user may make any.

    Args:
        person: for whom it is made, or None for a machine user.
        service: its name, not that of its implementation.
        in_background: whether the call is stored, and run by nobody in particular.
        call_backs: names of the services that the call's outcome is sent to.

    Raises:
        Forbidden: the role does not suffice.
    """
    if person is None:
        return
    _require(person, service, in_background=in_background)
    for name in call_backs:
        _require(person, name, in_background=True)


def _require(person: Person, service: str, *, in_background: bool) -> None:
    needed = role_needed(service, in_background=in_background)
    if not person.role.covers(needed):
        how = " in the background" if in_background else ""
        raise Forbidden(
            f"{person.name!r} is {_with_article(person.role)} and may not invoke {service!r}{how}: that takes "
            f"{_with_article(needed)}."
        )


def _with_article(role: Role) -> str:
    return f"a {role}" if role is VIEWER else f"an {role}"
