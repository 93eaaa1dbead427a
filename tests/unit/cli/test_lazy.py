"""Groups that import their commands when they are asked for."""

import click
import pytest

from zato.cli.lazy import LazyGroup
from zato.cli.main import invocation, quickstart, root, service

GROUPS = {"zato": root, "service": service, "invocation": invocation, "quickstart": quickstart}


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_every_command_of_the_table_is_there(group: LazyGroup) -> None:
    """No entry leads nowhere."""
    context = click.Context(group)
    commands = [group.get_command(context, name) for name in group.list_commands(context)]
    assert commands
    assert [command for command in commands if not isinstance(command, click.Command)] == []


def test_command_that_is_not_in_the_table() -> None:
    """Asking for it is no error here; the command line says what is nearest."""
    assert root.get_command(click.Context(root), "creat") is None


def test_entry_that_is_no_command() -> None:
    """Nothing else than a command is ever run."""
    group = LazyGroup("test", "Test.", {"x": ("zato.core.envelope:ADMIN_INVOKE", "No command.")})
    assert group.get_command(click.Context(group), "x") is None
