"""A Redis master and its replica, watched by sentinels that promote the replica when the master is gone."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import redis

from tests.support.environments import free_port
from tests.support.redis import START_TIMEOUT, RedisServer, start_redis
from tests.support.waiting import wait_until

__all__ = ["RedisSentinel"]

FAIL_OVER_TIMEOUT = 90.0
CONFIGURATION = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor {name} 127.0.0.1 {master} {quorum}
sentinel down-after-milliseconds {name} 500
sentinel failover-timeout {name} 2000
"""


class RedisSentinel:
    """The master, the replica and the sentinels. Use it in a `with`; leaving kills them all.

    Attributes:
        name: what the sentinels call the master.
        master: who is it first.
        replica: who is promoted.
        ports: where the sentinels listen.
    """

    name = "main"

    def __init__(self, *, sentinels: int = 1, **options: Any) -> None:
        """Say what to run.

        Args:
            sentinels: how many; more than half of them have to agree.
            options: of both servers, as `RedisServer` takes them.
        """
        self._sentinels = sentinels
        self._options = {"repl_diskless_sync_delay": 0, "repl_ping_replica_period": 1, **options}
        self._stack = ExitStack()
        self.master = RedisServer(**self._options)
        self.ports: list[int] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.master)
            self.replica = stack.enter_context(RedisServer(replica_of=self.master, **self._options))
            wait_until(self._is_copied, START_TIMEOUT, what="a replica that has everything")
            for _ in range(self._sentinels):
                self.ports.append(stack.enter_context(self._sentinel()))
            wait_until(self._all_know_all, START_TIMEOUT, what="sentinels that know the replica and each other")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """Return the address to find the master by, without a password."""
        return f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in self.ports)}/{self.name}"

    def master_port(self) -> int:
        """Return where the first sentinel sends clients."""
        return int(_asked(self.ports[0], "GET-MASTER-ADDR-BY-NAME", self.name)[1])

    def wait_promoted(self) -> None:
        """Return once the replica is the master, to the sentinels and to itself."""
        wait_until(self._is_promoted, FAIL_OVER_TIMEOUT, what="a replica that is the master")

    def _is_promoted(self) -> bool:
        with self.replica.client() as client:
            return self.master_port() == self.replica.port and client.info("replication")["role"] == "master"

    def _is_copied(self) -> bool:
        with self.replica.client() as client:
            return bool(client.info("replication")["master_link_status"] == "up")

    def _all_know_all(self) -> bool:
        with suppress(redis.RedisError):
            return all(
                len(_asked(port, "REPLICAS", self.name)) == 1
                and len(_asked(port, "SENTINELS", self.name)) == self._sentinels - 1
                for port in self.ports
            )
        return False

    @contextmanager
    def _sentinel(self) -> Iterator[int]:
        with TemporaryDirectory(prefix="sentinel-") as folder:
            port = free_port()
            file = Path(folder, "sentinel.conf")
            file.write_text(self._configuration(port, folder), "utf-8")
            process = start_redis("redis-server", [str(file), "--sentinel"], Path(folder, "output.txt"))
            try:
                yield port
            finally:
                process.kill()
                process.wait()

    def _configuration(self, port: int, folder: str) -> str:
        text = CONFIGURATION.format(
            port=port, folder=folder, name=self.name, master=self.master.port, quorum=self._sentinels // 2 + 1
        )
        return text + (f"sentinel auth-pass {self.name} {self.master.password}\n" if self.master.password else "")


def _asked(port: int, *question: str) -> Any:
    with redis.Redis(port=port, decode_responses=True, socket_timeout=5.0) as sentinel:
        return sentinel.execute_command("SENTINEL", *question)
