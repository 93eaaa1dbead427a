"""The entry point: the table of commands, and how errors end."""

import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import click

from zato import __version__
from zato.cli.lazy import LazyGroup
from zato.conflicts import conflict_message
from zato.core.errors import ZatoError

__all__ = ["main"]

service = LazyGroup(
    "service",
    "Invoke services and see what is deployed.",
    {
        "invoke": ("zato.cli.service:invoke", "Invoke a service, now or in the background."),
        "list": ("zato.cli.service:list_services", "List the services a server has."),
    },
)

invocation = LazyGroup(
    "invocation",
    "See what became of background calls.",
    {"show": ("zato.cli.invocation:show", "Show the record of one call by its CID.")},
)

quickstart = LazyGroup(
    "quickstart",
    "The old spelling of 'zato create'.",
    {"create": ("zato.cli.create:create", "Make an environment.")},
)

root = LazyGroup(
    "zato",
    "Run services written as Python classes: now, or durably in the background.",
    {
        "create": ("zato.cli.create:create", "Make an environment."),
        "start": ("zato.cli.start:start", "Start an environment's server."),
        "stop": ("zato.cli.control:stop", "Stop it."),
        "wait": ("zato.cli.control:wait", "Wait until it answers."),
        "status": ("zato.cli.status:status", "Show where it answers, and its processes."),
        "backup": ("zato.cli.backup:backup", "Copy what it has accepted and recorded to a file."),
        "restore": ("zato.cli.backup:restore", "Put back what such a file holds."),
        "service": ("zato.cli.main:service", "Invoke services and see what is deployed."),
        "invocation": ("zato.cli.main:invocation", "See what became of background calls."),
        "quickstart": ("zato.cli.main:quickstart", "The old spelling of 'zato create'."),
    },
)
click.version_option(__version__, prog_name="zato")(root)


def main() -> None:
    """Run the command line and end the process."""
    with _said_once():
        try:
            root(obj=os.environ)
        except ZatoError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(error.exit_code)


@contextmanager
def _said_once() -> Iterator[None]:
    """Warn in one line of what is installed over us, and leave retried connections to the final error."""
    retries = logging.getLogger("urllib3.connectionpool")
    level = retries.level
    retries.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            if message := conflict_message():
                click.echo(f"Warning: {message}", err=True)
                warnings.filterwarnings("ignore", message=re.escape(message))
            yield
    finally:
        retries.setLevel(level)


if __name__ == "__main__":
    main()
