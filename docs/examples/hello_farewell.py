"""What this file is for."""

from dataclasses import dataclass

from zato.server.service import Model, Service


@dataclass
class FarewellInput(Model):
    """What the service is given."""

    name: str


@dataclass
class FarewellOutput(Model):
    """What it answers."""

    greeting: str


class Farewell(Service):
    """Greets somebody. Say here what the service does: 'zato service show' prints it."""

    name = "hello.farewell"
    input: FarewellInput
    output: FarewellOutput

    def handle(self) -> FarewellOutput:
        """Return the greeting."""
        return FarewellOutput(greeting=f"Hello, {self.input.name}!")
