"""Turning values into HTML: Jinja2 with everything escaped, and the forms that numbers, times and sizes take."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from zato import __version__

__all__ = ["STATIC", "Templates", "asset_url", "duration", "seconds_between", "size"]

STATIC = resources.files("zato.web_admin") / "static"
UNITS = ("bytes", "kB", "MB", "GB")


class Templates:
    """The templates, compiled when they are first used."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._environment = environment = Environment(
            loader=PackageLoader("zato.web_admin"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters.update(
            duration=duration, size=size, number=number, segment=segment, query=query_of, hundredths=hundredths
        )
        environment.globals.update(asset=asset_url, version=__version__, seconds_between=seconds_between)

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """Return a template's text, with values in it."""
        return self._environment.get_template(name).render(values)


def asset_url(name: str) -> str:
    """Return the address of a static file, which changes with its content, so that browsers may keep it for ever."""
    if name not in _hashes:
        _hashes[name] = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{_hashes[name]}/{name}"


_hashes: dict[str, str] = {}


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Return the seconds between two times in ISO 8601, or None if one is missing."""
    if start is None or end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def duration(seconds: float | None) -> str:
    """Return seconds as people say it: `0 ms`, `1.25 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`; nothing for None."""
    if seconds is None:
        return ""
    seconds = max(0.0, seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    whole = int(seconds)
    for unit, (big, small) in {86_400: ("d", "h"), 3600: ("h", "min"), 60: ("min", "s")}.items():
        if whole >= unit:
            rest = whole % unit // {86_400: 3600, 3600: 60, 60: 1}[unit]
            return f"{whole // unit} {big}" + (f" {rest} {small}" if rest else "")
    raise AssertionError(seconds)


def size(count: int) -> str:
    """Return bytes as people say it: `312 bytes`, `1.2 kB`, `10 MB`."""
    amount, unit = float(count), 0
    while amount >= 1000 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.0f} {UNITS[unit]}" if unit == 0 or amount >= 10 else f"{amount:.1f} {UNITS[unit]}"


def number(value: int) -> str:
    """Return a number with thousands apart."""
    return f"{value:,}"


def segment(text: object) -> str:
    """Return a text as one segment of a path."""
    return quote(str(text), safe="")


def query_of(values: Mapping[str, object]) -> str:
    """Return a query string without what is empty."""
    return urlencode({name: value for name, value in values.items() if value not in (None, "")})


def hundredths(value: float) -> str:
    """Return a number for an attribute of a picture."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
