"""`zato service new`: a typed service, and its test, to begin with."""

import json
import shlex
from importlib.util import find_spec
from pathlib import Path
from string import Template

import click

from zato.core.errors import Conflict, EnvironmentFault, InvalidName
from zato.core.names import RESERVED_PREFIX, check_name, class_name, file_stem, is_reserved
from zato.environment import Environment

__all__ = ["new"]

# Of the folder of the services: files in it are loaded as services, those in folders below it are not.
TESTS = "tests"

SERVICE = Template('''\
"""What this file is for."""

from dataclasses import dataclass

from zato.server.service import ${imported}


@dataclass
class ${cls}Input(Model):
    """What the service is given."""

    name: str


@dataclass
class ${cls}Output(Model):
    """What it answers."""

    greeting: str


class ${cls}(${base}):
    """Greets somebody. Say here what the service does: 'zato service show' prints it."""

    name = ${name}
    input: ${cls}Input
    output: ${cls}Output

    ${define} handle(self) -> ${cls}Output:
        """Return the greeting."""
        return ${cls}Output(greeting=f"Hello, {self.input.name}!")
''')

TEST = Template('''\
"""Tests of ${stem}.py. 'zato' runs it in memory, without a server."""

from pathlib import Path

import pytest
from zato.server.service import BadRequest
from zato.testing import Zato

SERVICE = Path(__file__).parents[1] / "${stem}.py"


def test_${stem}_greets(zato: Zato) -> None:
    """Whoever is named is greeted."""
    zato.deploy(SERVICE)

    answer = zato.invoke(${name}, {"name": "Ada"})

    assert answer.data == {"greeting": "Hello, Ada!"}


def test_${stem}_needs_a_name(zato: Zato) -> None:
    """Who names nobody is told so."""
    zato.deploy(SERVICE)

    with pytest.raises(BadRequest, match="Element missing: name"):
        zato.invoke(${name})
''')


@click.command
@click.argument("name")
@click.option("--async", "is_async", is_flag=True, help="A service that runs on the event loop.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to write it: the services folder of an environment, for instance.  [default: this folder]",
)
def new(*, name: str, is_async: bool, folder: Path) -> None:
    """Write the service NAME, and a test of it that passes.

    'crm.get-customer' is written to crm_get_customer.py, its test to tests/test_crm_get_customer.py. No file is
    overwritten.
    """
    stem, base = file_stem(_checked(name)), "AsyncService" if is_async else "Service"
    files = {
        folder / f"{stem}.py": SERVICE,
        folder / TESTS / f"test_{stem}.py": TEST,
    }
    values = {
        "name": json.dumps(name, ensure_ascii=False),
        "stem": stem,
        "cls": class_name(name),
        "base": base,
        "imported": ", ".join(sorted((base, "Model"))),
        "define": "async def" if is_async else "def",
    }
    _write({file: template.substitute(values) for file, template in files.items()})
    service, test = files
    click.echo(f"Written: {service}\n         {test}")
    click.echo(f"Test it: {'' if find_spec('pytest') else 'pip install pytest && '}pytest {shlex.quote(str(test))}")
    click.echo(f"Run it:  {_to_run(service)}")


def _checked(name: str) -> str:
    if is_reserved(check_name(name)):
        raise InvalidName(f"{name!r} cannot be the name: those that start with {RESERVED_PREFIX!r} are built in.")
    return name


def _write(files: dict[Path, str]) -> None:
    """Write all files, or none if one of them is there already."""
    for file in files:
        if file.exists() or file.is_symlink():
            raise Conflict(f"{file} exists, so nothing was written. Take another name, or another --folder.")
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as opened:
                opened.write(text)
    except OSError as error:
        raise EnvironmentFault(f"{error.filename or 'The file'} cannot be written: {error.strerror}.") from error


def _to_run(service: Path) -> str:
    """Return what to type next."""
    environment = Environment(service.resolve().parents[1])
    if environment.services == service.resolve().parent and (environment.path / "config.toml").is_file():
        path = shlex.quote(str(service.parent.parent))
        return f"zato start {path}, or zato restart {path} if its server runs"
    return f"cp {shlex.quote(str(service))} PATH/services/ for the environment in PATH, and start its server"
