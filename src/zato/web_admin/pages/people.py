"""Who may log in: listing people, adding one, and changing a role or a password."""

import secrets
from typing import Any

from starlette.responses import Response

from zato.web_admin.errors import BadAddress, Refused
from zato.web_admin.page import page
from zato.web_admin.rendering import segment
from zato.web_admin.visit import ROLES, Visit

__all__ = ["routes"]

PEOPLE = "/people"
# Bytes of a random password; in text it is 22 characters long.
RANDOM = 16


def show(visit: Visit) -> Response:
    """Show the list, and the form that adds somebody."""
    return _listed(visit)


def create(visit: Visit) -> Response:
    """Add a person, and show a password that was made for them this once."""
    role, password = visit.form.get("role", ""), visit.form.get("password", "")
    given = password or _random()
    try:
        asked = {"name": visit.form.get("name", ""), "password": given, "role": role}
        name = visit.ask("zato.user.create", asked)["name"]
    except Refused as error:
        return _listed(visit, error=error)
    said = f"{name} may log in, as {role}."
    return visit.redirect(PEOPLE, notice=said) if password else _told(visit, name, given, said)


def one(visit: Visit) -> Response:
    """Show one person, and what may be changed of them."""
    return _one(visit, visit.request.path_params["name"])


def set_role(visit: Visit) -> Response:
    """Give a person another role."""
    name, role = _name(visit), visit.form.get("role", "")
    try:
        visit.ask("zato.user.set-role", {"name": name, "role": role})
    except Refused as error:
        return _one(visit, name, error=error)
    return visit.redirect(_path(name), notice=f"{name} is {role} now, and has to log in again.")


def set_password(visit: Visit) -> Response:
    """Give a person another password, and show one that was made for them this once."""
    name, password = _name(visit), visit.form.get("password", "")
    given = password or _random()
    try:
        visit.ask("zato.user.set-password", {"name": name, "password": given})
    except Refused as error:
        return _one(visit, name, error=error)
    said = f"{name} has another password, and has to log in again."
    return visit.redirect(_path(name), notice=said) if password else _told(visit, name, given, said)


def delete(visit: Visit) -> Response:
    """Delete a person."""
    name = _name(visit)
    try:
        visit.ask("zato.user.delete", {"name": name})
    except Refused as error:
        return _one(visit, name, error=error)
    return visit.redirect(PEOPLE, notice=f"{name} is deleted, and logged out.")


def _listed(visit: Visit, *, error: Refused | None = None) -> Response:
    people = visit.ask("zato.user.get-list")["items"]
    status = 200 if error is None else error.http_status
    return visit.render("people.html", status=status, people=people, roles=ROLES, error=error)


def _one(visit: Visit, name: str, *, error: Refused | None = None) -> Response:
    people: list[dict[str, Any]] = visit.ask("zato.user.get-list")["items"]
    person = next((person for person in people if person["name"] == name.lower()), None)
    if person is None:
        raise error or Refused(f"Nobody is called {name!r}. See the page People.", status=404)
    status = 200 if error is None else error.http_status
    return visit.render("person.html", status=status, person=person, roles=ROLES, error=error)


def _told(visit: Visit, name: str, password: str, said: str) -> Response:
    """Show a password once. It is in no address and no cookie, and the page is not kept by the browser."""
    return visit.render("password.html", name=name, password=password, said=said)


def _name(visit: Visit) -> str:
    if name := visit.form.get("name", ""):
        return name
    raise BadAddress("Nobody is named. Go back to the page People, and choose somebody there.")


def _path(name: str) -> str:
    return f"{PEOPLE}/{segment(name)}"


def _random() -> str:
    return secrets.token_urlsafe(RANDOM)


routes = [
    page(PEOPLE, show),
    page(PEOPLE, create, methods=["POST"]),
    page("/people/role", set_role, methods=["POST"]),
    page("/people/password", set_password, methods=["POST"]),
    page("/people/delete", delete, methods=["POST"]),
    page("/people/{name:path}", one),
]
