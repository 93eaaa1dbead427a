"""What pages are told of a server that answers otherwise than it should."""

import pytest

from tests.support.httpd import Reply, ScriptedServer
from zato.web_admin.door import Address, Door, Person
from zato.web_admin.errors import Refused, ServerAway

SOMEBODY = Person("a-token", "127.0.0.1")


def door_to(server: ScriptedServer) -> Door:
    """Return a door to a server, which has a fifth of a second to answer a page."""
    return Door(lambda: Address(server.address, "admin.invoke", "a password", "/env"), answers_within=0.2)


def test_server_that_hangs_is_away() -> None:
    """A page is told in time, and no thread waits for minutes."""
    with ScriptedServer() as server:
        server.script(Reply(hangs=True))
        door = door_to(server)
        with pytest.raises(ServerAway, match="has not answered in time"):
            door.ask(SOMEBODY, "zato.session.get")
        door.close()


def test_other_password_than_the_servers_is_nobodys_log_in() -> None:
    """Who is refused is the web admin: a person who logs in is not told that their password is wrong."""
    with ScriptedServer() as server:
        server.script(Reply.of({}, 401, WWW_Authenticate='Basic realm="Zato admin invoke"'))
        door = door_to(server)
        with pytest.raises(ServerAway, match=r"another password of 'admin\.invoke' than secrets\.toml"):
            door.open_session("127.0.0.1", "admin", "right")
        door.close()


def test_answer_without_a_cid_has_none() -> None:
    """Nobody is told to look for the word that stands for it in a log."""
    with ScriptedServer() as server:
        server.script(Reply(b"<h1>no</h1>", 500))
        door = door_to(server)
        with pytest.raises(Refused) as caught:
            door.ask(SOMEBODY, "zato.session.get")
        door.close()
    assert not caught.value.cid
