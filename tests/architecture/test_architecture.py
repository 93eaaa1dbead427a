"""What holds for all of the source, whatever it does. Which layer may import which: see pyproject.toml."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.subprocesses import run_python

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "zato"

NAMES_THAT_SAY_NOTHING = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
NAMES_OF_COPIED_CODE = {"_vendor", "contrib", "extern", "external", "third_party", "vendor", "vendored"}
LONGEST_FILE = 400
SLOWEST_IMPORT = 1.5

IMPORT_CLIENT = "from zato.client import AnyServiceInvoker"
PRINT_SECONDS = "import time; start = time.process_time(); {}; print(time.process_time() - start)"
PRINT_MODULES = "{}; import sys; print(*sys.modules)"


def test_client_loads_nothing_of_server_and_broker() -> None:
    """A program that only calls services does not pay for what runs them."""
    loaded = _modules_loaded_by(IMPORT_CLIENT)

    assert not {"apsw", "granian", "redis", "uvloop"} & loaded
    assert not [name for name in loaded if name.startswith(("zato.broker", "zato.server"))]


def test_package_loads_nothing_else() -> None:
    """`import zato` is as cheap as an import can be."""
    loaded = _modules_loaded_by("import zato")

    assert [name for name in loaded if name.startswith("zato.")] == []


def test_client_is_quick_to_import() -> None:
    """The command line and short scripts start at once, even on a busy machine."""
    seconds = min(float(run_python(PRINT_SECONDS.format(IMPORT_CLIENT))) for _ in range(3))

    assert seconds < SLOWEST_IMPORT


def test_every_module_says_what_is_public() -> None:
    """A module with any code in it has `__all__`."""
    silent = [path for path, tree in _modules() if _has_code(tree) and not _has_public_list(tree)]

    assert silent == []


def test_every_public_name_exists() -> None:
    """What `__all__` lists is bound in the module, so that `import *` and readers can trust it."""
    missing = {path: names for path, tree in _modules() if (names := _public_names(tree) - _bound_names(tree))}

    assert missing == {}


def test_names_of_modules_say_what_is_in_them() -> None:
    """Nothing is called utils, except the one folder whose name old programs import."""
    empty = [path for path in _paths() if NAMES_THAT_SAY_NOTHING & {*path.parent.parts, path.stem}]

    assert [path for path in empty if path.parts[0] != "common"] == []


def test_imports_are_what_they_are_at_run_time() -> None:
    """Nothing is imported for the type checker alone: wanting that means that an arrow points up."""
    for path in _paths():
        assert "TYPE_CHECKING" not in (SOURCE / path).read_text(encoding="utf-8"), path


def test_files_are_short() -> None:
    """A longer file is two things."""
    lengths = {path: len((SOURCE / path).read_text(encoding="utf-8").splitlines()) for path in _paths()}

    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_code_of_others_is_copied_in() -> None:
    """What others wrote is a dependency, never a copy."""
    for path in _paths():
        assert not NAMES_OF_COPIED_CODE & set(path.parent.parts), path
        assert "copyright" not in (SOURCE / path).read_text(encoding="utf-8").lower(), path


def _modules_loaded_by(statement: str) -> set[str]:
    return set(run_python(PRINT_MODULES.format(statement)).split())


def _paths() -> list[Path]:
    return sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in _paths():
        yield str(path), ast.parse((SOURCE / path).read_text(encoding="utf-8"))


def _has_code(tree: ast.Module) -> bool:
    """Tell whether there is anything beside a docstring."""
    return any(not isinstance(node, ast.Expr) for node in tree.body)


def _has_public_list(tree: ast.Module) -> bool:
    return any(_assigned(node) == {"__all__"} for node in tree.body)


def _public_names(tree: ast.Module) -> set[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and _assigned(node) == {"__all__"}:
            return set(ast.literal_eval(node.value))
    return set()


def _bound_names(tree: ast.Module) -> set[str]:
    """Return what definitions, assignments and imports bind anywhere at the top of a module."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        else:
            bound |= _assigned(node)
    return bound


def _assigned(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    return set()
