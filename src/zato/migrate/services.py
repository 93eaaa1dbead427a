"""Which classes of a folder are services, and what each is deployed under here."""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from zato.core.errors import InvalidName
from zato.core.names import check_name, is_reserved, service_name
from zato.migrate.findings import Finding, Service
from zato.migrate.modules import Class, Module, dotted
from zato.migrate.rules import METHODS, USES
from zato.migrate.surface import options_of_simple_io

__all__ = ["Family", "is_handler", "name_findings"]

ROOTS = frozenset(
    f"zato.server.service.{name}" for name in ("Service", "AsyncService", "ServiceBase", "internal.AdminService")
)
ADMIN = "zato.server.service.internal.AdminService"
ASYNC = "zato.server.service.AsyncService"
DOORS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Methods by which a class has attributes that stand nowhere.
ANSWERS_ANY = frozenset({"__getattr__", "__getattribute__", "__init_subclass__"})
# Modules whose classes are no services, whatever method they have.
FOREIGN = sys.stdlib_module_names | {"BaseHTTPServer", "SocketServer", "django"}


def is_handler(name: str) -> bool:
    """Tell whether a method of a service does its work."""
    return name == "handle" or (name.startswith("handle_") and name.removeprefix("handle_") in DOORS)


@dataclass
class Family:
    """Every class of the files that are checked, by which a service's bases are found.

    Attributes:
        set_somewhere: every attribute that something in the files may give to an object.
    """

    by_name: dict[str, list[tuple[Module, Class]]]
    set_somewhere: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, modules: Iterable[Module]) -> "Family":
        """Take the classes of some files."""
        family = cls({})
        for module in modules:
            family.set_somewhere |= module.set_somewhere
            for found in module.classes:
                family.by_name.setdefault(found.name, []).append((module, found))
        return family

    def services_of(self, module: Module) -> Iterator[Class]:
        """Yield the classes of a file that are services, or what services are made of."""
        return (found for found in module.classes if self._is_service(module, found))

    def deployed(self, module: Module) -> Iterator[tuple[Class, Service]]:
        """Yield the services of a file that have something to do, with their names here."""
        for found in self.services_of(module):
            lineage = list(self.lineage(module, found))
            if any(is_handler(method.name) for _, above in lineage for method in above.methods):
                yield found, Service(_name_of(module, found), found.name, found.node.lineno)

    def lineage(self, module: Module, found: Class) -> Iterator[tuple[Module, Class]]:
        """Yield a class and those of the files that it inherits from, each once."""
        waiting, seen = [(module, found)], set()
        while waiting:
            place, current = waiting.pop(0)
            if current.node not in seen:
                seen.add(current.node)
                yield place, current
                waiting += [above for base in current.bases for above in self._above(place, base)]

    def bound_by(self, module: Module, found: Class) -> set[str]:
        """Return the attributes that a class and those it inherits from have of their own."""
        return {name for _, above in self.lineage(module, found) for name in above.binds()}

    def is_closed(self, module: Module, found: Class) -> bool:
        """Tell whether a class has no attribute but those that stand in the files, and those of services."""
        lineage = [above for _, above in self.lineage(module, found)]
        is_open = any(above.node.decorator_list or above.node.keywords for above in lineage)
        answers = {method.name for above in lineage for method in above.methods} & ANSWERS_ANY
        return self.roots(module, found) <= ROOTS | {"object"} and not (is_open or answers)

    def roots(self, module: Module, found: Class) -> set[str]:
        """Return the bases that stand in none of the files, in full."""
        return {
            base for place, above in self.lineage(module, found) for base in above.bases if not self._above(place, base)
        }

    def _above(self, module: Module, base: str) -> list[tuple[Module, Class]]:
        """Return the class that a base stands for: one of the same file, or of one that it is imported from."""
        *start, name = base.split(".")
        found = self.by_name.get(name, [])
        if not start:
            return [(place, known) for place, known in found if place is module]
        if start[0] == "zato":
            return []
        stem = start[-1] or module.file.parent.name
        return [(place, known) for place, known in found if stem in (place.file.stem, place.file.parent.name)]

    def _is_service(self, module: Module, found: Class) -> bool:
        """Tell whether a class is a service, or looks like one whose bases are in files that are not here."""
        roots = self.roots(module, found)
        if roots & ROOTS:
            return True
        strangers = {root for root in roots if "." in root and root.partition(".")[0] not in FOREIGN}
        return bool(strangers) and any(is_handler(method.name) for method in found.methods)


def _name_of(module: Module, found: Class) -> str:
    given = found.value_of("name")
    if given is None or (isinstance(given, ast.Constant) and given.value in ("", None)):
        return service_name(module.file.stem, found.name)
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else ""


def name_findings(module: Module, family: Family, taken: dict[str, str]) -> Iterator[Finding]:
    """Yield what keeps the services of a file from being deployed as they were.

    Args:
        module: the file.
        family: the classes of all files.
        taken: the names that services of other files have; those of this one are added.
    """
    for found, service in family.deployed(module):
        line = service.line
        what = f"{found.name}, named {service.name!r}" if service.name else found.name
        if not module.is_top:
            yield USES["service in a folder below"].at(line, f"{found.name} in a folder below")
        if service.name and not _is_legal(service.name):
            yield USES["name that is not legal"].at(line, what)
        elif is_reserved(service.name):
            yield USES["name that starts with zato"].at(line, what)
        elif service.name in taken:
            yield USES["name that two services have"].at(line, f"{what}, as is {taken[service.name]}")
        if service.name:
            taken.setdefault(service.name, f"{found.name} in {module.file.name}")
        if ADMIN in family.roots(module, found):
            yield USES["AdminService as a base"].at(line, "AdminService as a base")
        yield from _class_findings(found, is_async=ASYNC in family.roots(module, found))


def _class_findings(found: Class, *, is_async: bool) -> Iterator[Finding]:
    """Yield what a class says of itself that means something else here, or nothing."""
    schema = found.value_of("schema")
    if isinstance(schema, ast.Constant) and isinstance(schema.value, str):
        yield USES["schema"].at(schema.lineno, "schema")
    yield from _simple_io_findings(found)
    for method in found.methods:
        if method.name in METHODS:
            yield METHODS[method.name].at(method.lineno, f"def {method.name}")
        if method.name == "handle" and isinstance(method, ast.AsyncFunctionDef) and not is_async:
            yield USES["async def handle of a Service"].at(method.lineno, "async def handle of a Service")


def _simple_io_findings(found: Class) -> Iterator[Finding]:
    """Yield what a service's SimpleIO sets that has no effect."""
    declared = [node for node in found.node.body if isinstance(node, ast.ClassDef) and node.name == "SimpleIO"]
    for node in (statement for simple in declared for statement in simple.body if isinstance(statement, ast.Assign)):
        for name in map(dotted, node.targets):
            if not name.startswith("_") and name not in options_of_simple_io():
                yield USES["option of SimpleIO"].at(node.lineno, f"SimpleIO.{name}")


def _is_legal(name: str) -> bool:
    try:
        check_name(name)
    except InvalidName:
        return False
    return True
