"""The main road: a server starts, answers and stops."""

from pathlib import Path

from tests.support.environments import ServerProcess, make_environment


def test_ping_through_the_client(tmp_path: Path) -> None:
    """A started server answers `zato.ping` as it always has."""
    with ServerProcess(make_environment(tmp_path / "env")) as server, server.client() as client:
        response = client.invoke("zato.ping")

    assert response.ok
    assert response.data == {"pong": "zato"}
    assert server.process.returncode == 0
