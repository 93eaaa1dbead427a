"""What there is to import, to invoke, and to use of `self`: read from this package's own files, so that it is true.

They are read, not imported: a check needs no server, and takes no time to start one.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import zato

__all__ = [
    "attributes_of_a_service",
    "bound_in",
    "builtin_services",
    "exists",
    "members_of",
    "names_in",
    "options_of",
    "options_of_simple_io",
]

ROOT = Path(zato.__file__).parent
SERVICE = "zato.server.service"
BUILTIN = "zato.server.builtin"


@cache
def names_in(module: str) -> frozenset[str] | None:
    """Return the public names of a module of this package, and the modules in it; None if there is no such module."""
    file = _file_of(module)
    if file is None:
        return None
    return _public(_tree(file)) | (_modules_in(file.parent) if file.name == "__init__.py" else frozenset())


@cache
def bound_in(module: str) -> frozenset[str]:
    """Return every name that a module of this package has, public or not: who imports one of them gets it."""
    file = _file_of(module)
    names = {"__all__", "__doc__", "__file__", "__name__"}
    for node in _tree(file).body if file else ():
        names |= _bound_by(node)
        if isinstance(node, ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return frozenset(names)


def exists(module: str) -> bool:
    """Tell whether this package has a module of a name."""
    return names_in(module) is not None


@cache
def attributes_of_a_service() -> frozenset[str]:
    """Return what services have as attributes, whatever class of ours they get them from."""
    folder = ROOT.joinpath(*SERVICE.split(".")[1:])
    bodies = [node.body for file in sorted(folder.glob("*.py")) for node in _classes(_tree(file))]
    found = {name for body in bodies for statement in body for name in _bound_by(statement)}
    return frozenset(name for name in found if not name.startswith("_"))


@cache
def members_of(module: str, class_name: str) -> frozenset[str]:
    """Return the attributes of a class of this package, whether the class or its methods bind them."""
    file = _file_of(module)
    nodes = [node for node in _classes(_tree(file)) if node.name == class_name] if file else []
    found = {name for node in nodes for statement in node.body for name in _bound_by(statement)}
    found |= {
        inner.attr
        for node in nodes
        for inner in ast.walk(node)
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store)
    }
    return frozenset(name for name in found if not name.startswith("_"))


@cache
def options_of(method: str) -> frozenset[str]:
    """Return what a method of services takes by name."""
    folder = ROOT.joinpath(*SERVICE.split(".")[1:])
    bodies = [statement for file in folder.glob("*.py") for node in _classes(_tree(file)) for statement in node.body]
    functions = [node for node in bodies if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    arguments = [node.args for node in functions if node.name == method]
    return frozenset(one.arg for found in arguments for one in (*found.args, *found.kwonlyargs)) - {"self"}


@cache
def options_of_simple_io() -> frozenset[str]:
    """Return what a nested class `SimpleIO` may set."""
    file = _file_of("zato.core.elements.declared")
    nodes = _tree(file).body if file else []
    found = [node.value for node in nodes if isinstance(node, ast.Assign) and "OPTIONS" in _bound_by(node)]
    return frozenset(name for value in found for name in ast.literal_eval(value))


@cache
def builtin_services() -> frozenset[str]:
    """Return the names of the services that every server has."""
    folder = ROOT.joinpath(*BUILTIN.split(".")[1:])
    trees = [_tree(file) for file in sorted(folder.glob("*.py"))]
    return frozenset(name for tree in trees for node in _classes(tree) if (name := _own_name(node)))


def _file_of(module: str) -> Path | None:
    first, *rest = module.split(".")
    base = ROOT.joinpath(*rest)
    candidates = [base / "__init__.py", base.with_suffix(".py")] if rest else [ROOT / "__init__.py"]
    return next((file for file in candidates if first == "zato" and file.is_file()), None)


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def _classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    return (node for node in tree.body if isinstance(node, ast.ClassDef))


def _public(tree: ast.Module) -> frozenset[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and "__all__" in _bound_by(node):
            return frozenset(ast.literal_eval(node.value))
    return frozenset()


def _modules_in(folder: Path) -> frozenset[str]:
    files = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    return frozenset(files | {file.parent.name for file in folder.glob("*/__init__.py")})


def _bound_by(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.AnnAssign):
        return {node.target.id} if isinstance(node.target, ast.Name) else set()
    targets = node.targets if isinstance(node, ast.Assign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _own_name(node: ast.ClassDef) -> str:
    """Return the `name` that a class gives itself, if it does."""
    for statement in node.body:
        if isinstance(statement, ast.Assign) and "name" in _bound_by(statement):
            value = statement.value
            return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
    return ""
