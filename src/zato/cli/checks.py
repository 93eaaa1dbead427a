"""What `zato doctor` looks at. Nothing is changed, no user's code is run, and a running server is not disturbed."""

import contextlib
import os
import re
import resource
import shlex
import shutil
import ssl
import stat
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from zato.broker.survey import FILE, damage, sqlite_version, survey
from zato.cli.readiness import probe
from zato.conflicts import conflict_message
from zato.core.certificates import validity
from zato.core.errors import EnvironmentFault, ServerNotRunning, ZatoError
from zato.core.settings import Settings
from zato.core.urls import EMBEDDED, shown
from zato.environment import Environment
from zato.running import Layer, RunningServer, how_to_restart

__all__ = ["CHECKS", "Check", "Patient"]

PYTHON = (3, 11)
SQLITE = (3, 51, 3)
# No version of this program is older.
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
# By how much a clock may be put back before it matters.
CLOCK_SLACK = timedelta(minutes=1)
# Bytes of disk.
FEW = 1_000_000_000
TOO_FEW = 100_000_000
FEW_FILES = 1000
MOST_LOGS = 300_000_000
EXPIRES_SOON = timedelta(days=30)
# Files that a server has open besides its connections.
OWN_FILES = 256
DRAFT = re.compile(r"zato-[0-9a-f]{16}\.draft")
CERTIFICATE = re.compile(r"^-----BEGIN CERTIFICATE-----.*?^-----END CERTIFICATE-----", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Check:
    """What was found.

    Attributes:
        name: what was looked at.
        state: `ok`, `warning` or `problem`.
        remedy: what to do, or an empty text if nothing.
    """

    name: str
    state: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """An environment, and what is known of it before the checks.

    Attributes:
        settings: those of the next start, or None if they are not legal.
        fault: why they are not.
        layers: what overrides `config.toml` in them.
        server: the running server.
        now: the time.
    """

    environment: Environment
    settings: Settings | None
    fault: str
    layers: Sequence[Layer]
    server: RunningServer | None
    now: datetime


def _rights(patient: Patient) -> Iterator[Check]:
    environment = patient.environment
    owner = environment.path.stat().st_uid
    private = {
        environment.secrets: 0o600,
        **dict.fromkeys((environment.data, environment.run, environment.logs), 0o700),
    }
    found = []
    for path, mode in private.items():
        try:
            status = path.stat()
        except OSError as error:
            found.append(Check("rights", "problem", f"{path}: {error.strerror}.", _made_by(path, mode)))
            continue
        if status.st_mode & 0o077:
            is_secret = path == environment.secrets
            what = "others can read it" if is_secret else "others can look into it: payloads and responses are there"
            shown = f"{path} has mode {stat.S_IMODE(status.st_mode):o}: {what}."
            found.append(
                Check("rights", "problem" if is_secret else "warning", shown, _command("chmod", f"{mode:o}", path))
            )
        if status.st_uid != owner:
            shown = f"{path} belongs to user {status.st_uid}, the environment to user {owner}."
            found.append(Check("rights", "problem", shown, _command("chown", owner, path)))
        if not os.access(path, os.R_OK | (0 if mode == 0o600 else os.W_OK | os.X_OK)):
            shown = f"{path} cannot be used by this user, {os.geteuid()}."
            found.append(Check("rights", "problem", shown, f"Run zato as user {status.st_uid}."))
    found += _files_of_others(environment, owner)
    yield from found or [Check("rights", "ok", "Secrets, data, run and logs are the owner's alone.")]


def _files_of_others(environment: Environment, owner: int) -> Iterator[Check]:
    """Yield what a server cannot open because another user, root for instance, has made it."""
    for file in [*sorted(environment.run.glob("*")), *sorted(environment.data.glob(f"{FILE}*"))]:
        # It may go meanwhile.
        with contextlib.suppress(FileNotFoundError):
            user = file.lstat().st_uid
            if user != owner:
                shown = f"{file} belongs to user {user}, the environment to user {owner}."
                yield Check("rights", "problem", shown, _command("chown", owner, file))


def _made_by(path: Path, mode: int) -> str:
    return "Write it anew, or restore it." if mode == 0o600 else _command("mkdir", "-m", f"{mode:o}", path)


def _command(*words: object) -> str:
    """Return a command for a shell, whatever is in its words."""
    return shlex.join(map(str, words))


def _config(patient: Patient) -> Iterator[Check]:
    environment = patient.environment
    if patient.fault:
        yield Check("config", "problem", patient.fault, "No server starts until that is corrected.")
    else:
        yield Check("config", "ok", f"{environment.config} is legal.")
    try:
        environment.credentials()
        yield Check("passwords", "ok", f"{environment.secrets} has both.")
    except (ZatoError, OSError) as error:
        yield Check("passwords", "problem", str(error), "No server starts until that is corrected.")
    server, settings = patient.server, patient.settings
    if server is None or settings is None:
        return
    differ = [name for name, value in shown(asdict(settings)).items() if server.settings.get(name, value) != value]
    if differ:
        message = f"The running server has other values of: {', '.join(differ)}."
        yield Check("config", "warning", message, how_to_restart(environment.path, server))
    changed = datetime.fromtimestamp(environment.secrets.stat().st_mtime, UTC)
    if server.since and changed > datetime.fromisoformat(server.since):
        message = "secrets.toml was changed after the server was started, which takes the passwords from before."
        yield Check("passwords", "warning", message, how_to_restart(environment.path, server))


def _server(patient: Patient) -> Iterator[Check]:
    environment, server = patient.environment, patient.server
    if server is None:
        try:
            environment.running()
        except ServerNotRunning as error:
            if environment.is_locked():
                yield Check("server", "problem", str(error), "See the log, or end what holds the lock.")
            else:
                yield Check("server", "ok", "None runs, and nothing holds the lock.")
        return
    readiness = probe(server)
    if readiness.ready:
        yield Check("server", "ok", f"Process {server.pid} answers at {server.address}.")
    else:
        message = f"Process {server.pid} runs and is not ready: {readiness.reason}."
        yield Check("server", "problem", message, _command("zato", "logs", environment.path))
    for worker in server.workers:
        if worker.deaths:
            message = f"Worker {worker.number} was replaced, times: {worker.deaths}."
            yield Check("server", "warning", message, _command("zato", "logs", environment.path, "--level", "error"))


def _port(patient: Patient) -> Iterator[Check]:
    from zato.cli.start import check_address

    settings, server = patient.settings, patient.server
    if settings is None:
        return
    where = f"Port {settings.port} on {settings.host}"
    if server is not None and (server.host, server.port) == (settings.host, settings.port):
        yield Check("port", "ok", f"{where} is this environment's.")
        return
    try:
        check_address(settings)
        yield Check("port", "ok", f"{where} is free.")
    except EnvironmentFault as error:
        yield Check("port", "problem", str(error), "Change 'port' or 'host' in config.toml, or stop the other one.")


def _disk(patient: Patient) -> Iterator[Check]:
    folders = [folder for folder in (patient.environment.data, patient.environment.logs) if folder.is_dir()]
    for folder in folders:
        free = shutil.disk_usage(folder).free
        state = "problem" if free < TOO_FEW else "warning" if free < FEW else "ok"
        message = f"{free / 1_000_000_000:.1f} GB are free for {folder}."
        yield Check("disk", state, message, "" if state == "ok" else "Make room: without it nothing is accepted.")
        status = os.statvfs(folder)
        if status.f_files and status.f_favail < FEW_FILES:
            yield Check("disk", "problem", f"{status.f_favail} more files fit on the disk of {folder}.", "Remove some.")
    size = sum(file.stat().st_size for file in patient.environment.logs.glob("*") if file.is_file())
    if size > MOST_LOGS:
        message = f"{patient.environment.logs} takes {size / 1_000_000:.0f} MB, more than logs alone do."
        yield Check("logs", "warning", message, "Remove what is not a log; start.log begins anew at the next start.")
    else:
        yield Check("logs", "ok", f"{patient.environment.logs} takes {size / 1_000_000:.1f} MB.")


def _store(patient: Patient) -> Iterator[Check]:
    if patient.settings is not None and patient.settings.broker != EMBEDDED:
        yield from _redis(patient.environment, patient.settings)
        yield from _clock(patient, None)
        return
    data = patient.environment.data
    if not (data / FILE).exists():
        yield Check("store", "ok", f"{data / FILE} does not exist yet: the first start makes it.")
        yield from _clock(patient, None)
        return
    try:
        found, wrong = survey(data), damage(data)
    except (EnvironmentFault, OSError) as error:
        # An old format is no fault, and says so itself.
        state = "warning" if "upgrades it" in str(error) else "problem"
        yield Check("store", state, str(error), "" if state == "warning" else _restoring(patient))
        yield from _clock(patient, None)
        return
    if wrong:
        yield Check("store", "problem", f"{data / FILE} is damaged: {wrong}.", _restoring(patient))
    else:
        yield Check("store", "ok", f"{data / FILE} is whole.")
    if found.stranded:
        waiting = (
            "1 call waits for a service that is"
            if found.stranded == 1
            else f"{found.stranded} calls wait for services that are"
        )
        listing = _command("zato", "invocation", "list", patient.environment.path, "--status", "stranded")
        yield Check("calls", "warning", f"{waiting} not deployed.", listing)
    yield from _clock(patient, found.newest)


def _redis(environment: Environment, settings: Settings) -> Iterator[Check]:
    from zato.cli.redis_checks import check_redis

    try:
        yield from (Check(*found) for found in check_redis(environment, settings))
    except ModuleNotFoundError as error:
        yield Check("store", "problem", f"The library {error.name!r} is missing.", "pip install 'openzato[redis]'")


def _restoring(patient: Patient) -> str:
    return f"Stop the server, move the file away, then: {_command('zato', 'restore', patient.environment.path)} BACKUP"


def _clock(patient: Patient, newest: int | None) -> Iterator[Check]:
    now = patient.now
    latest = datetime.fromtimestamp(newest / 1000, UTC) if newest is not None else EARLIEST
    shown = f"It is {now:%Y-%m-%d %H:%M:%S} UTC by the clock"
    if now < latest - CLOCK_SLACK:
        message = f"{shown}, and {latest:%Y-%m-%d %H:%M:%S} has been: it was put back, or is wrong."
        yield Check("clock", "problem", message, "Set it, and have it kept right (timedatectl set-ntp true).")
    elif newest is not None and now > latest + timedelta(days=3650):
        message = f"{shown}, ten years after the newest record."
        yield Check("clock", "warning", message, "Check that it is right.")
    else:
        yield Check("clock", "ok", f"{shown}.")


def _versions(_patient: Patient) -> Iterator[Check]:
    for name, found, least in (("Python", sys.version_info[:3], PYTHON), ("SQLite", sqlite_version(), SQLITE)):
        version, wanted = (".".join(map(str, numbers)) for numbers in (found, least))
        if found < least:
            yield Check("versions", "problem", f"{name} is {version}.", f"Install {wanted} or newer.")
        else:
            yield Check("versions", "ok", f"{name} is {version}.")
    if message := conflict_message():
        what, _, remedy = message.partition(". ")
        yield Check("versions", "problem", f"{what}.", remedy)


def _tls(patient: Patient) -> Iterator[Check]:
    from zato.cli.start import check_tls

    settings, environment = patient.settings, patient.environment
    if settings is None:
        return
    try:
        fingerprint = check_tls(environment, settings)
    except EnvironmentFault as error:
        yield Check("tls", "problem", str(error), "No server starts until that is corrected.")
        return
    if fingerprint is None:
        yield Check("tls", "ok", "Plain HTTP: no certificate is set.")
        return
    yield _expiry(environment.path / settings.tls_cert, patient.now)
    if patient.server is not None and patient.server.tls_fingerprint not in (None, fingerprint):
        message = "The running server has another certificate than the file."
        yield Check("tls", "warning", message, how_to_restart(environment.path, patient.server))


def _expiry(file: Path, now: datetime) -> Check:
    found = CERTIFICATE.search(file.read_text("latin-1"))
    if found is None:
        return Check(
            "tls", "warning", f"{file}: no certificate in PEM is found.", "Check yourself until when it is valid."
        )
    begins, ends = validity(ssl.PEM_cert_to_DER_cert(found[0]))
    renew = "Get a new one, then restart the server."
    if now < begins:
        return Check(
            "tls", "problem", f"{file} is valid from {begins:%Y-%m-%d %H:%M} UTC on.", "Wait, or set the clock."
        )
    if now > ends:
        return Check("tls", "problem", f"{file} expired on {ends:%Y-%m-%d}.", renew)
    soon = ends - now < EXPIRES_SOON
    return Check("tls", "warning" if soon else "ok", f"{file} is valid until {ends:%Y-%m-%d}.", renew if soon else "")


def _limits(patient: Patient) -> Iterator[Check]:
    soft = _most_files(patient.server)
    needed = OWN_FILES + (patient.settings.max_requests if patient.settings else 0)
    if soft != resource.RLIM_INFINITY and soft < needed:
        message = f"A process may have {soft} files open; {needed} are needed at full load (setting max_requests)."
        yield Check("limits", "warning", message, f"ulimit -n {needed}, or LimitNOFILE= of its service unit.")
    else:
        yield Check("limits", "ok", f"A process may have {soft} files open.")


def _most_files(server: RunningServer | None) -> int:
    """Return how many files the running server may have open, or one that is started here."""
    if server is not None and sys.platform == "linux":
        with contextlib.suppress(OSError):
            return resource.prlimit(server.pid, resource.RLIMIT_NOFILE)[0]
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _services(patient: Patient) -> Iterator[Check]:
    folder = patient.environment.services
    if not folder.is_dir():
        yield Check("services", "problem", f"{folder} is no folder.", _command("mkdir", folder))
        return
    files = sorted(folder.glob("[!.]*.py"))
    broken = [(file, fault) for file in files if (fault := _syntax_fault(file))]
    for file, fault in broken:
        yield Check("services", "problem", f"{file}: {fault}.", "Correct the file: its services are not loaded.")
    if not broken:
        counted = "1 file is" if len(files) == 1 else f"{len(files)} files are"
        yield Check("services", "ok", f"{counted} Python in {folder}.")


def _syntax_fault(file: Path) -> str:
    """Return why a file cannot be Python, without running it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = file.read_bytes()
            if b"\0" in content:
                return "it holds zero bytes, as no file in Python does"
            compile(content, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}" if error.lineno else error.msg
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return ""


def _leftovers(patient: Patient) -> Iterator[Check]:
    environment = patient.environment
    found = [file for folder in (environment.path, environment.run) for file in sorted(folder.glob("*.new"))]
    found += [file for file in sorted(environment.data.glob("zato-*")) if DRAFT.fullmatch(file.name)]
    for file in found:
        message = f"{file} was left behind by a command that was killed, unless one runs now."
        yield Check("leftovers", "warning", message, _command("rm", file))
    if not found:
        yield Check("leftovers", "ok", "No draft was left behind.")


CHECKS: tuple[Callable[[Patient], Iterator[Check]], ...] = (
    _rights,
    _config,
    _server,
    _port,
    _tls,
    _services,
    _store,
    _disk,
    _versions,
    _limits,
    _leftovers,
)
