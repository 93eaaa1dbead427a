"""What a file's tree says: what its names stand for, which classes it has, and what they bind."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

__all__ = ["Class", "Module", "dotted", "outermost_chains"]

Function = ast.FunctionDef | ast.AsyncFunctionDef
# Functions that speak of an attribute by its name in a text.
BY_NAME = ("getattr", "hasattr", "setattr")


def dotted(node: ast.AST) -> str:
    """Return a name with its attributes, as `self.request.payload`, or an empty text for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def outermost_chains(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every name with all of its attributes, and its line: `a.b.c` once, and not as `a.b` too."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        chain = dotted(node) if isinstance(node, ast.Attribute) else ""
        if isinstance(node, ast.Attribute) and chain:
            yield chain, _line_of_name(node)
        else:
            waiting += ast.iter_child_nodes(node)


def _line_of_name(node: ast.Attribute) -> int:
    """Return the line of the name that a chain begins with; its attributes may be on others."""
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return inner.lineno


@dataclass(frozen=True, slots=True)
class Class:
    """A class of a file.

    Attributes:
        bases: what each base stands for, in full if it is imported, as `zato.server.service.Service`.
    """

    node: ast.ClassDef
    bases: tuple[str, ...]

    @property
    def name(self) -> str:
        """The class's name."""
        return self.node.name

    @property
    def methods(self) -> Iterator[Function]:
        """The functions in its body."""
        return (node for node in self.node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    def value_of(self, name: str) -> ast.expr | None:
        """Return what an attribute of the class is set to in its body."""
        found: ast.expr | None = None
        for node in self.node.body:
            if isinstance(node, ast.Assign) and any(dotted(target) == name for target in node.targets):
                found = node.value
            elif isinstance(node, ast.AnnAssign) and dotted(node.target) == name:
                found = node.value or found
        return found

    def binds(self) -> set[str]:
        """Return the attributes that the class, or what its methods do to `self`, sets."""
        bound = {method.name for method in self.methods}
        for node in ast.walk(self.node):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and dotted(node.value) == "self":
                bound.add(node.attr)
        for node in self.node.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            bound |= {target.id for target in targets if isinstance(target, ast.Name)}
        return bound


@dataclass(frozen=True)
class Module:
    """A file as it is written.

    Attributes:
        is_top: whether it stands in the folder that is checked, not in one below.
    """

    file: Path
    tree: ast.Module
    is_top: bool = True
    text: str = field(default="", repr=False)

    @cached_property
    def imported(self) -> dict[str, str]:
        """What each imported name stands for, such as `np` for `numpy`."""
        names = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    names[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                start = "." * node.level + (node.module or "")
                names |= {alias.asname or alias.name: f"{start}.{alias.name}" for alias in node.names}
        return names

    @cached_property
    def imported_modules(self) -> set[str]:
        """The modules that are imported by their full names."""
        imports = (node for node in ast.walk(self.tree) if isinstance(node, ast.Import))
        return {alias.name for node in imports for alias in node.names}

    @cached_property
    def bound(self) -> set[str]:
        """Every name that the file itself gives a meaning, anywhere in it."""
        return self.bound_here | self.imported.keys()

    @cached_property
    def bound_here(self) -> set[str]:
        """Every name that stands for something of the file, anywhere in it, even if it is imported elsewhere there."""
        bound = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                bound.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound.add(node.id)
            elif isinstance(node, ast.arg):
                bound.add(node.arg)
        return bound

    @cached_property
    def set_somewhere(self) -> set[str]:
        """Every attribute that something in the file may give to an object: in a class, by assignment, or by name."""
        names = {node.attr for node in ast.walk(self.tree) if isinstance(node, ast.Attribute) and _is_store(node)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                names.update(_names_in_class(node))
            elif isinstance(node, ast.Call) and dotted(node.func) in BY_NAME:
                names.update(str(value.value) for value in node.args[1:2] if isinstance(value, ast.Constant))
        return names

    @cached_property
    def spared(self) -> set[ast.AST]:
        """What need not run here: imports whose failure is caught, and what asks for the version of Python first."""
        found: set[ast.AST] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Try) and any(_catches_imports(node, handler) for handler in node.handlers):
                found |= {child for child in ast.walk(node) if isinstance(child, ast.Import | ast.ImportFrom)}
            elif isinstance(node, ast.If) and _asks_for_version(node.test):
                found.update(ast.walk(node))
        return found

    @cached_property
    def classes(self) -> list[Class]:
        """Every class of the file that is in no function and no other class, in the order they are written."""
        nodes = sorted(_outer_classes(self.tree), key=lambda node: node.lineno)
        return [Class(node, tuple(self.meaning(dotted(base)) for base in node.bases)) for node in nodes]

    def meaning(self, name: str) -> str:
        """Return what a dotted name stands for, in full if it is imported."""
        first, dot, rest = name.partition(".")
        return f"{self.imported.get(first, first)}{dot}{rest}"


def _outer_classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """Yield the classes that importing a file makes, also those in an `if` or a `try`."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef):
            yield node
        elif not isinstance(node, Function | ast.expr):
            waiting += ast.iter_child_nodes(node)


def _is_store(node: ast.Attribute | ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _names_in_class(node: ast.ClassDef) -> Iterator[str]:
    """Yield what the body of a class gives a name to, whatever block of it that stands in."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, Function | ast.ClassDef):
            yield inner.name
        elif isinstance(inner, ast.alias):
            yield inner.asname or inner.name
        elif isinstance(inner, ast.Name) and _is_store(inner):
            yield inner.id
        else:
            waiting += ast.iter_child_nodes(inner)


def _catches_imports(node: ast.Try, handler: ast.ExceptHandler) -> bool:
    """Tell whether what is caught is that an import failed, rather than anything that may happen."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {dotted(kind) for kind in kinds if kind is not None}
    if names & {"ImportError", "ModuleNotFoundError"}:
        return True
    only_imports = all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in node.body)
    return only_imports and (not names or "Exception" in names)


def _asks_for_version(test: ast.expr) -> bool:
    chains = {dotted(node).rpartition(".")[2] for node in ast.walk(test)}
    return bool(chains & {"version_info", "PY2", "PY3"})
