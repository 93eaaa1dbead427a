"""The front door, as the command line uses it: a client for the server that runs in a folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from zato.cli.tables import print_json
from zato.client import AnyServiceInvoker, Response
from zato.client.transport import local_session
from zato.core.envelope import ADMIN_INVOKE, ADMIN_USER
from zato.core.known_errors import error_of
from zato.environment import Environment

__all__ = ["ask", "connect", "print_response", "print_value", "refuse"]

NO_RESPONSE = "(None)"


@contextmanager
def connect(path: Path, url_path: str = ADMIN_INVOKE, **options: Any) -> Iterator[AnyServiceInvoker]:
    """Give a client of the server that runs in a folder.

    A server that speaks HTTPS is known by its certificate, which may be self-signed or made for another name.

    Raises:
        EnvironmentFault: the folder is no environment, or its passwords cannot be read.
        ServerNotRunning: no server runs there.
    """
    environment = Environment(path).check()
    auth = (ADMIN_USER, environment.credentials().admin_invoke)
    server = environment.running()
    with (
        local_session(server.tls_fingerprint) as session,
        AnyServiceInvoker(server.address, url_path, auth, session, **options) as client,
    ):
        yield client


def ask(path: Path, service: str, payload: Mapping[str, Any] | None = None) -> Any:
    """Invoke a built-in service and return what it answers.

    Raises:
        ZatoError: there is no answer, or the answer is no.
    """
    with connect(path) as client:
        response = client.invoke(service, payload or "")
    refuse(response)
    return response.data


def refuse(response: Response) -> None:
    """Return if a call succeeded.

    Raises:
        ServiceError: with what the server said, of the class that the status stands for.
    """
    if not response.ok:
        raise error_of(response.inner.status_code)(str(response.details))


def print_response(response: object) -> None:
    """Print what a service returned, or that it returned nothing."""
    print_value(NO_RESPONSE if response in (None, "") else response)


def print_value(value: object, *, as_json: bool = False) -> None:
    """Print a response: text as it is, anything else as JSON, on one line unless a person reads it."""
    if isinstance(value, str) and not as_json:
        # Otherwise click drops what looks like a colour, unless the output is a terminal.
        click.echo(value, color=True)
    else:
        print_json(value)
