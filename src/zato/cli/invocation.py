"""`zato invocation …`."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from zato.cli.bulk import confirm, do_to_all
from zato.cli.door import ask, connect, print_response, print_value, refuse
from zato.cli.matching import STATUSES, filter_options, given, pages
from zato.cli.parameters import FOLDER, Choice, Seconds, payload_given
from zato.cli.record import COLUMNS, ENDED, Record, as_row, get_record, print_record, why_not_done
from zato.cli.tables import print_table
from zato.client import AnyServiceInvoker, ServiceInvokeResponse
from zato.core.errors import Conflict, InvocationTimeout, NotFound
from zato.core.invocation import PENDING, Status
from zato.core.known_errors import error_of
from zato.core.payload import from_door

__all__ = ["cancel", "list_calls", "replay", "show", "wait"]


CANCELLABLE = tuple(map(str, PENDING))

by_id = click.option("--id", "by_id", is_flag=True, help="What is given is not a CID, but an invocation's id.")
bulk = click.option("--all", "all_matching", is_flag=True, help="Every call that matches the options below.")
unasked = click.option("--yes", is_flag=True, help="With --all: do not ask.")
as_json_counted = click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON object; with --all its keys are matched and counts."
)


@click.command
@click.argument("path", type=FOLDER)
@click.option("--status", type=Choice(STATUSES), help="Only calls of this status.")
@filter_options
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Calls a page.")
@click.option("--cursor", help="The page to show: what the page before has printed.")
@click.option("--all", "every_page", is_flag=True, help="All pages.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object with items and cursor.")
def list_calls(
    *,
    path: Path,
    status: str | None,
    limit: int,
    cursor: str | None,
    every_page: bool,
    as_json: bool,
    **filters: str | None,
) -> None:
    """List the background calls of the server in PATH, newest first."""
    if every_page:
        with connect(path) as client:
            found: Any = {"items": _matching(client, filters, [status]), "cursor": None}
    else:
        asked = {**filters, "status": status, "limit": limit, "cursor": cursor}
        found = ask(path, "zato.invocation.get-list", given(asked))
    if as_json:
        print_value(found, as_json=True)
        return
    print_table(COLUMNS, map(as_row, found["items"]))
    if found["cursor"] is not None:
        click.echo(f"There are more: the same command with --cursor {found['cursor']}, or --all.", err=True)


@click.command
@click.argument("path", type=FOLDER)
@click.argument("cid")
@by_id
@click.option("--wait", type=Seconds(), default=0.0, help="How long to wait for an outcome.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as a JSON object.")
def show(path: Path, cid: str, wait: float, *, by_id: bool, as_json: bool) -> None:
    """Show the record of a background call of the server in PATH: the newest one with the CID."""
    with connect(path) as client:
        record = get_record(client, cid, wait, by_id=by_id)
    if as_json:
        print_value(record, as_json=True)
    else:
        print_record(record)


@click.command
@click.argument("path", type=FOLDER)
@click.argument("cid")
@by_id
@click.option("--timeout", type=Seconds(), default=600.0, show_default=True, help="How long to wait at most.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as a JSON object, whatever the outcome.")
def wait(path: Path, cid: str, timeout: float, *, by_id: bool, as_json: bool) -> None:
    """Wait until a background call of the server in PATH has ended, and print its response.

    The exit status is 0 if its service succeeded, 8 if the time ran out before it ended.
    """
    with connect(path) as client:
        record = get_record(client, cid, timeout, by_id=by_id)
    if as_json:
        print_value(record, as_json=True)
    if record["status"] not in ENDED:
        raise InvocationTimeout(f"The call {cid!r} is {record['status']} after {timeout:g} s. Wait again, or longer.")
    if record["status"] != Status.DONE:
        raise why_not_done(record)
    if not as_json:
        print_response(record["response"])


@click.command
@click.argument("path", type=FOLDER)
@click.argument("call", metavar="[CID]", required=False)
@by_id
@bulk
@click.option("--status", type=Choice(CANCELLABLE), help="With --all: only calls of this status.")
@filter_options
@unasked
@as_json_counted
def cancel(
    *,
    path: Path,
    call: str | None,
    by_id: bool,
    all_matching: bool,
    status: str | None,
    yes: bool,
    as_json: bool,
    **filters: str | None,
) -> None:
    """Cancel a background call of the server in PATH, or all that match; their outcome is 'cancelled'.

    A service that runs is told to stop.
    """
    with connect(path) as client:
        if not _is_bulk(call, all_matching, status, yes, filters):
            response = client.invoke("zato.invocation.cancel", _named(call, by_id=by_id))
            refuse(response)
            print_value(response.data if as_json else f"Cancelled {call}.")
            return
        calls = _matching(client, filters, CANCELLABLE if status is None else [status])
        confirm(calls, "Cancel", yes=yes)
        counts = do_to_all(calls, partial(_cancel_one, client), "Cancelling")
    _print_counts(counts, len(calls), as_json=as_json)


@click.command
@click.argument("path", type=FOLDER)
@click.argument("call", metavar="[CID]", required=False)
@by_id
@click.option(
    "--payload", callback=payload_given, help="Another input than before; '-' and '@FILE' as in 'service invoke'."
)
@bulk
@click.option("--status", type=Choice(ENDED), help="With --all: only calls of this status.  [default: failed]")
@filter_options
@click.option("--again", is_flag=True, help="With --all: also those that were replayed before.")
@unasked
@as_json_counted
def replay(
    *,
    path: Path,
    call: str | None,
    by_id: bool,
    payload: str | None,
    all_matching: bool,
    status: str | None,
    again: bool,
    yes: bool,
    as_json: bool,
    **filters: str | None,
) -> None:
    """Make a background call of the server in PATH once more, or all that match; prints the new CID.

    The new call has the payload and the options of the first one. --all leaves out every call that was replayed
    before, in whatever way: after an error, give the command again.
    """
    with connect(path) as client:
        if not _is_bulk(call, all_matching, status, yes or again, filters):
            changed = {} if payload is None else {"payload": from_door(payload.encode())[0]}
            response = client.invoke("zato.invocation.replay", {**_named(call, by_id=by_id), **changed})
            refuse(response)
            print_value(response.data if as_json else response.data["cid"])
            return
        if payload is not None:
            raise click.UsageError("--payload is for one call. Leave out --all, and name the call's CID.")
        calls = _matching(client, filters, [Status.FAILED if status is None else status])
        if not (again or yes):
            click.echo("Those that were replayed before are left out.", err=True)
        confirm(calls, "Replay", yes=yes)
        counts = do_to_all(calls, partial(_replay_one, client, once=not again), "Replaying")
    _print_counts(counts, len(calls), as_json=as_json)


def _print_counts(counts: Mapping[str, int], matched: int, *, as_json: bool) -> None:
    if as_json:
        print_value({"matched": matched, "counts": counts}, as_json=True)


def _is_bulk(
    cid: str | None, all_matching: bool, status: str | None, flag: bool, filters: Mapping[str, object]
) -> bool:
    """Tell whether a command is about all that match, not about one call.

    Raises:
        click.UsageError: it does not say which, or says both.
    """
    if cid is None and not all_matching:
        raise click.UsageError("Say which call: name its CID, or give --all for every call that matches.")
    if cid is not None and all_matching:
        raise click.UsageError(f"--all means every call that matches; leave it out for the one with CID {cid!r}.")
    if not all_matching and (status or flag or given(filters)):
        raise click.UsageError("Filters, --again and --yes are for --all.")
    return all_matching


def _matching(client: AnyServiceInvoker, filters: Mapping[str, object], statuses: Sequence[str | None]) -> list[Record]:
    return [call for page in pages(client, given(filters), statuses) for call in page]


def _cancel_one(client: AnyServiceInvoker, call: Record) -> str:
    response = client.invoke("zato.invocation.cancel", {"id": call["id"]})
    return _came(response, "cancelled")


def _replay_one(client: AnyServiceInvoker, call: Record, *, once: bool) -> str:
    response = client.invoke("zato.invocation.replay", {"id": call["id"], "once": once})
    # What has an outcome has it for ever: a conflict says that an earlier replay was given another payload.
    before = once and (error_of(response.inner.status_code) is Conflict or (response.ok and not response.data["new"]))
    return "replayed before" if before else _came(response, "replayed")


def _came(response: ServiceInvokeResponse[Any], done: str) -> str:
    """Return what became of one call of many. What is wrong with this one alone does not end the others."""
    kind = error_of(response.inner.status_code)
    if not response.ok and kind in (Conflict, NotFound):
        return "no longer in this status" if kind is Conflict else "gone"
    refuse(response)
    return done


def _named(cid: str | None, *, by_id: bool) -> dict[str, str | None]:
    return {"id" if by_id else "cid": cid}
