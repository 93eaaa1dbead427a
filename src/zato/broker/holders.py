"""Who holds a lease, as the one text that stands in the embedded broker's file."""

from zato.core.invocation import Holder

__all__ = ["holder_text", "is_dead", "server_of"]


def holder_text(holder: Holder) -> str:
    """Return a holder as `server/run/worker`. A server's name may hold slashes; the other two do not."""
    return f"{holder.server}/{holder.run}/{holder.worker}"


def server_of(text: str) -> str:
    """Return the name of the server that a holder belongs to."""
    return text.rsplit("/", 2)[0]


def is_dead(text: str, holder: Holder) -> bool:
    """Tell whether a process that starts as `holder` knows that another holder is no more.

    All who share a file belong to one environment, which has one server at a time: whoever is of another
    run is dead, whatever the server was called then. Of its own run it knows only the one it replaces.
    """
    _, run, worker = text.rsplit("/", 2)
    return run != holder.run or worker == str(holder.worker)
