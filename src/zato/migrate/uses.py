"""What a file uses of the server: imports, attributes of `self`, calls. Some of it is here, some is not."""

import ast
from collections.abc import Collection, Iterable, Iterator

from zato.core.errors import hint_for
from zato.migrate.findings import Finding, Rule
from zato.migrate.modules import Class, Module, dotted, outermost_chains
from zato.migrate.rules import (
    ALIASES,
    ATTRIBUTES,
    BUILTIN,
    MODULES,
    NAMES,
    OBJECTS,
    UNKNOWN_MODULE,
    UNKNOWN_NAME,
    USES,
    unknown_constant,
    unknown_member,
)
from zato.migrate.services import Family, is_handler
from zato.migrate.surface import (
    attributes_of_a_service,
    bound_in,
    builtin_services,
    exists,
    members_of,
    names_in,
    options_of,
)

__all__ = ["findings_of", "works_of"]

PACKAGE = "zato"
CALLS = (".invoke", ".invoke_async")
ONE_PROCESS = ("pid", "all_pids")
# Modules that have classes of constants; the first is where they are written.
CONSTANTS = ("zato.common.api", "zato.common")


def findings_of(module: Module, family: Family) -> Iterator[Finding]:
    """Yield what a file uses that is not here, or is otherwise here."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in module.spared:
            yield from _import_findings(node)
            yield from _relative_findings(node, module)
        elif isinstance(node, ast.Call):
            yield from _call_findings(node)
    yield from _reached_findings(module)
    for found in family.services_of(module):
        yield from _attribute_findings(found, family.bound_by(module, found))
        if family.is_closed(module, found):
            yield from _stray_findings(found, family.set_somewhere)
        yield from _return_findings(found)
        yield from _format_findings(found)
        yield from _option_findings(found)


def works_of(module: Module, family: Family) -> Iterator[str]:
    """Yield what a file uses that is here: names it imports, attributes of `self`, built-in services."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and (known := names_in(node.module or "")):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.Call) and (name := _invoked(node)) in builtin_services():
            yield name
    for found in family.services_of(module):
        bound = family.bound_by(module, found)
        for chain, _ in outermost_chains(found.node):
            parts = chain.split(".")
            if parts[0] == "self" and parts[1] in attributes_of_a_service() - bound and _rule_of(parts[1:]) is None:
                yield ".".join(parts[: 3 if parts[1] in ("request", "response") else 2])


def _import_findings(node: ast.Import | ast.ImportFrom) -> Iterator[Finding]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if _is_ours(alias.name) and not exists(alias.name):
                yield _module_rule(alias.name).at(node.lineno, alias.name)
    elif node.level == 0 and _is_ours(node.module or ""):
        yield from _name_findings(node, node.module or "")


def _relative_findings(node: ast.Import | ast.ImportFrom, module: Module) -> Iterator[Finding]:
    """Yield imports by dots. Those of a folder below are left alone: it may be a package that services import."""
    if isinstance(node, ast.ImportFrom) and node.level and module.is_top:
        yield USES["relative import"].at(node.lineno, "relative import")


def _is_ours(module: str) -> bool:
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")


def _name_findings(node: ast.ImportFrom, module: str) -> Iterator[Finding]:
    known = names_in(module)
    if known is None:
        yield _module_rule(module).at(node.lineno, module)
        return
    for alias in node.names:
        if alias.name != "*" and not _is_there(module, alias.name, known):
            yield _name_rule(module, alias.name, known).at(alias.lineno, f"{module}.{alias.name}")


def _name_rule(module: str, name: str, known: Iterable[str]) -> Rule:
    """Return the rule of a name that a module of ours does not have."""
    hint = hint_for(name, known) or UNKNOWN_NAME.remedy
    unknown = Rule(UNKNOWN_NAME.severity, f"`{module}` has no such name here. {hint}")
    return NAMES.get(f"{module}.{name}") or _module_rule(f"{module}.{name}", unknown)


def _module_rule(module: str, otherwise: Rule = UNKNOWN_MODULE) -> Rule:
    """Return the rule of a module, or of the nearest one above it."""
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 1, -1))
    return next((MODULES[name] for name in names if name in MODULES), otherwise)


def _call_findings(node: ast.Call) -> Iterator[Finding]:
    """Yield what is said of calls of services: options that mean less, built-in services that are not here."""
    called = dotted(node.func)
    for keyword in node.keywords if called.endswith(CALLS) and not called.startswith("self.invoke") else ():
        if keyword.arg in ONE_PROCESS:
            yield USES[f"{keyword.arg}="].at(keyword.value.lineno, f"{keyword.arg}=")
    name = _invoked(node)
    if name.startswith(f"{PACKAGE}.") and name not in builtin_services():
        yield BUILTIN.at(node.lineno, name)


def _option_findings(found: Class) -> Iterator[Finding]:
    """Yield what a service gives to `self.invoke` and `self.invoke_async` that is no option of theirs."""
    for node in ast.walk(found.node):
        called = dotted(node.func) if isinstance(node, ast.Call) else ""
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            what = f"{keyword.arg}= of {called}"
            if called == "self.invoke" and keyword.arg in ONE_PROCESS:
                yield USES["option of self.invoke"].at(keyword.value.lineno, what)
            elif called == "self.invoke_async" and keyword.arg not in {None, *options_of("invoke_async")}:
                yield USES["option of self.invoke_async"].at(keyword.value.lineno, what)


def _invoked(node: ast.Call) -> str:
    """Return the name of the service that a call invokes, if it is written there."""
    if not (isinstance(node.func, ast.Attribute) and f".{node.func.attr}" in CALLS):
        return ""
    named = [keyword.value for keyword in node.keywords if keyword.arg == "name"]
    target = next(iter([*node.args[:1], *named]), None)
    return target.value if isinstance(target, ast.Constant) and isinstance(target.value, str) else ""


def _attribute_findings(found: Class, bound: set[str]) -> Iterator[Finding]:
    for chain, line in outermost_chains(found.node):
        first, *parts = chain.split(".")
        ruled = _rule_of(parts) if first == "self" and parts[0] not in bound else None
        if ruled:
            rule, length = ruled
            yield rule.at(line, ".".join(["self", *parts[:length]]))


def _stray_findings(found: Class, set_somewhere: set[str]) -> Iterator[Finding]:
    """Yield attributes of `self` that neither services have nor anything in the files sets."""
    known = attributes_of_a_service()
    for chain, line in outermost_chains(found.node):
        first, name, *_ = chain.split(".")
        if first == "self" and not name.startswith("_") and name not in known | set_somewhere and not _rule_of([name]):
            yield USES["attribute of self"].at(line, f"self.{name}")


def _reached_findings(module: Module) -> Iterator[Finding]:
    """Yield what is asked of modules and constants of ours that is not there, as `api.SCHEDULER`, `CHANNEL.AMQP`."""
    for chain, line in outermost_chains(module.tree):
        first, *_ = chain.split(".")
        start = "" if first in module.bound_here else module.imported.get(first, "")
        place, *names = _place_of(module.meaning(chain)) if _is_ours(start) else ("",)
        known = names_in(place) or frozenset()
        if len(names) > 1 and place in CONSTANTS and names[0] in known:
            members = members_of(CONSTANTS[0], names[0])
            if members and names[1] not in members:
                yield unknown_constant(names[0], members).at(line, ".".join(names[:2]))
        elif names and exists(start) and not _is_there(place, names[0], known | module.imported_modules):
            yield _name_rule(place, names[0], known).at(line, f"{place}.{names[0]}")


def _is_there(module: str, name: str, known: Collection[str]) -> bool:
    return name in known or f"{module}.{name}" in known or name in bound_in(module)


def _place_of(name: str) -> list[str]:
    """Return the module of ours that a dotted name begins with, and the names after it."""
    parts = name.split(".")
    length = next(length for length in range(len(parts), 0, -1) if exists(".".join(parts[:length])))
    return [".".join(parts[:length]), *parts[length:]]


def _rule_of(parts: list[str]) -> tuple[Rule, int] | None:
    """Return the rule of the longest beginning of a chain that has one, and how long that is."""
    for length in range(len(parts), 0, -1):
        name = ".".join([ALIASES.get(parts[0], parts[0]), *parts[1:length]])
        if name in ATTRIBUTES:
            return ATTRIBUTES[name], length
        if length < len(parts) and name in OBJECTS:
            members = members_of(*OBJECTS[name])
            return None if parts[length] in members else (unknown_member(name, members), length + 1)
    return None


def _return_findings(found: Class) -> Iterator[Finding]:
    """Yield where the work of a service returns a value."""
    for method in found.methods:
        if is_handler(method.name):
            for node in _own_nodes(method):
                if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
                    yield USES["return of a value in handle"].at(node.lineno, f"return in {method.name}")


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield what belongs to a function, and not to one within it."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _format_findings(found: Class) -> Iterator[Finding]:
    """Yield where a service asks for XML."""
    for node in ast.walk(found.node):
        if isinstance(node, ast.keyword) and node.arg == "data_format" and _is_xml(node.value):
            yield USES["data_format of XML"].at(node.value.lineno, "data_format of XML")


def _is_xml(value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        return value.value == "xml"
    return dotted(value).endswith("DATA_FORMAT.XML")
