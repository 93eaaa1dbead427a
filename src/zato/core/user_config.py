"""What services read as `self.user_config`: files of TOML and INI, as tables whose keys are attributes too.

Read only, because all services of a process share them. No message of this module shows what is in a file, where
passwords may be. Finding and reading the files is the business of `zato.server.user_config`.
"""

import configparser
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import PurePath
from typing import Any, Never

from zato.core.attrdict import as_attributes
from zato.core.errors import MissingConfig, hint_for

__all__ = ["SUFFIXES", "ConfigFault", "ConfigTable", "parse_config", "user_config"]

INI = (".ini", ".conf")
SUFFIXES = (".toml", *INI)
# Where keys go that stand before the first section of an INI file.
TOP = "\0"
# Tables and lists within each other. Deeper ones are no configuration, and Python counts how deep it goes.
MOST_LEVELS = 50


class ConfigFault(ValueError):
    """A file cannot be understood. The message has the line, and nothing of what is in it."""


class ConfigTable(dict[str, Any]):
    """A table of a file, a whole file, or all of them. Its keys are attributes too, and it cannot be changed."""

    __slots__ = ("_broken", "_empty", "_where")

    def __init__(
        self,
        values: Mapping[str, Any],
        where: str,
        broken: Mapping[str, str] | None = None,
        empty: str = "It is empty.",
    ) -> None:
        """Take the values, what to call the table in messages, why which keys are not there, or why none is."""
        super().__init__({key: _read_only(value, f"{where} [{key}]") for key, value in values.items()})
        object.__setattr__(self, "_where", where)
        object.__setattr__(self, "_broken", broken or {})
        object.__setattr__(self, "_empty", empty)

    def __missing__(self, key: object) -> Any:
        raise MissingConfig(self._told(key))

    def __getattr__(self, name: str) -> Any:
        # What Python itself looks for is asked for often, and by nobody who reads the message.
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except MissingConfig as error:
            raise AttributeError(str(error)) from None

    def _told(self, key: object) -> str:
        why: str | None = self._broken.get(key)
        if why is not None:
            return why
        hint = hint_for(str(key), self)
        there = f"It has {', '.join(map(repr, self))}." if self else self._empty
        return f"{self._where} has no {key!r:.100}. {hint or there}"

    def _refuse(self, *_: object, **__: object) -> Never:
        raise TypeError(f"{self._where} cannot be changed here. Change the file; or take a copy with copy.deepcopy.")

    __setitem__ = __delitem__ = __setattr__ = __delattr__ = _refuse
    __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return a copy that can be changed."""
        return as_attributes({key: deepcopy(value, memo) for key, value in self.items()})

    def __reduce__(self) -> Any:
        """Become a plain dict in another process."""
        return dict, (dict(self),)


def user_config(files: Mapping[str, Mapping[str, Any]], broken: Mapping[str, str], folder: str) -> ConfigTable:
    """Return all files as one table, each under its name and under its name without the suffix.

    Args:
        files: what each says, by its name.
        broken: why which files say nothing.
        folder: what to call the folder in messages.
    """
    stems = _stems([*files, *broken])
    values = {name: ConfigTable(table, name) for name, table in files.items()}
    faults = dict(broken)
    for stem, names in stems.items():
        if len(names) > 1:
            faults[stem] = f"{folder} has {' and '.join(map(repr, names))}: name one of them with its suffix."
        elif stem in files:
            # A file `a.toml` beside one that is called `a.toml.ini`.
            continue
        elif names[0] in values:
            values[stem] = values[names[0]]
        else:
            faults[stem] = broken[names[0]]
    empty = f"No file of the environment's folder {folder!r} ends in {', '.join(SUFFIXES)}."
    return ConfigTable(values, folder, faults, empty)


def parse_config(name: str, data: bytes) -> dict[str, Any]:
    """Return what a file says.

    Args:
        name: its name, whose suffix tells TOML from INI.
        data: all of it, in UTF-8.

    Raises:
        ConfigFault: it cannot be understood.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigFault(f"line {line}: it is not UTF-8") from None
    values = _ini(text) if PurePath(name).suffix in INI else _toml(text)
    if _is_deep(values):
        raise ConfigFault(f"it is nested more than {MOST_LEVELS} levels deep")
    return values


def _is_deep(values: dict[str, Any]) -> bool:
    level: list[Any] = [values]
    for _ in range(MOST_LEVELS + 1):
        inner = [item for each in level for item in (each.values() if isinstance(each, dict) else each)]
        level = [item for item in inner if isinstance(item, dict | list)]
        if not level:
            return False
    return True


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigFault(f"it is no TOML: {error}") from None
    except (ValueError, RecursionError):
        raise ConfigFault("it is no TOML: a number is too long, or it is nested too deep") from None


def _ini(text: str) -> dict[str, Any]:
    """Return the sections of an INI file, and the keys before the first one. Values are text."""
    parser = configparser.RawConfigParser(default_section=TOP + TOP, inline_comment_prefixes=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(f"[{TOP}]\n{text}")
    except configparser.DuplicateSectionError as error:
        raise ConfigFault(f"{_line(error.lineno)}: the section {error.section!r} was there before") from None
    except configparser.DuplicateOptionError as error:
        raise ConfigFault(f"{_line(error.lineno)}: the key {error.option!r} was there before") from None
    except configparser.ParsingError as error:
        number = error.errors[0][0] if error.errors else None
        raise ConfigFault(f"{_line(number)}: it is neither a section in brackets nor 'key = value'") from None
    except configparser.Error as error:
        raise ConfigFault(f"it is no INI: {type(error).__name__}") from None
    sections = {section: dict(parser.items(section)) for section in parser.sections()}
    top = sections.pop(TOP)
    return {**top, **sections}


def _line(number: int | None) -> str:
    """Name a line, less the one that was put before all others."""
    return "somewhere" if number is None else f"line {number - 1}"


def _stems(names: list[str]) -> dict[str, list[str]]:
    stems: dict[str, list[str]] = {}
    for name in sorted(names):
        stems.setdefault(PurePath(name).stem, []).append(name)
    return stems


def _read_only(value: Any, where: str) -> Any:
    if isinstance(value, ConfigTable):
        return value
    if isinstance(value, dict):
        return ConfigTable(value, where)
    return [_read_only(item, where) for item in value] if isinstance(value, list) else value
