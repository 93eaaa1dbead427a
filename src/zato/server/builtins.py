"""Every built-in service, and what each of them is given. They are registered as users' services are."""

from dataclasses import dataclass
from functools import partial

from zato.broker.batcher import Batcher
from zato.core.settings import Settings
from zato.server.builtin.audit import GetAudit
from zato.server.builtin.basic import Echo, InputLogger, Ping
from zato.server.builtin.checking import CheckInput
from zato.server.builtin.cluster import Drain, GetServers
from zato.server.builtin.deployed import Describe, GetList, GetSource
from zato.server.builtin.invocation import Cancel, Count, Get, GetTree, List, Replay
from zato.server.builtin.log import GetLevels, SetLevel
from zato.server.builtin.queue import GetQueues, Pause, Resume
from zato.server.builtin.server import Info
from zato.server.builtin.service import Invoke, InvokeAsyncMany
from zato.server.builtin.session import Close, GetCall, GetCalls, GetSession, Open
from zato.server.builtin.user import Create, Delete, GetUsers, SetPassword, SetRole
from zato.server.deployment import Deployment
from zato.server.front import Front
from zato.server.logs.levels import Levels
from zato.server.people.people import People
from zato.server.publisher import Publisher
from zato.server.records import Records
from zato.server.registry import Deployed
from zato.server.state import State
from zato.server.threads import Budget

__all__ = ["Parts", "builtins_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What built-in services are given.

    Attributes:
        settings: of this server.
        batcher: asks the broker, also to change something.
        reader: asks the broker what changes nothing, on a connection of its own.
        publisher: stores background calls.
        front: carries out clients' requests.
        records: finds background calls.
        people: who may use the web admin.
        levels: of the loggers.
        state: tells of this process.
        deployment: what is known of services.
        slots: for what blocks, as requests have them.
    """

    settings: Settings
    batcher: Batcher
    reader: Batcher
    publisher: Publisher
    front: Front
    records: Records
    people: People
    levels: Levels
    state: State
    deployment: Deployment
    slots: Budget


def builtins_of(parts: Parts) -> list[Deployed]:
    """Return the built-in services, ready to be deployed."""
    return [
        *_plain(),
        *_of_services(parts),
        *_of_invocations(parts),
        *_of_servers(parts),
        *_of_queues(parts),
        *_of_logs(parts),
        *_of_people(parts.people),
    ]


def _plain() -> list[Deployed]:
    return [Deployed.builtin(kind, kind) for kind in (Ping, InputLogger, Echo)]


def _of_services(parts: Parts) -> list[Deployed]:
    return [
        Deployed.builtin(partial(Invoke, parts.front), Invoke),
        Deployed.builtin(partial(InvokeAsyncMany, parts.front), InvokeAsyncMany),
        *(Deployed.builtin(partial(kind, parts.deployment), kind) for kind in (GetList, Describe, GetSource)),
        Deployed.builtin(partial(CheckInput, parts.deployment, parts.slots), CheckInput),
    ]


def _of_invocations(parts: Parts) -> list[Deployed]:
    records, tracebacks = parts.records, parts.settings.return_tracebacks
    return [
        Deployed.builtin(partial(Get, records, tracebacks=tracebacks), Get),
        Deployed.builtin(partial(List, records, tracebacks=tracebacks), List),
        Deployed.builtin(partial(Count, records), Count),
        Deployed.builtin(partial(GetTree, records), GetTree),
        Deployed.builtin(partial(Cancel, records, tracebacks=tracebacks), Cancel),
        Deployed.builtin(partial(Replay, records, parts.publisher), Replay),
    ]


def _of_servers(parts: Parts) -> list[Deployed]:
    return [
        Deployed.builtin(partial(Info, parts.state.info), Info),
        Deployed.builtin(partial(GetServers, parts.batcher, parts.state.now), GetServers),
        Deployed.builtin(partial(Drain, parts.batcher, parts.state.now), Drain),
    ]


def _of_queues(parts: Parts) -> list[Deployed]:
    return [
        Deployed.builtin(partial(GetQueues, parts.reader), GetQueues),
        Deployed.builtin(partial(Pause, parts.batcher), Pause),
        Deployed.builtin(partial(Resume, parts.batcher), Resume),
    ]


def _of_logs(parts: Parts) -> list[Deployed]:
    return [
        Deployed.builtin(partial(SetLevel, parts.levels), SetLevel),
        Deployed.builtin(partial(GetLevels, parts.levels), GetLevels),
    ]


def _of_people(people: People) -> list[Deployed]:
    return [
        Deployed.builtin(partial(Open, people.login), Open),
        Deployed.builtin(GetSession, GetSession),
        Deployed.builtin(partial(Close, people.sessions), Close),
        Deployed.builtin(partial(GetCalls, people.history), GetCalls),
        Deployed.builtin(partial(GetCall, people.history), GetCall),
        *(Deployed.builtin(partial(kind, people), kind) for kind in (Create, GetUsers, Delete, SetPassword, SetRole)),
        Deployed.builtin(partial(GetAudit, people.trail), GetAudit),
    ]
