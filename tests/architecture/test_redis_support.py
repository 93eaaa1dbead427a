"""The servers that tests of clusters run: tests/support/redis.py and sentinel.py."""

import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import redis

from tests.support.redis import RedisServer
from tests.support.sentinel import RedisSentinel
from tests.support.waiting import wait_until

SCRIPT = Path(__file__).parents[2] / "scripts" / "redis.sh"
STARTS_ONE = """
import sys
from pathlib import Path
from tests.support.redis import RedisServer

with RedisServer(folder=Path(sys.argv[1])) as server:
    print(server.pid, flush=True)
    input()
"""


def test_data_on_disk_outlives_the_process() -> None:
    """What was written through to the disk is there after a SIGKILL, at the same port, behind the same password."""
    with RedisServer(appendonly="yes", appendfsync="always", password="s3cret") as server:
        with server.client() as client:
            client.set("kept", "yes")
        server.kill()
        server.start()
        with server.client() as client:
            kept = client.get("kept")

    assert kept == "yes"
    assert not server.folder.exists()


def test_full_server_takes_no_more(redis_server: RedisServer) -> None:
    """A full server refuses writes, not reads, until it has room again."""
    with redis_server.client() as client:
        redis_server.fill()
        try:
            with pytest.raises(redis.OutOfMemoryError):
                client.set("test", "more")
            client.get("test")
        finally:
            redis_server.empty()
        client.set("test", "more")
        client.delete("test")


def test_paused_server_answers_when_resumed(redis_server: RedisServer) -> None:
    """A paused server keeps its connections and answers nothing."""
    with redis_server.client(socket_timeout=0.05) as client:
        client.ping()
        redis_server.pause()
        try:
            with pytest.raises(redis.TimeoutError):
                client.ping()
        finally:
            redis_server.resume()
        wait_until(client.ping, what="an answer")


def test_replica_is_promoted_when_the_master_is_gone() -> None:
    """Sentinels name the replica as the master soon after the master was killed."""
    with RedisSentinel() as sentinel:
        with sentinel.master.client() as client:
            client.set("kept", "yes")
            client.wait(1, 5000)
        sentinel.master.kill()
        sentinel.wait_promoted()
        with sentinel.replica.client() as client:
            kept = client.get("kept")

    assert kept == "yes"


@pytest.mark.skipif(not shutil.which("setpriv"), reason="the system cannot end a process with its parent")
def test_server_ends_with_the_tests(tmp_path: Path) -> None:
    """A test process that is killed leaves no server behind."""
    command = [sys.executable, "-c", STARTS_ONE, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tests:
        assert tests.stdout is not None
        pid = int(tests.stdout.readline())
        tests.kill()

    wait_until(lambda: not psutil.pid_exists(pid), what="the end of the server")


def test_missing_server_fails_the_run(tmp_path: Path) -> None:
    """Without Redis, Debian and PyPI one line says what is missing, and make stops there."""
    shutil.copytree(SCRIPT.parent, tmp_path / "scripts")
    for name in ("dirname", "mkdir", "rm"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    command = [str(shutil.which("sh")), "scripts/redis.sh", "into"]
    environment = {"PATH": str(tmp_path), "PYTHON": "none"}

    done = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("make test: no redis-server: none of 6.2 or newer is installed"), done.stderr
    assert len(done.stderr.splitlines()) == 1
