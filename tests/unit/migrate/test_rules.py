"""The rules are true: what they call missing is not here, and what they call here is."""

import importlib

import pytest

from zato.core.absent import ABSENT
from zato.core.elements.declared import OPTIONS
from zato.migrate import python_rules, rules, surface
from zato.migrate.findings import Rule
from zato.server import service
from zato.server.service import AsyncService, Service

TABLES = {
    name: table
    for module in (rules, python_rules)
    for name, table in vars(module).items()
    if isinstance(table, dict) and all(isinstance(rule, Rule) for rule in table.values())
}


@pytest.mark.parametrize("table", TABLES)
def test_every_rule_says_what_to_do(table: str) -> None:
    """A remedy is one sentence or more."""
    assert [
        what for what, rule in TABLES[table].items() if not (rule.remedy[0].isupper() and rule.remedy[-1] == ".")
    ] == []


def test_missing_attributes_are_missing() -> None:
    """A service has none of the attributes that the check says are not here."""
    here = [name for name, rule in rules.ATTRIBUTES.items() if rule.severity == "missing" and hasattr(Service, name)]
    assert here == []


def test_changed_attributes_are_here() -> None:
    """What is said to work otherwise does work."""
    changed = {name.partition(".")[0] for name, rule in rules.ATTRIBUTES.items() if rule.severity == "changed"}
    assert [name for name in changed if not hasattr(Service, name)] == []


@pytest.mark.parametrize("module", ABSENT)
def test_absent_names_say_what_they_were_for(module: str) -> None:
    """Each is refused with its purpose, what to use instead, and the page, by a module that is here."""
    for name, absent in ABSENT[module].items():
        with pytest.raises(ImportError) as refused:
            getattr(importlib.import_module(module), name)
        assert str(refused.value).startswith(f"{name!r} of {module} is not here. It was for {absent.purpose}. ")
        assert str(refused.value).endswith(" See docs/howto/move-from-zato.md.")


def test_unknown_name_is_an_ordinary_error() -> None:
    """Whoever asks whether a module has a name gets an answer."""
    assert not hasattr(importlib.import_module("zato.common.api"), "NOPE")


@pytest.mark.parametrize("module", rules.MODULES)
def test_missing_modules_are_missing(module: str) -> None:
    """A module that the check calls missing cannot be imported, or is another one of that name, without its names."""
    names = surface.names_in(module)
    assert not names or module in ("zato.broker", "zato.web_admin")


def test_surface_is_what_is_imported() -> None:
    """What is read from the files is what a program finds."""
    assert surface.names_in("zato.server.service") >= set(service.__all__)  # type: ignore[operator]
    assert [name for name in surface.names_in("zato.common.typing_") or () if not name] == []
    assert surface.names_in("zato.nowhere") is surface.names_in("json") is None


def test_attributes_of_a_service_are_what_it_has() -> None:
    """Every public attribute of both kinds is known, and none besides, but for what an instance is given."""
    known = surface.attributes_of_a_service()
    here = {name for kind in (Service, AsyncService) for name in dir(kind) if not name.startswith("_")}

    assert here <= known
    assert {
        name for name in known - here if not any(name in base.__annotations__ for base in Service.__mro__[:-1])
    } == set()


@pytest.mark.parametrize(("name", "place"), rules.OBJECTS.items())
def test_objects_of_self_are_here(name: str, place: tuple[str, str]) -> None:
    """Each object has the members that its class has."""
    module, kind = place
    here = {member for member in dir(getattr(importlib.import_module(module), kind)) if not member.startswith("_")}

    assert here <= surface.members_of(*place)
    assert surface.members_of(*place)


def test_builtin_services_are_known() -> None:
    """The names of built-in services are found where they are written."""
    assert {"zato.ping", "zato.helpers.echo", "zato.service.invoke"} <= surface.builtin_services()


def test_options_of_simple_io_are_those_that_are_read() -> None:
    """What the check lets pass has an effect, and nothing else has."""
    assert surface.options_of_simple_io() == {*OPTIONS}
