"""Write what comes from the code in docs/reference/: settings, errors, services, commands, the record, addresses.

Usage: python scripts/make_reference.py [--check] [FOLDER]

With `--check`, write nothing; name the pages that are not what the code says, and end with 1 if there are any.
"""

import argparse
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click

import zato
from zato.core import errors
from zato.core.errors import ServiceError, ZatoError
from zato.core.record import FIELDS
from zato.core.settings import CHOICES, ENVIRONMENT_PREFIX, Setting, describe
from zato.migrate import python_rules, rules
from zato.migrate.findings import Rule
from zato.server.http.addresses import DOORS
from zato.server.service import AsyncService, ServiceBase

__all__ = ["main", "pages"]

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTE = "<!-- Written by scripts/make_reference.py; change the code, not this page. -->"
# Around the part of a page that comes from the code.
BEGIN = "<!-- The table is written by scripts/make_reference.py; change the code, not this page. -->"
END = "<!-- End of what is written. -->"
HELP_WIDTH = 100

# The lines of a built-in's docstring that say what it takes and returns.
FIELD = re.compile(r"^(Input|Output):", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Write the pages, or check them, and return the exit code."""
    parser = argparse.ArgumentParser(description="Write the pages of docs/reference/ that come from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; name the pages that are out of date")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    stale = {name: text for name, text in pages().items() if _text_of(options.folder / name) != text}
    for name, text in stale.items():
        if options.check:
            click.echo(f"{options.folder / name} is not what the code says. Run: python scripts/make_reference.py")
        else:
            (options.folder / name).write_text(text, "utf-8")
            click.echo(f"Written: {options.folder / name}")
    return 1 if stale and options.check else 0


def pages() -> Mapping[str, str]:
    """Return the text of every page by its file's name."""
    return {
        "settings.md": _page("Settings", SETTINGS, _settings()),
        "errors.md": _page("Errors", ERRORS, _errors()),
        "services.md": _page("Built-in services", SERVICES, _services()),
        "commands.md": _page("Commands", COMMANDS, _commands()),
        "migration.md": _page("What old services use", MIGRATION, _migration()),
        "record.md": _with_part("record.md", _record()),
        "http.md": _with_part("http.md", _doors()),
    }


SETTINGS = """
Settings are read from `config.toml` in the environment's folder. An environment variable, `ZATO_` and the name in
capitals, wins over the file, and an option of `zato start` over both. `zato create` writes all settings into the file,
as comments with their defaults. A name that is not known, or a value that is not legal, keeps the server from starting.

Times are in seconds, sizes in bytes. A change takes effect at the next start.
"""

ERRORS = """
Every error that the package raises on purpose has a code that does not change. Messages may be reworded, so programs
compare codes. The *status* is that of the HTTP reply if the error leaves a service; the *exit* is what the command line
ends with; the *remedy* is what helps most often. A service may raise those of the first table, with a message for its
caller: `BadRequest("message")`, or `BadRequest(cid, "message")` as older services do. They are imported from
`zato.server.service` or `zato.common.exception`.

Any other exception of a service is answered with 500 and `ExceptionName: message`, and its code in the
[record](record.md) is `exception`. A call that is given up because it lost its process too often has the code
`process_died` there, and one whose outcome no store could take has `unrecordable`.
"""

SERVICES = """
They are ordinary services and are invoked like any other one. All but `zato.ping` and `zato.helpers` take one JSON
object, or nothing, and refuse keys that they do not know. People who use the web admin may invoke what
[their role](../howto/people-and-roles.md) allows.
"""

COMMANDS = """
What `--help` says. PATH is an environment's folder. The exit status is 0 if all went well, 1 if the server or a service
refused, 2 if the command or the environment is not right, 3 if no server answers, 4 if what was asked for does not
exist, 5 if it is not allowed, 6 if it contradicts the state of things, 7 if it may be tried again later, 8 if time ran
out. Errors go to standard error. [The command line](../howto/command-line.md) has the forms of `--json`.
"""

MIGRATION = """
What `zato migrate check` looks for in services of the original server, and what it says to do. *changed*: it runs, and
does something else. *missing*: it does not run until something is done. *python*: it was written for an older Python.
[Move from Zato](../howto/move-from-zato.md) has the check at work.
"""


def _page(title: str, text: str, lines: Iterable[str]) -> str:
    return "\n".join([f"# {title}", "", NOTE, "", text.strip(), "", *lines]).rstrip() + "\n"


def _with_part(name: str, lines: Iterable[str]) -> str:
    """Return a page of which one part comes from the code."""
    before, rest = (FOLDER / name).read_text("utf-8").split(BEGIN)
    _, after = rest.split(END)
    return "\n".join([before + BEGIN, "", *lines, "", END + after])


def _record() -> Iterator[str]:
    yield from _table("field", "what it is")
    for name, text in FIELDS.items():
        yield _row(f"`{name}`", text)


def _doors() -> Iterator[str]:
    yield from _table("address", "methods", "user", "what it does")
    for door in DOORS:
        user = f"`{door.user}`" if door.user else ""
        yield _row(f"`{door.address}`", ", ".join(door.methods), user, door.what)


def _settings() -> Iterator[str]:
    yield from _table("name", "type", "default", "values", "what it is")
    for setting in describe():
        cells = (f"`{setting.name}`", setting.type.__name__, f"`{_toml(setting.default)}`", _range(setting))
        yield _row(*cells, setting.help)
    yield ""
    yield f"As environment variables: `{ENVIRONMENT_PREFIX}PORT=8000 zato start PATH`."


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _range(setting: Setting) -> str:
    if setting.name in CHOICES:
        return ", ".join(f"`{choice}`" for choice in CHOICES[setting.name])
    if setting.type is bool:
        return "`true`, `false`"
    if setting.low is None:
        return ""
    return f"from {setting.low}" if setting.high is None else f"{setting.low} to {setting.high}"


def _errors() -> Iterator[str]:
    known = sorted(_errors_of_the_package(), key=lambda error: (error.status, error.code))
    for title, wanted in (("What services raise", True), ("Everything else", False)):
        yield from (f"## {title}", "")
        yield from _table("code", "status", "exit", "class", "cause", "remedy")
        for error in known:
            if issubclass(error, ServiceError) is wanted:
                where = f"`{_home_of(error)}.{error.__name__}`"
                yield _row(f"`{error.code}`", str(error.status), str(error.exit_code), where, *_cause_and_remedy(error))
        yield ""


def _home_of(error: type[ZatoError]) -> str:
    """Return the module that an error class is imported from, wherever it is written."""
    return errors.__name__ if error.__name__ in errors.__all__ else error.__module__


def _errors_of_the_package() -> set[type[ZatoError]]:
    """Return every public error class, wherever in the package it is written. What the web admin raises stays there."""
    for module in pkgutil.walk_packages(zato.__path__, "zato."):
        importlib.import_module(module.name)
    found: set[type[ZatoError]] = set()
    new: list[type[ZatoError]] = [ZatoError]
    while new:
        error = new.pop()
        found.add(error)
        new += error.__subclasses__()
    return {error for error in found if not error.__name__.startswith("_") and _is_told(error.__module__)}


def _is_told(module: str) -> bool:
    return module.startswith("zato.") and not module.startswith("zato.web_admin.")


def _services() -> Iterator[str]:
    for service in sorted(_builtins(), key=lambda service: service.get_name()):
        text = inspect.cleandoc(service.__doc__ or "")
        yield from (f"## {service.get_name()}", "", *FIELD.sub(r"- **\1:**", text).splitlines(), "")


def _builtins() -> Iterator[type[ServiceBase]]:
    package = importlib.import_module("zato.server.builtin")
    for found in pkgutil.walk_packages(package.__path__, "zato.server.builtin."):
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            is_service = inspect.isclass(value) and issubclass(value, AsyncService)
            if is_service and value.__module__ == found.name and not value.__name__.startswith("_"):
                yield value


def _commands() -> Iterator[str]:
    root = importlib.import_module("zato.cli.main").root
    for path, command in _walk(root, "zato"):
        context = click.Context(command, info_name=path, terminal_width=HELP_WIDTH, max_content_width=HELP_WIDTH)
        yield from (f"## {path}", "", "```text", *command.get_help(context).splitlines(), "```", "")


def _migration() -> Iterator[str]:
    attributes = {f"self.{name}": rule for name, rule in rules.ATTRIBUTES.items()}
    attributes |= {f"self.{old}": attributes[f"self.{new}"] for old, new in rules.ALIASES.items()}
    modules = {f"import {name}": rule for name, rule in python_rules.MODULES.items()}
    groups: Mapping[str, Mapping[str, Rule]] = {
        "Attributes": attributes,
        "What services do": {**rules.USES, **{f"def {name}": rule for name, rule in rules.METHODS.items()}},
        "Modules": rules.MODULES,
        "Names in modules": rules.NAMES,
        "Files": rules.FILES,
        "Syntax of Python 2": python_rules.SYNTAX,
        "Modules of older Pythons": modules,
        "Names of older Pythons": {
            **python_rules.NAMES,
            **{f".{name}()": rule for name, rule in python_rules.METHODS.items()},
            **python_rules.SPECIAL_METHODS,
            **python_rules.ATTRIBUTES,
            **python_rules.LAZY,
            "/ of whole numbers": python_rules.DIVISION,
        },
    }
    for title, group in groups.items():
        yield from (f"## {title}", "")
        yield from _table("what", "kind", "what to do")
        for what, rule in sorted(group.items()):
            yield _row(f"`{what}`", rule.severity.value, rule.remedy)
        yield ""


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _walk(below, f"{path} {name}")


def _table(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield "|" + "---|" * len(titles)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _cause_and_remedy(error: type[ZatoError]) -> tuple[str, str]:
    """Return the first two paragraphs of a docstring."""
    cause, remedy, *_ = [
        *inspect.cleandoc(error.__doc__ or "").replace("\n\n", "\0").replace("\n", " ").split("\0"),
        "",
    ]
    return cause, remedy


def _text_of(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
