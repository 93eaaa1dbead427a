"""Command groups whose commands are imported only when they are asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from zato.core.errors import hint_for

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """A group that knows its commands by `module:attribute` and one line of help."""

    def __init__(self, name: str, help: str, table: Mapping[str, tuple[str, str]], **options: object) -> None:
        """Take the group's name, its help, and for each command where it is and what it does."""
        super().__init__(name, help=help, no_args_is_help=True)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self._table:
            return None
        module, _, attribute = self._table[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one is nearest."""
        if args and args[0] not in self._table and not args[0].startswith("-") and not ctx.resilient_parsing:
            hint = hint_for(args[0], self._table) or f"Commands: {', '.join(self._table)}."
            ctx.fail(f"There is no command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        """Complete a command without importing it, or an option."""
        commands = [CompletionItem(name, help=line) for name, (_, line) in self._table.items()]
        found = [command for command in commands if command.value.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._table.items()])
