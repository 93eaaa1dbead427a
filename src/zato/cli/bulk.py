"""The same done to many calls: counted, confirmed, with a progress bar, and a last line that says how far it came."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click

__all__ = ["confirm", "do_to_all"]

# Requests at once: the server stores together what comes together.
AT_ONCE = 8
SERVICES_SHOWN = 10

Call = dict[str, Any]


def confirm(calls: Sequence[Call], question: str, *, yes: bool) -> None:
    """Return if somebody wants this, having seen how many calls there are of which service.

    Args:
        calls: their records.
        question: what would be done, such as `Replay`.
        yes: nobody is asked.

    Raises:
        click.UsageError: nobody is there to be asked.
        click.Abort: they do not want it.
    """
    if yes or not calls:
        return
    counted = Counter((call["service"], call["status"]) for call in calls)
    for (service, status), count in counted.most_common(SERVICES_SHOWN):
        click.echo(f"{count:>8,}  {service}  {status}", err=True)
    if len(counted) > SERVICES_SHOWN:
        click.echo(f"          and {len(counted) - SERVICES_SHOWN} more kinds", err=True)
    if not sys.stdin.isatty():
        match = "matches" if len(calls) == 1 else "match"
        raise click.UsageError(
            f"{_calls(len(calls))} {match}. Nobody is there to be asked; if that is meant, give --yes."
        )
    click.confirm(f"{question} {_calls(len(calls))}?", abort=True, err=True)


def do_to_all(calls: Sequence[Call], act: Callable[[Call], str], label: str) -> "Counter[str]":
    """Do something to every call, oldest first, and return how often each answer came.

    Ctrl-C and errors end it between two calls; how far it came is printed in any case.

    Args:
        calls: their records, newest first.
        act: does it, from several threads, and says in a word what became of it.
        label: what is done, such as `Replaying`.
    """
    came: Counter[str] = Counter()
    pool = ThreadPoolExecutor(AT_ONCE)
    bar = click.progressbar(length=len(calls), label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
    try:
        with bar:
            for answer in pool.map(act, reversed(calls)):
                came[answer] += 1
                bar.update(1)
    finally:
        pool.shutdown(cancel_futures=True)
        click.echo(_summary(came, len(calls)), err=True)
    return came


def _summary(came: "Counter[str]", total: int) -> str:
    parts = [f"{count:,} {what}" for what, count in came.most_common()]
    left = total - came.total()
    if left:
        parts.append(f"{left:,} not done or unknown")
    return f"{_calls(total)}: {', '.join(parts) or 'nothing to do'}."


def _calls(count: int) -> str:
    return f"{count:,} call{'' if count == 1 else 's'}"
