"""`zato service …`."""

from pathlib import Path
from typing import Any

import click

from zato.cli.completion import service_names
from zato.cli.door import ask, connect, print_response, print_value, refuse
from zato.cli.many import items_from
from zato.cli.parameters import FOLDER, Choice, Seconds, headers_given, payload_given, url_path_given
from zato.cli.streams import noting_if_not_printed
from zato.cli.tables import print_fields, print_table
from zato.client import ServiceInvokeResponse
from zato.core.envelope import ADMIN_INVOKE
from zato.core.options import PRIORITIES
from zato.core.printable import on_lines

__all__ = ["invoke", "list_services", "show"]


@click.command
@click.argument("path", type=FOLDER)
@click.argument("name", required=False, shell_complete=service_names)
@click.option(
    "--payload",
    callback=payload_given,
    default="",
    help="Input of the service: JSON or text; '-' is read from stdin, '@FILE' from a file.",
)
@click.option("--headers", callback=headers_given, default="", help="HTTP headers, as 'k=v;k2=v2'.")
@click.option("--channel", default="invoke", show_default=True, help="What the service sees as its channel.")
@click.option("--data-format", default="json", show_default=True, help="What it sees as its data format.")
@click.option("--transport", help="What it sees as its transport.")
@click.option(
    "--url-path", callback=url_path_given, default=ADMIN_INVOKE, show_default=True, help="Where services are invoked."
)
@click.option(
    "--max-cid-repr",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="With --verbose: shown of a CID's ends.",
)
@click.option(
    "--max-response-repr",
    type=click.IntRange(0),
    default=2500,
    show_default=True,
    help="With --verbose: shown of a response.",
)
@click.option("--timeout", type=Seconds(), help="How long the service may take before there is an error.")
@click.option("--async", "--is-async", "is_async", is_flag=True, help="In the background; prints the CID.")
@click.option("--expiration", type=Seconds(), help="With --async: within how long it must start.")
@click.option("--delay", type=Seconds(), help="With --async: how long it must not start.")
@click.option("--retry", type=click.IntRange(1), help="With --async: how often to try at most.")
@click.option("--time-limit", type=Seconds(), help="With --async: how long one attempt may take; 0 for any time.")
@click.option("--callback", metavar="NAME", multiple=True, help="With --async: a service that gets the response.")
@click.option("--on-failure", metavar="NAME", multiple=True, help="With --async: a service that learns of a failure.")
@click.option("--idempotency-key", metavar="KEY", help="With --async: calls with one key count once.")
@click.option("--cid", help="With --async: the CID to run with.  [default: a new one]")
@click.option("--priority", type=Choice(PRIORITIES), help="With --async: which of several that wait starts first.")
@click.option("--queue", metavar="QUEUE", help="With --async: the queue it waits in.")
@click.option(
    "--many",
    metavar="FILE",
    help="Many calls in the background, all or none; prints their CIDs. Each line of FILE, or of stdin for '-', is a "
    "JSON object with name, payload and options, or the payload of NAME if that is given.",
)
@click.option("--verbose", is_flag=True, help="Show the HTTP reply too.")
@click.option("--json", "as_json", is_flag=True, help="Print an object with ok, cid, data and details.")
def invoke(
    *,
    path: Path,
    name: str | None,
    payload: str,
    headers: dict[str, str],
    channel: str,
    data_format: str,
    transport: str | None,
    url_path: str,
    max_cid_repr: int,
    max_response_repr: int,
    is_async: bool,
    many: str | None,
    verbose: bool,
    as_json: bool,
    timeout: float | None,
    **background: Any,
) -> None:
    """Invoke the service NAME of the server in PATH, and print its response.

    Stdout holds the response and nothing else; errors go to stderr. The exit status is 0 if the service
    succeeded.
    """
    options = {option: value for option, value in background.items() if value not in (None, ())}
    _check(options, timeout, is_async=is_async or many is not None)
    seen: dict[str, Any] = {"channel": channel, "data_format": data_format, "transport": transport}
    items = None if many is None else _items(many, name, {**options, **seen}, payload=payload, headers=headers)
    if items is None and name is None:
        raise click.UsageError("Name the service, or give many calls with --many FILE.")
    with connect(path, url_path, max_cid_repr=max_cid_repr, max_response_repr=max_response_repr) as client:
        call = client.invoke_async if is_async else client.invoke
        response: ServiceInvokeResponse[Any]
        if items is None:
            response = call(name, payload, headers, **seen, to_json=False, timeout=timeout, **options)
        else:
            response = client.invoke_async_many(items)
    with noting_if_not_printed(_accepted(response, is_async=is_async or items is not None)):
        if verbose:
            click.echo(f"inner.text:[{response.inner.text[:max_response_repr]}]")
            click.echo(f"response:[{response!r}]")
        if as_json:
            _print_object(response)
        refuse(response)
        if not as_json:
            _print_data(response.data, many=items is not None)


@click.command
@click.argument("path", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
def list_services(path: Path, as_json: bool) -> None:
    """List the services of the server in PATH."""
    items = ask(path, "zato.service.get-list")["items"]
    if as_json:
        print_value(items, as_json=True)
    else:
        print_table(("service", "kind", "file"), [(item["name"], _kind(item), _origin(item)) for item in items])


@click.command
@click.argument("path", type=FOLDER)
@click.argument("name", shell_complete=service_names)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(path: Path, name: str, as_json: bool) -> None:
    """Show the service NAME of the server in PATH: its class, where it is, and what it does."""
    found = ask(path, "zato.service.get", {"name": name})
    if as_json:
        print_value(found, as_json=True)
        return
    retry, limit = found["retry"], found["time_limit"]
    shown = {
        "service": found["name"],
        "class": found["impl_name"],
        "kind": _kind(found),
        "file": _origin(found) if found["line"] is None else f"{found['file']}:{found['line']}",
        "retry": "" if retry is None else ", ".join(f"{key} {value}" for key, value in retry.items() if value),
        "time limit": "" if limit is None else f"{limit:g} s",
        "at once": "" if found["max_concurrency"] is None else f"{found['max_concurrency']:,} in the cluster",
        "priority": found["priority"],
        "queue": found["queue"],
    }
    print_fields((label, value) for label, value in shown.items() if value)
    if found["doc"]:
        click.echo(f"\n{on_lines(found['doc'])}")


def _check(background: dict[str, Any], timeout: float | None, *, is_async: bool) -> None:
    """Refuse options that would have no effect; of `--expiration`, that is what old scripts rely on."""
    useless = [option for option in background if option != "expiration"] if not is_async else []
    if useless:
        raise click.UsageError(f"--{useless[0].replace('_', '-')} is of background calls; add --async.")
    if is_async and timeout is not None:
        raise click.UsageError("--timeout is of calls that wait for their response; with --async it is --time-limit.")


def _items(
    many: str, name: str | None, options: dict[str, Any], *, payload: str, headers: dict[str, str]
) -> list[dict[str, Any]]:
    """Return the calls that `--many` stands for. What would have no effect, or the wrong one, is refused."""
    useless = {"--payload": payload, "--headers": headers, "--idempotency-key": options.get("idempotency_key")}
    for option, value in useless.items():
        if value:
            raise click.UsageError(f"{option} is for one call; with --many, what differs stands in the lines of FILE.")
    usual = ("channel", "invoke")
    return items_from(many, name, {key: value for key, value in options.items() if (key, value) != usual})


def _accepted(response: ServiceInvokeResponse[Any], *, is_async: bool) -> str:
    """Return what a user must know even if the CID cannot be printed."""
    if not (is_async and response.ok):
        return ""
    if isinstance(response.data, list):
        return f"{len(response.data):,} calls were accepted; their CIDs are in 'zato invocation list'."
    return f"The call was accepted; its CID is {response.data}."


def _print_data(data: Any, *, many: bool) -> None:
    if not many:
        print_response(data)
        return
    for cid in data:
        print_value(cid)


def _kind(item: dict[str, Any]) -> str:
    return "async" if item["is_async"] else "sync"


def _origin(item: dict[str, Any]) -> str:
    return "built-in" if item["is_internal"] else item["file"]


def _print_object(response: ServiceInvokeResponse[Any]) -> None:
    print_value(
        {"ok": response.ok, "cid": response.cid, "data": response.data, "details": response.details}, as_json=True
    )
