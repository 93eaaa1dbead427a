"""The Lua scripts, each with the model in front of it, and the names that Redis knows them by."""

import hashlib
from dataclasses import dataclass
from importlib import resources

__all__ = ["Script", "load_scripts"]

MODEL = "model"
PACKAGE = "zato.broker.redis"


@dataclass(frozen=True, slots=True)
class Script:
    """A script.

    Attributes:
        sha: what `EVALSHA` calls it.
    """

    name: str
    text: str
    sha: str

    @classmethod
    def of(cls, name: str, text: str) -> "Script":
        """Return the script of a text."""
        return cls(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def load_scripts() -> dict[str, Script]:
    """Return every script by its name."""
    files = (file for file in resources.files(PACKAGE).iterdir() if file.name.endswith(".lua"))
    texts = {file.name.removesuffix(".lua"): file.read_text("utf-8") for file in files}
    model = texts.pop(MODEL)
    return {name: Script.of(name, f"{model}\n{text}") for name, text in texts.items()}
