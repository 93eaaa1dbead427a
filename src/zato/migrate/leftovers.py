"""What a file that this Python can read has left over from an older one."""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from zato.migrate.findings import Finding
from zato.migrate.modules import Module, dotted, outermost_chains
from zato.migrate.python_rules import (
    ATTRIBUTES,
    CODECS,
    DIVISION,
    LAZY,
    METHODS,
    MODULES,
    NAMES,
    SPECIAL_METHODS,
    SYNTAX,
)

__all__ = ["divisions_of", "leftovers_of"]

VIEWS = ("keys", "values", "items")
STREAMS = ("map", "filter", "zip")
EXCEPTIONS = ("Exception", "BaseException", "ValueError", "KeyError", "TypeError", "IOError", "OSError", "RuntimeError")


def leftovers_of(module: Module) -> Iterator[Finding]:
    """Yield everything that only an older Python knows."""
    for node in ast.walk(module.tree):
        if node not in module.spared:
            yield from LOOKS.get(type(node), _nothing)(node)
            yield from LOOKS_AROUND.get(type(node), _nothing)(node, module)
    for chain, line in outermost_chains(module.tree):
        yield from _chain_findings(chain, line, module)


def divisions_of(module: Module) -> Iterator[Finding]:
    """Yield divisions that gave a whole number once. For files that are of Python 2 for another reason."""
    if module.imported.get("division") == "__future__.division":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            sides = (node.left, node.right)
            if any(map(_is_whole, sides)) and not any(map(_is_fraction, sides)):
                yield DIVISION.at(node.lineno, "/ of whole numbers")


def _is_whole(value: ast.expr) -> bool:
    is_length = isinstance(value, ast.Call) and dotted(value.func) == "len"
    return is_length or (isinstance(value, ast.Constant) and type(value.value) is int)


def _is_fraction(value: ast.expr) -> bool:
    is_float = isinstance(value, ast.Call) and dotted(value.func) == "float"
    return is_float or (isinstance(value, ast.Constant) and isinstance(value.value, float))


def _import(node: ast.Import) -> Iterator[Finding]:
    for alias in node.names:
        if alias.name in MODULES:
            yield MODULES[alias.name].at(node.lineno, f"import {alias.name}")


def _import_from(node: ast.ImportFrom) -> Iterator[Finding]:
    start = "" if node.level else node.module or ""
    if start in MODULES:
        yield MODULES[start].at(node.lineno, f"import {start}")
    for alias in node.names:
        name = f"{start}.{alias.name}"
        if name in ATTRIBUTES:
            yield ATTRIBUTES[name].at(node.lineno, name)


def _name(node: ast.Name, module: Module) -> Iterator[Finding]:
    if node.id in NAMES and node.id not in module.bound:
        yield NAMES[node.id].at(node.lineno, node.id)


def _class(node: ast.ClassDef) -> Iterator[Finding]:
    """Yield what a class says by names that mean nothing any more."""
    lines = {name: statement.lineno for statement in node.body for name in _defined_by(statement)}
    for name, line in lines.items():
        if name in SPECIAL_METHODS and not (name == "__nonzero__" and "__bool__" in lines):
            yield SPECIAL_METHODS[name].at(line, name)


def _defined_by(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef):
        return [statement.name]
    return [dotted(target) for target in statement.targets] if isinstance(statement, ast.Assign) else []


def _expression(node: ast.Expr) -> Iterator[Finding]:
    """Yield print statements that pass for something else: alone, to a file, or with more after the brackets."""
    value = node.value.elts[0] if isinstance(node.value, ast.Tuple) and node.value.elts else node.value
    while isinstance(value, ast.BinOp):
        value = value.left
    is_alone = isinstance(value, ast.Name) and value.id == "print"
    is_call = isinstance(value, ast.Call) and dotted(value.func) == "print"
    if is_alone or (is_call and value is not node.value):
        yield SYNTAX["print statement"].at(node.lineno, "print statement")


def _call(node: ast.Call, module: Module) -> Iterator[Finding]:
    yield from _sorting(node)
    if isinstance(node.func, ast.Attribute):
        yield from _method_findings(node, node.func, module)
    elif dotted(node.func) == "len" and node.args and _is_stream(node.args[0]):
        yield LAZY["length of map, filter or zip"].at(node.lineno, f"len({_called(node.args[0])}(...))")


def _sorting(node: ast.Call) -> Iterator[Finding]:
    name = dotted(node.func)
    if name == "sorted" or (isinstance(node.func, ast.Attribute) and node.func.attr == "sort"):
        for keyword in node.keywords:
            if keyword.arg == "cmp":
                yield LAZY["cmp="].at(keyword.value.lineno, "cmp=")


def _method_findings(node: ast.Call, method: ast.Attribute, module: Module) -> Iterator[Finding]:
    line, name = method.end_lineno or node.lineno, method.attr
    if name in METHODS and len(node.args) == (name == "has_key"):
        yield METHODS[name].at(line, f".{name}()")
    elif name == "next" and not node.args and not node.keywords and "next" not in module.bound:
        yield LAZY["next()"].at(line, ".next()")
    elif name in ("encode", "decode") and node.args and _constant(node.args[0]) in CODECS:
        yield LAZY["encode or decode of such a codec"].at(line, f".{name}({_constant(node.args[0])!r})")
    elif name == "sort" and _is_view(method.value):
        yield LAZY["sort() of keys(), values() or items()"].at(line, f".{_called(method.value)}().sort()")


def _subscript(node: ast.Subscript) -> Iterator[Finding]:
    """Yield where a part is taken of what was a list once."""
    if _is_view(node.value):
        yield LAZY["item of keys(), values() or items()"].at(node.lineno, f".{_called(node.value)}()[...]")
    elif _is_stream(node.value):
        yield LAZY["item of map, filter or zip"].at(node.lineno, f"{_called(node.value)}(...)[...]")


def _handler(node: ast.ExceptHandler, module: Module) -> Iterator[Finding]:
    yield from _messages(node)
    # What the newest versions read as two exceptions.
    if isinstance(node.type, ast.Tuple) and node.name is None:
        segment = ast.get_source_segment(module.text, node.type) or "("
        if not segment.startswith("("):
            yield SYNTAX["except X, e"].at(node.lineno, "except X, e")


def _messages(node: ast.ExceptHandler) -> Iterator[Finding]:
    """Yield `e.message` of an exception of Python's own. Those of services have a message."""
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    if node.name and all(kind is not None and dotted(kind) in EXCEPTIONS for kind in kinds):
        for inner in (inner for statement in node.body for inner in ast.walk(statement)):
            if isinstance(inner, ast.Attribute) and dotted(inner) == f"{node.name}.message":
                yield LAZY["message of an exception"].at(inner.lineno, f"{node.name}.message")


def _nothing(*_: object) -> tuple[Finding, ...]:
    return ()


Findings = Iterable[Finding]

# What is told by itself, and what is told by the file around it.
LOOKS: Mapping[type[ast.AST], Callable[[Any], Findings]] = {
    ast.ClassDef: _class,
    ast.Expr: _expression,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Subscript: _subscript,
}
LOOKS_AROUND: Mapping[type[ast.AST], Callable[[Any, Module], Findings]] = {
    ast.Call: _call,
    ast.ExceptHandler: _handler,
    ast.Name: _name,
}


def _chain_findings(chain: str, line: int, module: Module) -> Iterator[Finding]:
    """Yield functions that their module has no more, such as `urllib.urlencode`."""
    name = ".".join(module.meaning(chain).split(".")[:2])
    if chain.partition(".")[0] in module.imported and name in ATTRIBUTES:
        yield ATTRIBUTES[name].at(line, name)


def _is_view(value: ast.expr) -> bool:
    is_method = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and not value.args
    return is_method and _called(value) in VIEWS


def _is_stream(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in STREAMS


def _called(value: ast.expr) -> str:
    """Return the name of what a call calls, without what it belongs to."""
    function = value.func if isinstance(value, ast.Call) else value
    return function.attr if isinstance(function, ast.Attribute) else dotted(function)


def _constant(value: ast.expr) -> object:
    return value.value if isinstance(value, ast.Constant) else None
