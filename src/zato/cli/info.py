"""`zato info`: what an environment is, whether its server runs or not."""

import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from zato import __version__
from zato.broker.survey import FILE, survey
from zato.cli.parameters import FOLDER
from zato.cli.readiness import probe
from zato.cli.stores import counted_by_server, counts_shown, settings_in_force, shared_place
from zato.cli.tables import print_fields, print_json
from zato.core.errors import EnvironmentFault, ServerNotRunning, ZatoError
from zato.core.settings import Settings
from zato.core.urls import EMBEDDED
from zato.environment import USERS, Environment
from zato.running import RunningServer, url_of

__all__ = ["info"]

USED_FOR = {"admin.invoke": "/zato/admin/invoke", "pubapi": "/zato/api/invoke/SERVICE"}


@click.command
@click.argument("path", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.option("--show-secrets", is_flag=True, help="Show the passwords themselves.")
@click.pass_obj
def info(variables: Mapping[str, str], path: Path, *, as_json: bool, show_secrets: bool) -> None:
    """Show what the environment in PATH is: its server, versions, store and users.

    Whether a server runs or not, the exit status is 0; 'zato status' is for scripts that ask about that.
    """
    environment = Environment(path).check()
    found = _found(environment, settings_in_force(environment, variables), show_secrets=show_secrets)
    if as_json:
        print_json(found)
    else:
        print_fields(_shown(found))


def _found(environment: Environment, settings: Settings, *, show_secrets: bool) -> dict[str, Any]:
    """Return the object that `--json` prints."""
    server, reason = _running(environment)
    return {
        "path": str(environment.path),
        "name": server.name if server else settings.name,
        "version": __version__,
        "python": platform.python_version(),
        "address": server.address if server else url_of(settings.host, settings.port, tls=bool(settings.tls_cert)),
        "running": server is not None,
        "reason": reason,
        "server": _server(environment, server) if server else None,
        "workers": len(server.workers) if server else settings.workers,
        "threads": _threads(settings, server),
        "broker": _broker(environment, settings),
        "calls": _calls(environment, settings, server),
        "users": _users(environment, show_secrets=show_secrets),
        "secrets": str(environment.secrets),
    }


def _running(environment: Environment) -> tuple[RunningServer | None, str]:
    """Return the server, or why there is none."""
    try:
        return environment.running(), ""
    except ServerNotRunning as error:
        return None, str(error)


def _server(environment: Environment, server: RunningServer) -> dict[str, Any]:
    """Return what the running server says of itself; what it does not say is null."""
    from zato.cli.door import ask

    readiness = probe(server)
    answers: dict[str, Any] = {}
    items = None
    if readiness.ready:
        try:
            answers = ask(environment.path, "zato.server.info")
            items = ask(environment.path, "zato.service.get-list")["items"]
        except ZatoError as error:
            readiness = type(readiness)(ready=True, reason=str(error))
    own = None if items is None else sum(not item["is_internal"] for item in items)
    return {
        "pid": server.pid,
        "ready": readiness.ready,
        "reason": readiness.reason,
        "since": server.since,
        "version": answers.get("version"),
        "python": answers.get("python"),
        "services": None if items is None or own is None else {"own": own, "built_in": len(items) - own},
    }


def _threads(settings: Settings, server: RunningServer | None) -> dict[str, Any]:
    """Return how many blocking services one worker runs at once."""
    now = server.settings if server else {}
    names = {"http": "http_threads", "background": "background_threads"}
    return {key: now.get(name, getattr(settings, name)) for key, name in names.items()}


def _broker(environment: Environment, settings: Settings) -> dict[str, Any]:
    """Return which store there is: its file, and how large that is with its log, or its address."""
    shared = shared_place(asdict(settings))
    if shared is not None:
        address, cluster = shared
        return {"kind": "redis", "file": None, "size": None, "url": address, "cluster": cluster}
    file = environment.data / FILE
    parts = [part for part in (file, file.with_name(f"{FILE}-wal")) if part.exists()]
    size = sum(part.stat().st_size for part in parts) if parts else None
    return {"kind": settings.broker, "file": str(file), "size": size, "url": None, "cluster": None}


def _calls(environment: Environment, settings: Settings, server: RunningServer | None) -> dict[str, int] | None:
    """Return how many background calls have no outcome yet, or None if nobody can tell."""
    if settings.broker != EMBEDDED:
        return counted_by_server(environment.path) if server else None
    try:
        found = asdict(survey(environment.data))
    except EnvironmentFault:
        return None
    del found["newest"]
    return found


def _users(environment: Environment, *, show_secrets: bool) -> list[dict[str, Any]]:
    credentials = environment.credentials() if show_secrets else None
    return [
        {"name": name, "for": USED_FOR[name], "password": getattr(credentials, key) if credentials else None}
        for name, key in USERS.items()
    ]


def _shown(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the lines that a person reads."""
    yield "path", found["path"]
    yield "name", found["name"]
    yield "address", found["address"]
    yield from _server_shown(found)
    yield "openzato", f"{found['version']}, Python {found['python']}"
    yield "workers", str(found["workers"])
    yield "threads", f"{found['threads']['http']} for requests, {found['threads']['background']} in the background"
    yield from _broker_shown(found["broker"])
    if found["calls"] is not None:
        yield "calls", counts_shown(found["calls"])
    for user in found["users"]:
        yield (
            "user",
            f"{user['name']} for {user['for']}" + (f", password {user['password']}" if user["password"] else ""),
        )
    yield "passwords", f"in {found['secrets']}"


def _broker_shown(broker: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if broker["cluster"] is None:
        yield "broker", f"{broker['kind']}, {broker['file']} ({_bytes(broker['size'])})"
    else:
        yield "broker", broker["url"]
        yield "cluster", broker["cluster"]


def _server_shown(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    server = found["server"]
    if server is None:
        yield "server", found["reason"]
        return
    since = f", since {server['since']}" if server["since"] else ""
    ready = "" if server["ready"] else f", not ready: {server['reason']}"
    yield "server", f"runs as process {server['pid']}{since}{ready}"
    if server["version"] not in (None, found["version"]):
        yield "", f"it is version {server['version']} until 'zato restart'"
    if server["services"] is not None:
        yield "services", f"{server['services']['own']} of your own, {server['services']['built_in']} built in"
    elif server["ready"]:
        yield "services", f"unknown: {server['reason']}"


def _bytes(size: int | None) -> str:
    """Return a number of bytes as people read it."""
    if size is None:
        return "not made yet"
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{size / 1000:.0f} kB"
