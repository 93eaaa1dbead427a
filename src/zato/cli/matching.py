"""Which background calls a command is about: filters as options, and the calls that match them, page by page."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import click

from zato.cli.completion import service_names
from zato.cli.door import refuse
from zato.cli.parameters import Moment
from zato.client import AnyServiceInvoker
from zato.core.invocation import Status

__all__ = ["STATUSES", "filter_options", "given", "pages"]

STATUSES = tuple(status.value for status in Status)
# Larger ones keep the server from answering others for longer.
PAGE = 200

FILTERS = (
    click.option("--service", shell_complete=service_names, help="Only calls of this service."),
    click.option("--since", type=Moment(), help="Only calls accepted since then: '2h', '3d' ago, or a time."),
    click.option("--until", type=Moment(), help="Only calls accepted before then."),
    click.option("--channel", help="Only calls that came that way, such as 'invoke-async'."),
    click.option("--server", help="Only calls that run on the server of that name, or ended there."),
    click.option("--error", metavar="TEXT", help="Only calls whose error has TEXT in its type or message."),
    click.option("--parent", metavar="CID", help="Only calls made by the call with this CID."),
    click.option("--cid", metavar="CID", help="Only calls that carry this CID."),
)


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which calls it is about, all but `--status`."""
    for option in reversed(FILTERS):
        command = option(command)
    return command


def given(filters: Mapping[str, object]) -> dict[str, object]:
    """Return the filters that were given."""
    return {name: value for name, value in filters.items() if value is not None}


def pages(
    client: AnyServiceInvoker, filters: Mapping[str, object], statuses: Iterable[str | None]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of all calls that match, in pages, each status newest first.

    Raises:
        ServiceError: the server refuses a filter.
        NetworkError: it does not answer.
    """
    for status in statuses:
        cursor = None
        while True:
            asked = {**filters, "status": status, "limit": PAGE, "cursor": cursor}
            response = client.invoke("zato.invocation.get-list", given(asked))
            refuse(response)
            yield response.data["items"]
            cursor = response.data["cursor"]
            if cursor is None:
                break
