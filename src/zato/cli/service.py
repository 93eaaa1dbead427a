"""`zato service …`."""

from pathlib import Path

import click

from zato.cli.door import ask, connect, print_value, refuse
from zato.cli.parameters import FOLDER, Seconds, headers_given, payload_given, url_path_given
from zato.client import ServiceInvokeResponse
from zato.core.envelope import ADMIN_INVOKE

__all__ = ["invoke", "list_services"]

NO_RESPONSE = "(None)"


@click.command
@click.argument("path", type=FOLDER)
@click.argument("name")
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
@click.option("--async", "--is-async", "is_async", is_flag=True, help="In the background; prints the CID.")
@click.option("--expiration", type=Seconds(), help="With --async: within how long it must start.")
@click.option("--verbose", is_flag=True, help="Show the HTTP reply too.")
@click.option("--json", "as_json", is_flag=True, help="Print an object with ok, cid, data and details.")
def invoke(
    *,
    path: Path,
    name: str,
    payload: str,
    headers: dict[str, str],
    channel: str,
    data_format: str,
    transport: str | None,
    url_path: str,
    max_cid_repr: int,
    max_response_repr: int,
    is_async: bool,
    expiration: float | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """Invoke the service NAME of the server in PATH, and print its response.

    Stdout holds the response and nothing else; errors go to stderr. The exit status is 0 if the service
    succeeded.
    """
    with connect(path, url_path, max_cid_repr=max_cid_repr, max_response_repr=max_response_repr) as client:
        call = client.invoke_async if is_async else client.invoke
        options = {} if expiration is None else {"expiration": expiration}
        response = call(
            name,
            payload,
            headers,
            channel,
            data_format,
            transport,
            to_json=False,
            **options,  # type: ignore[arg-type]
        )
    if verbose:
        click.echo(f"inner.text:[{response.inner.text[:max_response_repr]}]")
        click.echo(f"response:[{response!r}]")
    if as_json:
        _print_object(response)
    refuse(response)
    if not as_json:
        print_value(response.data if response.has_data else NO_RESPONSE)


@click.command
@click.argument("path", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
def list_services(path: Path, as_json: bool) -> None:
    """List the services of the server in PATH."""
    items = ask(path, "zato.service.get-list")["items"]
    if as_json:
        print_value(items, as_json=True)
        return
    width = max(len(item["name"]) for item in items)
    for item in items:
        origin = "built-in" if item["is_internal"] else item["file"]
        click.echo(f"{item['name']:<{width}}  {'async' if item['is_async'] else 'sync':<5}  {origin}")


def _print_object(response: ServiceInvokeResponse) -> None:
    print_value(
        {"ok": response.ok, "cid": response.cid, "data": response.data, "details": response.details}, as_json=True
    )
