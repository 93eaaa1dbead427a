"""`zato completion`: the script that makes a shell complete this command, and what is completed besides commands.

The shell runs `zato` itself to learn what comes next, so nothing here may take long or say anything.
"""

import contextlib
import threading
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from zato.cli.parameters import Choice
from zato.core.settings import describe
from zato.environment import USERS

__all__ = ["completion", "people_names", "queue_names", "service_names", "setting_names", "users"]

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_ZATO_COMPLETE"
# Seconds that a server has to name its services.
PATIENCE = 1.0


@click.command
@click.argument("shell", type=Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    r"""Print the script that makes SHELL complete commands, options and names.

    Put it where the shell finds it, then open a new one:

    \b
    bash  zato completion bash > ~/.local/share/bash-completion/completions/zato
          or, without the package bash-completion, in ~/.bashrc:
          eval "$(zato completion bash)"
    zsh   zato completion zsh > ~/.zfunc/_zato
          and in ~/.zshrc, before compinit: fpath+=~/.zfunc
    fish  zato completion fish > ~/.config/fish/completions/zato.fish

    Services are completed while their server runs.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"This version of click does not know {shell}.")
    click.echo(kind(context.find_root().command, {}, "zato", VARIABLE).source())


def service_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
    """Complete the name of a service that the server in PATH has. No server, no names."""
    return _names("zato.service.get-list", context, incomplete)


def queue_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
    """Complete the name of a queue that has calls, or is paused."""
    return _names("zato.queue.get-list", context, incomplete)


def people_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
    """Complete the name of a person who may log in to the web admin."""
    return _names("zato.user.get-list", context, incomplete)


def _names(service: str, context: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
    """Return what begins so of the names in a list that a built-in service returns."""
    # Behind an option without its value, click has not told the arguments apart yet.
    path = context.params.get("path") or next(map(Path, context.args), None)
    found: list[CompletionItem[Any]] = []
    if path is not None:
        asking = threading.Thread(target=_ask, args=(path, service, incomplete, found), daemon=True)
        asking.start()
        asking.join(PATIENCE)
    return list(found)


def setting_names(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
    """Complete the name of a setting."""
    return [CompletionItem(item.name, help=item.help) for item in describe() if item.name.startswith(incomplete)]


def users(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
    """Complete the name of a machine user."""
    return [CompletionItem(user) for user in USERS if user.startswith(incomplete)]


def _ask(path: Path, service: str, incomplete: str, found: list[CompletionItem[Any]]) -> None:
    from zato.cli.door import ask

    with contextlib.suppress(Exception):
        names = [item["name"] for item in ask(path, service)["items"]]
        found += [CompletionItem(name) for name in names if name.startswith(incomplete)]
