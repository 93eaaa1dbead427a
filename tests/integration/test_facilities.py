"""What a server has for its services: everything of it once, in a real server, on a thread and on the event loop."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from shutil import copy

import pytest
import requests

from tests.docs.transcripts import blocks_of
from tests.support.doors import services
from tests.support.environments import PASSWORD, ServerProcess, make_environment
from tests.support.redis import RedisServer, own_cluster
from tests.support.waiting import wait_until

# The same lines are measured in `unit/server/test_surroundings.py`.
pytestmark = pytest.mark.usefixtures("unmeasured")
ON_BOTH = pytest.mark.parametrize("kind", ["", "-on-loop"], ids=["service", "async-service"])
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
HOWTO = EXAMPLES.parent / "howto" / "write-services.md"
CONFIG = "[backend]\nurl = http://first\npassword = hunter2\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[ServerProcess]:
    """One server for all tests."""
    folder, files = tmp_path_factory.mktemp("facilities") / "env", services("facilities_api")
    files["invoices.py"] = (EXAMPLES / "invoices.py").read_text("utf-8")
    with own_cluster(redis_server) as cluster:
        environment = make_environment(folder, files, broker=redis_server.url, cluster=cluster)
        (environment.user_config / "mine.ini").write_text(CONFIG)
        copy(EXAMPLES / "shop.toml", environment.user_config)
        with ServerProcess(environment) as running:
            yield running


@ON_BOTH
def test_everything(server: ServerProcess, kind: str) -> None:
    """What comes through HTTP has all of it."""
    service, before = f"facilities.everything{kind}", datetime.now(UTC)
    reply = requests.post(
        f"{server.address}/zato/api/invoke/{service}?a=1",
        '{"password": "hunter2"}',
        auth=("pubapi", PASSWORD),
        timeout=10,
        headers={"X-Mine": "yes"},
    )
    came = reply.json()

    assert came["time"][0][:10] in {before.date().isoformat(), came["time"][1]}
    assert came["time"][2] == "2024-02-01"
    assert came["server"][0] == "server1"
    assert came["server"][3:] == [server.address, str(server.environment.path)]
    assert came["server"][1] in {process.pid for process in server.processes()}
    assert (came["thread"], came["by_id"], came["by_impl_name"]) == (42, "reached", "reached")
    assert came["crypto"][:2] == ["żółw", True]
    assert before <= datetime.fromisoformat(came["invoked"]) <= datetime.now(UTC)
    assert came["milliseconds"] >= 1
    assert came["config"] in {"http://first", "http://second"}
    assert came["body"] == '{"password": "hunter2"}'
    assert {came["wsgi"][key] for key in ("REQUEST_METHOD", "QUERY_STRING", "HTTP_X_MINE", "REMOTE_ADDR")} == {
        "POST",
        "a=1",
        "yes",
        "127.0.0.1",
    }
    assert (came["wsgi"]["REMOTE_USER"], "HTTP_AUTHORIZATION" in came["wsgi"]) == ("pubapi", False)


@ON_BOTH
def test_call_without_http(server: ServerProcess, kind: str) -> None:
    """In the background there is no request, and all the rest; logs have the input without its secrets."""
    with server.client() as client:
        cid = client.invoke_async(f"facilities.everything{kind}", {"token": "hunter2", "order": cid_like(kind)}).data
        came = client.result(cid, wait=10).data

    assert (came["wsgi"], came["body"], came["by_id"]) == ({}, None, "reached")
    logged = server.logged(f'Incoming data: {{"token":"***","order":"{cid_like(kind)}"}}')
    assert (logged["cid"], logged["level"].upper()) == (cid, "INFO")
    assert "hunter2" not in (server.environment.logs / "server.log").read_text("utf-8")


def cid_like(kind: str) -> str:
    """Return what tells one test's call from the other's."""
    return f"order{kind}"


def test_one_service_decrypts_what_another_has_encrypted(server: ServerProcess) -> None:
    """What was changed on its way is refused, and the caller learns why."""
    with server.client() as client:
        token = client.invoke("facilities.everything").data["crypto"][2]
        assert client.invoke("facilities.opened", token).data == "for the other one"
        refused = client.invoke("facilities.opened", token[:-10] + "AAAAAAAAA=")

    assert (refused.ok, refused.details.partition(":")[0]) == (False, "The text cannot be decrypted")


def test_page_tells_the_truth(server: ServerProcess) -> None:
    """Its services run with its configuration."""
    with server.client() as client:
        printed = client.invoke("invoices.print", {"due": "29.02.2024"}).data

    assert printed == "2 x Pay to DE02 1203 by 2024-02-29"
    assert blocks_of(HOWTO, "toml") == [(EXAMPLES / "shop.toml").read_text("utf-8")]


def test_redis_of_the_cluster(server: ServerProcess) -> None:
    """Where the broker is one, services have it."""
    with server.client() as client:
        assert client.invoke("facilities.redis").data == "True"


def test_configuration_is_read_again(server: ServerProcess) -> None:
    """Without a restart, and within seconds."""
    (server.environment.user_config / "mine.ini").write_text(CONFIG.replace("first", "second"))
    with server.client() as client:
        wait_until(
            lambda: client.invoke("facilities.everything-on-loop").data["config"] == "http://second",
            what="the new address",
        )
