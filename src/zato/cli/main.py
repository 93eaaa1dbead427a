"""The entry point: the table of commands, and how errors end."""

import io
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
from zato.cli.streams import is_of_printing, open_what_is_closed, say
from zato.conflicts import conflict_message
from zato.core.errors import ZatoError

__all__ = ["main"]

# What a shell says of a command that Ctrl-C has ended.
INTERRUPTED = 130

config = LazyGroup(
    "config",
    "See what is set, where it comes from, and what it does.",
    {
        "show": ("zato.cli.config:show", "Show every setting, its value, and where that comes from."),
        "explain": ("zato.cli.config:explain", "Explain settings: what each does, and what is legal."),
    },
)

service = LazyGroup(
    "service",
    "Write services, invoke them, and see what is deployed.",
    {
        "new": ("zato.cli.new_service:new", "Write a new service, and a test of it."),
        "invoke": ("zato.cli.service:invoke", "Invoke a service, now or in the background."),
        "list": ("zato.cli.service:list_services", "List the services a server has."),
        "show": ("zato.cli.service:show", "Show what is known of one service."),
    },
)

invocation = LazyGroup(
    "invocation",
    "See what became of background calls, cancel and replay them.",
    {
        "list": ("zato.cli.invocation:list_calls", "List calls by status, service and time."),
        "show": ("zato.cli.invocation:show", "Show the record of one call by its CID."),
        "wait": ("zato.cli.invocation:wait", "Wait for a call to end, and print its response."),
        "cancel": ("zato.cli.invocation:cancel", "Cancel a call, or all that match."),
        "replay": ("zato.cli.invocation:replay", "Make a call once more, or all that match."),
    },
)

queue = LazyGroup(
    "queue",
    "See what is in the queues of background calls, and hold one up.",
    {
        "list": ("zato.cli.queue:list_queues", "List the queues that have calls, or are paused."),
        "pause": ("zato.cli.queue:pause", "Have no call of a queue started."),
        "resume": ("zato.cli.queue:resume", "Have them started again."),
    },
)

server = LazyGroup(
    "server",
    "See the servers of a cluster, and have one take no new work.",
    {
        "list": ("zato.cli.server:list_servers", "List the servers of the cluster."),
        "drain": ("zato.cli.server:drain", "Have one take no new background calls, and wait for those that run."),
    },
)

user = LazyGroup(
    "user",
    "Say who may log in to the web admin, and as what.",
    {
        "create": ("zato.cli.user:create", "Make a person."),
        "list": ("zato.cli.user:list_users", "List the people, their roles and last log-ins."),
        "delete": ("zato.cli.user:delete", "Delete a person."),
        "password": ("zato.cli.user:password", "Give a person another password."),
        "role": ("zato.cli.user:role", "Give a person another role."),
    },
)

cluster = LazyGroup(
    "cluster",
    "Have other servers join the cluster.",
    {"invite": ("zato.cli.invitations:invite", "Write down what another server has to know to join.")},
)

web_admin = LazyGroup(
    "web-admin",
    "Look at a server in a browser.",
    {"start": ("zato.cli.web_admin:start", "Serve the pages for a server.")},
)

migrate = LazyGroup(
    "migrate",
    "Move services of the original server here.",
    {
        "check": (
            "zato.cli.migrate:check_services",
            "Say what of old services works here, and what to do about the rest.",
        )
    },
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
        "demo": ("zato.cli.demo:demo", "See in half a minute what this is."),
        "create": ("zato.cli.create:create", "Make an environment."),
        "start": ("zato.cli.start:start", "Start an environment's server."),
        "stop": ("zato.cli.control:stop", "Stop it."),
        "restart": ("zato.cli.control:restart", "Stop it and start it again."),
        "wait": ("zato.cli.control:wait", "Wait until it answers."),
        "config": ("zato.cli.main:config", "See what is set, where it comes from, and what it does."),
        "password": ("zato.cli.password:password", "Give a machine user another password."),
        "info": ("zato.cli.info:info", "Show versions, store, users and where passwords are."),
        "status": ("zato.cli.status:status", "Show where it answers, and its processes."),
        "doctor": ("zato.cli.doctor:doctor", "Check rights, settings, port, store, disk, clock, versions."),
        "logs": ("zato.cli.logs:logs", "Show what it has logged, and what it logs now."),
        "log-level": ("zato.cli.log_level:log_level", "Show what it logs, or change that while it runs."),
        "backup": ("zato.cli.backup:backup", "Copy what it has accepted and recorded to a file."),
        "restore": ("zato.cli.backup:restore", "Put back what such a file holds."),
        "service": ("zato.cli.main:service", "Write services, invoke them, and see what is deployed."),
        "invocation": ("zato.cli.main:invocation", "See what became of background calls, cancel and replay them."),
        "queue": ("zato.cli.main:queue", "See what is in the queues of background calls, and hold one up."),
        "server": ("zato.cli.main:server", "See the servers of a cluster, and have one take no new work."),
        "user": ("zato.cli.main:user", "Say who may log in to the web admin, and as what."),
        "cluster": ("zato.cli.main:cluster", "Have other servers join the cluster."),
        "web-admin": ("zato.cli.main:web_admin", "Look at a server in a browser."),
        "migrate": ("zato.cli.main:migrate", "Move services of the original server here."),
        "completion": ("zato.cli.completion:completion", "Print the script that makes a shell complete this command."),
        "quickstart": ("zato.cli.main:quickstart", "The old spelling of 'zato create'."),
    },
)
click.version_option(__version__, prog_name="zato")(root)


def main() -> None:
    """Run the command line and end the process."""
    open_what_is_closed()
    sys.exit(_run())


def _run() -> int:
    """Run a command, tell how it failed if it did, and return the exit status."""
    try:
        with _said_once():
            status = root(obj=os.environ, standalone_mode=False)
    except (click.Abort, KeyboardInterrupt) as error:
        say("Aborted!")
        # A prompt makes one error of Ctrl-C and of the end of stdin; a no is that error without a cause.
        return INTERRUPTED if KeyboardInterrupt in (type(error), type(error.__context__)) else 1
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        say(shown.getvalue().rstrip("\n"))
        return error.exit_code
    except ZatoError as error:
        say(f"Error: {error}")
        return error.exit_code
    except OSError as error:
        if not is_of_printing(error):
            raise
        say(" ".join([f"Error: The output cannot be written: {error.strerror}.", *getattr(error, "__notes__", ())]))
        return 1
    return status if isinstance(status, int) else 0


@contextmanager
def _said_once() -> Iterator[None]:
    """Warn in one line of what is installed over us, and leave retried connections to the final error."""
    retries = logging.getLogger("urllib3.connectionpool")
    level = retries.level
    retries.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            if message := conflict_message():
                say(f"Warning: {message}")
                warnings.filterwarnings("ignore", message=re.escape(message))
            yield
    finally:
        retries.setLevel(level)


if __name__ == "__main__":
    main()
