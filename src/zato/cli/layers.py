"""Where settings come from besides `config.toml`: environment variables, and options of `zato start`."""

from collections.abc import Iterator, Mapping, Sequence

from zato.core.settings import ENVIRONMENT_PREFIX, describe
from zato.running import Layer, RunningServer

__all__ = ["COMMAND_LINE", "layers_at_restart", "layers_at_start", "options_of", "variable_of", "variables_of"]

COMMAND_LINE = "command line"
VARIABLE = "environment variable "


def variable_of(setting: str) -> str:
    """Return the environment variable that gives a setting."""
    return f"{ENVIRONMENT_PREFIX}{setting.upper()}"


def layers_at_start(variables: Mapping[str, str], options: Mapping[str, object]) -> list[Layer]:
    """Return what overrides `config.toml` when a server is started.

    Args:
        variables: of the environment.
        options: settings that are given on the command line.
    """
    layers = list(_given_by(variables))
    return [*layers, (COMMAND_LINE, options)] if options else layers


def layers_at_restart(
    server: RunningServer, variables: Mapping[str, str], options: Mapping[str, object]
) -> list[Layer]:
    """Return what overrides `config.toml` when a server is started again: what did so before, unless it is given anew.

    Args:
        server: the one that runs.
        variables: of the environment.
        options: settings that are given on the command line.
    """
    return layers_at_start({**variables_of(server.layers), **variables}, {**options_of(server.layers), **options})


def options_of(layers: Sequence[Layer]) -> dict[str, object]:
    """Return the settings that the command line gave."""
    return {name: value for source, layer in layers if source == COMMAND_LINE for name, value in layer.items()}


def variables_of(layers: Sequence[Layer]) -> dict[str, str]:
    """Return the environment variables that gave settings."""
    found = {}
    for source, layer in layers:
        if source.startswith(VARIABLE):
            found.update({variable_of(name): str(value) for name, value in layer.items()})
    return found


def _given_by(variables: Mapping[str, str]) -> Iterator[Layer]:
    """Yield the settings that environment variables give, each with the variable it comes from."""
    for setting in describe():
        variable = variable_of(setting.name)
        if variable in variables:
            yield f"{VARIABLE}{variable}", {setting.name: variables[variable]}
