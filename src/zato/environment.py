"""An environment: the folder that `zato create` makes and a server is started from.

    services/      Python files with services; every *.py in it is loaded at start
    config.toml    settings; every one is listed with its default
    secrets.toml   passwords of machine users and of the broker, and the key that services encrypt with;
                   readable by the owner only
    user-config/   TOML and INI files of the services' own
    data/          the broker's file
    run/           lock and address of the running server, and what it serves HTTPS with
    logs/          server.log and access.log, one JSON object a line

Written by `zato create`, read by the command line and by the server.
"""

import fcntl
import os
import re
import time
import tomllib
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from zato.core.errors import EnvironmentFault, InvalidSetting, ServerNotRunning
from zato.core.masks import MASK
from zato.core.settings import Settings, describe, make_settings
from zato.core.urls import EMBEDDED, split, without_password
from zato.credentials import USERS, Credentials, toml_of
from zato.running import RunningServer
from zato.writing import alone_in, make_folder, removed, replace_private, replacing, write_new

__all__ = ["USERS", "Credentials", "Environment", "toml_of"]

# What services read as `self.user_config`.
USER_CONFIG = "user-config"
FOLDERS = ("services", USER_CONFIG, "data", "run", "logs")
# A command that asks whether a server runs holds the lock for an instant: that is no server.
LOCK_PATIENCE = 0.3
LOCK_PAUSE = 0.02


class Environment:
    """One environment's folder. Making an instance does not touch it."""

    def __init__(self, path: Path) -> None:
        """Take the folder."""
        self.path = path.resolve()
        self.services = self.path / "services"
        self.user_config = self.path / USER_CONFIG
        self.data = self.path / "data"
        self.run = self.path / "run"
        self.logs = self.path / "logs"
        self.config = self.path / "config.toml"
        self.secrets = self.path / "secrets.toml"
        self._lock = self.run / "server.lock"
        self._running = self.run / "server.json"
        self._tls = self.run / "tls.pem"
        self.levels = self.run / "levels.json"

    def create(self, settings: Mapping[str, object], credentials: Credentials) -> None:
        """Make the folder with everything in it, or leave nothing behind.

        Raises:
            EnvironmentFault: it is there and not empty, or cannot be made.
            InvalidSetting: a setting is not legal; nothing is made then.
        """
        make_settings(("command line", settings))
        try:
            with ExitStack() as undoing:
                self._make_folder(undoing)
                for name in FOLDERS:
                    # What users send is in the store and in the log; services have passwords in their configuration.
                    make_folder(self.path / name, 0o755 if name == "services" else 0o700, undoing)
                write_new(self.config, _config_text(settings), mode=0o666)
                undoing.callback(removed, self.config)
                write_new(self.secrets, credentials.to_toml())
                undoing.pop_all()
        except OSError as error:
            where = error.filename or self.path
            raise EnvironmentFault(f"{self.path} cannot be made: {error.strerror}: {where}.") from error

    def check(self) -> "Environment":
        """Return this environment.

        Raises:
            EnvironmentFault: the folder is none.
        """
        if not self.path.exists():
            raise EnvironmentFault(f"{self.path} does not exist. Make an environment with 'zato create {self.path}'.")
        if not self.path.is_dir():
            raise EnvironmentFault(f"{self.path} is a file. An environment is a folder that 'zato create' makes.")
        if not self.config.is_file():
            raise EnvironmentFault(
                f"{self.path} is no environment: it has no config.toml. Make one with 'zato create' in another folder."
            )
        return self

    def settings(self, *overrides: tuple[str, Mapping[str, object]]) -> Settings:
        """Return the settings in force: defaults, `config.toml`, then what overrides it.

        Raises:
            EnvironmentFault: the file cannot be read.
            InvalidSetting: a setting is unknown or not legal.
        """
        return make_settings((str(self.config), _read_toml(self.config)), *overrides)

    def given(self) -> dict[str, Any]:
        """Return what `config.toml` says, unchecked.

        Raises:
            EnvironmentFault: the file cannot be read.
        """
        return _read_toml(self.config)

    def credentials(self) -> Credentials:
        """Return the passwords.

        Raises:
            EnvironmentFault: the file cannot be read, others may read it, or a password is missing or not legal.
        """
        values = _read_toml(self.secrets)
        if self.secrets.stat().st_mode & 0o077:
            raise EnvironmentFault(f"{self.secrets} can be read by others. Run 'chmod 600 {self.secrets}'.")
        return Credentials.of(values, str(self.secrets))

    def broker_access(self, settings: Settings) -> tuple[Settings, Credentials]:
        """Return settings whose broker has no password in its address, and the passwords with the broker's.

        One in the address wins over `secrets.toml`, because it may come from where another address does.

        Raises:
            EnvironmentFault: `secrets.toml` cannot be used.
            InvalidSetting: the address has no password but what stands for one where it is shown.
        """
        credentials = self.credentials()
        if settings.broker == EMBEDDED:
            return settings, credentials
        password = split(settings.broker).password
        if password == MASK:
            raise InvalidSetting(
                f"broker = {settings.broker!r}: *** is no password, but what is shown for one. Give the password, "
                f"or leave it out and write it to {self.secrets} as broker_password."
            )
        apart = replace(settings, broker=without_password(settings.broker))
        return apart, replace(credentials, broker_password=password or credentials.broker_password)

    def set_password(self, user: str, password: str | None = None) -> str:
        """Give a user another password in `secrets.toml`, and return it. All else in the file stays as it is.

        Whoever is killed meanwhile leaves the old file or the new one, and perhaps a draft beside it.

        Args:
            user: one of `USERS`.
            password: the new one, or None for a random one.

        Raises:
            EnvironmentFault: the password is not legal, or the file cannot be read, understood or written.
        """
        key = USERS[user]
        password = str(getattr(Credentials.make(**{key: password}), key))
        # It may be a link to where secrets are kept.
        file = self.secrets.resolve()
        try:
            with alone_in(file.parent):
                values = _read_toml(file)
                text = _with_line(file.read_text("utf-8"), key, password)
                if _toml_or_none(text) != {**values, key: password}:
                    raise EnvironmentFault(f"{file}: the line of {key!r} is not understood. Write it by hand.")
                replace_private(file, text)
        except OSError as error:
            raise EnvironmentFault(f"{error.filename or file} cannot be written: {error.strerror}.") from error
        return password

    def lock(self) -> int:
        """Take the environment's lock, held until the returned file descriptor is closed.

        Whoever holds it knows that every earlier server of this environment is dead.

        Raises:
            EnvironmentFault: a server of this environment runs, or the lock cannot be taken.
        """
        try:
            self.run.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EnvironmentFault(f"{self._lock} cannot be opened: {error.strerror}.") from error
        give_up = time.monotonic() + LOCK_PATIENCE
        while not _locked(handle, fcntl.LOCK_EX):
            if time.monotonic() > give_up:
                os.close(handle)
                raise EnvironmentFault(f"A server of {self.path} runs already. Stop it with 'zato stop {self.path}'.")
            time.sleep(LOCK_PAUSE)
        try:
            self.retract()
        except EnvironmentFault:
            os.close(handle)
            raise
        # What is in it is of an earlier server.
        os.ftruncate(handle, 0)
        return handle

    def is_locked(self) -> bool:
        """Tell whether a server of this environment runs. Nothing is made: it would be whose command looks.

        Raises:
            EnvironmentFault: the lock cannot be read.
        """
        try:
            handle = os.open(self._lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise EnvironmentFault(f"{self._lock} cannot be opened: {error.strerror}.") from error
        try:
            return not _locked(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)

    def announce(self, server: RunningServer) -> None:
        """Say where the running server is, for the command line.

        Raises:
            EnvironmentFault: the file cannot be written.
        """
        draft = self._running.with_suffix(".new")
        try:
            with replacing(self._running, draft):
                draft.write_text(server.to_json(), "utf-8")
        except OSError as error:
            raise EnvironmentFault(f"{error.filename or draft} cannot be written: {error.strerror}.") from error

    def running(self) -> RunningServer:
        """Return the running server.

        Raises:
            ServerNotRunning: none does, or it is still starting; what an earlier one left behind counts for nothing.
                Or it has died and left a process that holds its lock.
            EnvironmentFault: the folder `run` cannot be read.
        """
        if not self.is_locked():
            raise ServerNotRunning(f"No server of {self.path} runs. Start one with 'zato start {self.path}'.")
        try:
            server = RunningServer.from_json(self._running.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ServerNotRunning(
                f"The server of {self.path} has not said yet where it answers. Wait for it: 'zato wait {self.path}'."
            ) from error
        if server.has_ended:
            raise ServerNotRunning(
                f"The server of {self.path}, process {server.pid}, has ended, but a process that it started still "
                f"holds {self._lock}. Find it with 'fuser {self._lock}', and end it."
            )
        return server

    def running_or_none(self) -> RunningServer | None:
        """Return the running server, or None if there is none that has said where it is."""
        try:
            return self.running()
        except (EnvironmentFault, ServerNotRunning):
            return None

    def keep_tls(self, pem: str) -> Path:
        """Keep certificate and key for as long as the server runs, and return the file; its owner alone can read it.

        Raises:
            EnvironmentFault: the file cannot be written.
        """
        try:
            self._tls.unlink(missing_ok=True)
            write_new(self._tls, pem)
        except OSError as error:
            raise EnvironmentFault(f"{self._tls} cannot be written: {error.strerror}.") from error
        return self._tls

    def retract(self) -> None:
        """Say that no server runs any more, and remove what was kept for it.

        Raises:
            EnvironmentFault: that cannot be removed.
        """
        for file in (self._running, self._tls, self.levels):
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise EnvironmentFault(f"{file} cannot be removed: {error.strerror}.") from error

    def _make_folder(self, undoing: ExitStack) -> None:
        if self.path.is_file():
            raise EnvironmentFault(f"{self.path} is a file. Name a folder that is empty or does not exist yet.")
        for folder in reversed([folder for folder in (self.path, *self.path.parents) if not folder.exists()]):
            # Another command may make the same ones.
            with suppress(FileExistsError):
                make_folder(folder, 0o777, undoing)
        if any(self.path.iterdir()):
            raise EnvironmentFault(f"{self.path} is not empty. Name a folder that is empty or does not exist yet.")


def _locked(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _config_text(settings: Mapping[str, object]) -> str:
    lines = ["# Settings of this server. A line that starts with # shows the default.", ""]
    for setting in describe():
        given = setting.name in settings
        value = settings[setting.name] if given else setting.default
        lines += [f"# {setting.help}", f"{'' if given else '# '}{setting.name} = {toml_of(value)}", ""]
    return "\n".join(lines)


def _with_line(text: str, key: str, value: str) -> str:
    """Return TOML in which a key has another value, in its own line or in a new one at the end."""
    line = re.compile(rf"""(?m)^([ \t]*["']?{key}["']?[ \t]*=[ \t]*)("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^#\n]*)""")
    changed, count = line.subn(lambda found: found[1] + toml_of(value), text, count=1)
    return changed if count else f"{text.rstrip()}\n{key} = {toml_of(value)}\n"


def _toml_or_none(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"{path} is no TOML: {error}.") from error
