"""A Redis that cannot be reached, or does not do what it is asked: who is told what, and that it is no password."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.calls import DEPLOYED, HOLDER, accept, ask, call_id, finish, lease, look, make_call
from tests.support.certificates import make_certificates
from tests.support.environments import free_port
from tests.support.redis import RedisServer, find_server
from tests.support.resp import answering
from tests.support.waiting import wait_until
from zato.broker.base import Accept, Announce, Backend, Unconfirmed
from zato.broker.clock import SystemClock
from zato.broker.cluster import Attend, Drain, Pause
from zato.broker.open import Location, durability
from zato.broker.redis.backend import RedisBackend
from zato.broker.redis.survey import look_at
from zato.core.errors import BrokerUnavailable, EnvironmentFault, InvalidSetting
from zato.core.invocation import Status
from zato.core.member import Member

PASSWORD = "s3cr#t/p@ss:word"
IN_URL = "s3cr%23t%2Fp%40ss%3Aword"
HOST = "127.0.0.1"
OLD = b"# Server\r\nredis_version:5.0.14\r\n"
NEEDS_WAITAOF = pytest.mark.skipif(find_server("valkey-server") is None, reason="no server that has WAITAOF is here")


@contextmanager
def _opened(url: str, cluster: str = "c1", **fields: Any) -> Iterator[Backend]:
    with closing(RedisBackend(Location(url, Path(), cluster=cluster, tag="t", **fields), SystemClock())) as backend:
        ask(backend, Announce(DEPLOYED, server=HOLDER.server))
        yield backend


def _refusal(url: str, cluster: str = "c1", **fields: Any) -> str:
    """Return with which words a location is refused."""
    with pytest.raises((EnvironmentFault, InvalidSetting)) as refused:
        RedisBackend(Location(url, Path(), cluster=cluster, tag="t", **fields), SystemClock())
    return str(refused.value)


@pytest.fixture(scope="module")
def locked() -> Iterator[RedisServer]:
    """A Redis that has a password."""
    with RedisServer(password=PASSWORD) as server:
        yield server


# Where it is.


def test_nobody_listens() -> None:
    """Host, port and reason are said."""
    port = free_port()

    assert _refusal(f"redis://{HOST}:{port}") == (
        f"Redis at {HOST}:{port} cannot be reached: Connection refused. Check the setting 'broker'."
    )


def test_the_host_is_unknown() -> None:
    """What the resolver says is passed on."""
    assert re.match(
        r"Redis at nowhere\.invalid:6379 cannot be reached: .+\. Check", _refusal("redis://nowhere.invalid")
    )


def test_sentinels_that_are_not_there() -> None:
    """They are named, and whom they were asked for."""
    place = f"{HOST}:{free_port()}, {HOST}:{free_port()}"
    said = _refusal(f"redis+sentinel://me:{IN_URL}@{place.replace(' ', '')}/main/0")

    assert said.startswith(f"Redis at {place} (sentinels of 'main') cannot be reached: no sentinel")
    assert IN_URL not in said


@pytest.mark.parametrize(
    "url",
    [
        f"redis://me:{PASSWORD}@{HOST}",
        f"redis://:{IN_URL}@{HOST}:port",
        f"redis://:{IN_URL}@{HOST}:6379/nonsense",
        f"redis+sentinel://:{IN_URL}@{HOST}:26379",
        f"http://:{IN_URL}@{HOST}",
        f"redis://:{IN_URL}@",
        f"redis://:{IN_URL}@{HOST}?password={IN_URL}",
    ],
)
def test_an_address_that_is_nonsense_is_not_shown(url: str) -> None:
    """It may hold a password anywhere."""
    said = _refusal(url)

    assert "is not legal" in said
    assert not any(part in said for part in (PASSWORD, IN_URL, "s3cr"))


# Who may come in.


@pytest.mark.parametrize(
    ("given", "reason"), [("", "Authentication required"), ("wr0ng%pass", "invalid username-password pair")]
)
def test_the_password_is_missing_or_wrong(locked: RedisServer, given: str, reason: str) -> None:
    """It is said which of the two, and no password."""
    said = _refusal(locked.url, password=given)

    assert re.match(rf"Redis at {HOST}:{locked.port} refuses to let us in: .*{reason}", said), said
    assert "lost" not in said
    assert not given or given not in said


@pytest.mark.parametrize("apart", [True, False])
def test_the_password_is_right(locked: RedisServer, apart: bool) -> None:
    """Beside the address, or in it, where it is encoded."""
    url = locked.url if apart else locked.url.replace("//", f"//default:{IN_URL}@")
    with _opened(url, "right", password=PASSWORD if apart else "") as backend:
        accept(backend, make_call())
        assert look(backend).status is Status.WAITING


def test_a_password_is_not_shown_when_redis_goes_away() -> None:
    """Whatever is said then."""
    with RedisServer(password=PASSWORD) as server, _opened(server.url, password=PASSWORD) as backend:
        server.kill()
        with pytest.raises(BrokerUnavailable) as refused:
            backend.apply([Accept(make_call())])
    said = f"{refused.value} {refused.value.__cause__}"

    assert said.startswith(f"Redis at {HOST}:{server.port} cannot be reached: Connection refused.")
    assert PASSWORD not in said


def test_tls(tmp_path: Path) -> None:
    """With the authority named in the address a certificate is checked; without it none of that kind is taken."""
    made, port = make_certificates(tmp_path / "tls"), free_port()
    files: dict[str, Any] = {"tls_cert_file": made.chain, "tls_key_file": made.key, "tls_ca_cert_file": made.authority}
    with RedisServer(tls_port=port, tls_auth_clients="no", **files):
        with _opened(f"rediss://{HOST}:{port}?ssl_ca_certs={made.authority}") as backend:
            accept(backend, make_call())
            assert look(backend).status is Status.WAITING
        said = _refusal(f"rediss://{HOST}:{port}")

    assert re.match(rf"Redis at {HOST}:{port} cannot be reached: .*certificate verify failed", said), said


# What it is.


def test_a_redis_that_is_too_old() -> None:
    """It is said which one it is, and which one is needed."""
    with answering(b"+OK\r\n", INFO=b"$%d\r\n%s\r\n" % (len(OLD), OLD)) as port:
        said = _refusal(f"redis://{HOST}:{port}")

    assert said == f"Redis at {HOST}:{port} is of version 5.0.14; zato needs 6.2 or newer."


def test_something_that_is_no_redis() -> None:
    """It is said what happened."""
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert f"Redis at {HOST}:{port} " in _refusal(f"redis://{HOST}:{port}")


@pytest.mark.parametrize(
    ("commands", "kind"),
    [
        ([("SET", "mine")], "string"),
        ([("RPUSH", "mine")], "list"),
        ([("HSET", "version", "3")], "hash"),
        ([("HSET", "program", "other"), ("HSET", "format", "1")], "hash"),
        ([("HSET", "program", "zato")], "hash"),
    ],
)
def test_a_name_of_ours_is_somebody_elses(
    redis_server: RedisServer, cluster_name: str, commands: list[tuple[str, ...]], kind: str
) -> None:
    """The key is named, and nothing is changed."""
    meta = f"{{zato:{cluster_name}}}:meta"
    with redis_server.client() as client:
        run: Any = client.execute_command
        for name, *rest in commands:
            run(name, meta, *rest)
        before = client.dump(meta) if kind != "hash" else client.hgetall(meta)
        said = _refusal(redis_server.url, cluster_name)
        after = client.dump(meta) if kind != "hash" else client.hgetall(meta)

    assert f"the key {meta} holds a {kind} of another program. Choose another name (setting 'cluster')" in said
    assert before == after


def test_a_newer_format_is_left_alone(redis_server: RedisServer, cluster_name: str) -> None:
    """An older version does not begin with it."""
    with redis_server.client() as client:
        client.hset(f"{{zato:{cluster_name}}}:meta", mapping={"program": "zato", "format": "2"})
    said = _refusal(redis_server.url, cluster_name)

    assert said.endswith("is of format 2; this version of zato reads up to 1. Upgrade zato.")


def test_a_format_that_becomes_newer_is_an_unavailable_broker(redis_server: RedisServer, cluster_name: str) -> None:
    """Somebody upgraded the others meanwhile: whoever calls is told so, and nothing is stored."""
    with _opened(redis_server.url, cluster_name) as backend, redis_server.client() as client:
        client.hset(f"{{zato:{cluster_name}}}:meta", "format", "2")
        client.client_kill_filter(_type="normal", skipme=True)
        with pytest.raises(BrokerUnavailable, match="Upgrade zato"):
            backend.apply([Accept(make_call())])


def test_a_key_of_another_kind_is_a_refusal(redis_server: RedisServer, cluster_name: str) -> None:
    """Of that call alone; the others of its batch are stored."""
    with _opened(redis_server.url, cluster_name) as backend, redis_server.client() as client:
        client.set(f"{{zato:{cluster_name}}}:c:c2", "mine")
        results = backend.apply([Accept(make_call(number)) for number in (1, 2, 3)]).results

    assert [type(result).__name__ for result in results] == ["Accepted", "BrokerUnavailable", "Accepted"]
    assert "holds something of another program under a name of ours" in str(results[1])


# What it cannot do now.


def test_a_replica_takes_nothing_and_its_master_does() -> None:
    """It is said at the start; and a master that becomes a replica refuses, and is asked for again."""
    with RedisServer() as master, RedisServer(replica_of=master) as replica:
        assert "is a replica, and takes no calls. Name its master" in _refusal(replica.url)
        with _opened(master.url) as backend, master.client() as client:
            client.replicaof(HOST, replica.port)
            with pytest.raises(BrokerUnavailable, match="is a replica"):
                ask(backend, Accept(make_call()))
            client.replicaof("NO", "ONE")
            accept(backend, make_call(2))
            assert look(backend, 2).status is Status.WAITING


def test_a_full_redis_takes_no_calls_and_lets_servers_work() -> None:
    """What was accepted before is run to its end; servers connect, live, are drained; queues are paused."""
    member = Member(
        holder=HOLDER, identity="a", host="h", pid=1, version="1", address="", started=1, services=1, running=0, slots=1
    )
    with RedisServer() as server, _opened(server.url) as backend:
        accept(backend, make_call(1))
        server.fill()
        results = backend.apply([Accept(make_call(2)), Attend(member, 6), Drain("server1", True), Pause("q", True)])
        with _opened(server.url):
            pass
        refused, *allowed = results.results
        assert re.match(rf"Redis at {HOST}:{server.port} is full: it uses all of its 'maxmemory'", str(refused))
        assert not any(isinstance(each, Exception) for each in allowed), allowed
        assert (len(lease(backend)), finish(backend)) == (1, True)


# How sure it is.


def test_without_the_replicas_asked_for_a_call_is_not_confirmed() -> None:
    """It was stored, which is said; a warning at the start says why."""
    with RedisServer() as server, _opened(server.url, replicas=1) as backend:
        (result,) = backend.apply([Accept(make_call())]).results
        _, problems = durability(Location(server.url, Path(), cluster="c1", replicas=1))

        assert isinstance(result, Unconfirmed)
        assert "0 of 1 replicas had it within 1 s (setting replicas)" in str(result)
        assert any("1 replicas have to have each call (setting replicas), and it has 0" in each for each in problems)
        assert look(backend).status is Status.WAITING


def test_with_the_replicas_asked_for_a_call_is_confirmed() -> None:
    """The replica has it by then."""
    with (
        RedisServer(repl_diskless_sync_delay=0) as master,
        RedisServer(replica_of=master) as replica,
        _opened(master.url, replicas=1) as backend,
        master.client() as asked,
        replica.client() as client,
    ):
        wait_until(lambda: asked.execute_command("WAIT", 1, 100) == 1, what="a replica that confirms")  # type: ignore[no-untyped-call]
        assert ask(backend, Accept(make_call())).cid == "c1"
        assert client.exists("{zato:c1}:d:" + call_id(1))


@pytest.mark.parametrize(
    ("program", "options", "reason"),
    [
        ("redis-server", {"appendonly": "yes"}, "cannot tell what is on its disk (setting redis_fsync)"),
        pytest.param(
            "valkey-server", {}, "writes nothing to its disk as it happens (setting redis_fsync)", marks=NEEDS_WAITAOF
        ),
    ],
)
def test_what_cannot_wait_for_its_disk_is_refused(program: str, options: dict[str, Any], reason: str) -> None:
    """At the start, with what to do."""
    with RedisServer(program=program, **options) as server:
        assert reason in _refusal(server.url, fsync=True)


@NEEDS_WAITAOF
def test_what_waits_for_its_disk_confirms() -> None:
    """And once it stops to write there, nothing is confirmed."""
    with (
        RedisServer(program="valkey-server", appendonly="yes", appendfsync="everysec") as server,
        _opened(server.url, fsync=True) as backend,
    ):
        assert ask(backend, Accept(make_call())).cid == "c1"
        server.config_set(appendonly="no")
        (result,) = backend.apply([Accept(make_call(2))]).results

    assert isinstance(result, Unconfirmed)
    assert "WAITAOF" in str(result)


def test_what_is_known_of_a_redis(tmp_path: Path) -> None:
    """One line for the log, and what endangers calls."""
    with RedisServer(maxmemory_policy="allkeys-lru") as server:
        report = look_at(Location(server.url, tmp_path))
        line, problems = durability(Location(server.url, tmp_path))

    assert replace(report, used_memory=0, problems=()).format is None
    assert line == (
        f"Redis {report.version} at {HOST}:{server.port} keeps calls: appendonly no, replicas 0, when full allkeys-lru"
    )
    assert [re.split(r"[:.,(]", each)[0].strip() for each in problems] == [
        "It keeps calls in memory",
        "When it is full it drops keys",
    ]
