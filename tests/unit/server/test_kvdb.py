"""The client of redis-py that services have, on a real Redis."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.support.redis import RedisServer
from zato.broker.open import Location
from zato.server.kvdb import ServerKVDB


@pytest.fixture
def kvdb(redis_url: str, cluster_name: str, tmp_path: Path) -> Iterator[ServerKVDB]:
    """One that is closed in the end."""
    made = ServerKVDB(Location(redis_url, tmp_path, cluster=cluster_name))
    yield made
    made.close()


def test_text_comes_back_as_text(kvdb: ServerKVDB, cluster_name: str) -> None:
    """Everything that redis-py can do is there."""
    key = f"{{zato:{cluster_name}}}:mine"
    kvdb.conn.hset(key, mapping={"żółw": 1})
    assert kvdb.conn.hgetall(key) == {"żółw": "1"}
    assert kvdb.conn.pipeline().hlen(key).delete(key).execute() == [1, 1]


def test_threads_share_one_client(kvdb: ServerKVDB) -> None:
    """It is made once, whoever comes first."""
    found: list[Any] = []
    threads = [Thread(target=lambda: found.append(kvdb.conn)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {id(conn) for conn in found} == {id(kvdb.conn)}


def test_password_and_database_are_those_of_the_broker(tmp_path: Path) -> None:
    """What services write is where the broker's address leads, and closing it twice does no harm."""
    with RedisServer(password="hunter2") as server:
        kvdb = ServerKVDB(Location(f"redis://127.0.0.1:{server.port}/3", tmp_path, password="hunter2"))
        kvdb.conn.set("a", "b")
        assert kvdb.conn.client_info()["db"] == 3
        kvdb.close()
        kvdb.close()
