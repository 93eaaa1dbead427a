"""What services under test have around them."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from zato.core.errors import InvalidSetting, MissingConfig
from zato.server.service import AsyncService, Service
from zato.testing import Zato


class Around(Service):
    name = "test.around"

    def handle(self) -> Any:
        self.logger.info("%s asks", self.name)
        return {
            "now": self.time.utcnow(),
            "url": self.user_config["crm"].api.url,
            "secret": self.crypto.decrypt(self.crypto.encrypt("s3cret")),
            "server": self.server.name,
        }


class AroundAsync(AsyncService):
    name = "test.around-async"

    async def handle(self) -> Any:
        return await self.run_in_thread(len, "four")


class Keep(Service):
    name = "test.keep"

    def handle(self) -> Any:
        return self.kvdb.conn.get("key")


class Guard(Service):
    name = "test.guard"

    def handle(self) -> Any:
        with self.lock("door"):
            return self.invoke_by_impl_name(Keep.get_impl_name())


def test_surroundings_of_a_service() -> None:
    """Time, configuration, secrets and server are those of the test."""
    with Zato(now=datetime(2026, 1, 31, 12, tzinfo=UTC)) as zato:
        zato.user_config["crm"] = {"api": {"url": "https://crm.example"}}
        zato.clock.turn(3600)

        data = zato.invoke(Around).data

    assert data == {"now": "2026-01-31 13:00:00", "url": "https://crm.example", "secret": "s3cret", "server": "testing"}


def test_configuration_that_is_not_given(zato: Zato) -> None:
    """A service that asks for it is told what is missing, as on a server."""
    with pytest.raises(MissingConfig, match="'crm'"):
        zato.invoke(Around)


def test_log_of_a_service(zato: Zato, caplog: pytest.LogCaptureFixture) -> None:
    """What it logs is caught as any other log, with its CID."""
    caplog.set_level(logging.INFO)
    zato.user_config["crm"] = {"api": {"url": ""}}

    cid = zato.invoke(Around).cid

    (record,) = (record for record in caplog.records if record.name == "test.around")
    assert (record.getMessage(), record.__dict__["cid"]) == ("test.around asks", cid)


def test_threads_of_an_asynchronous_service(zato: Zato) -> None:
    """What blocks runs on a thread."""
    assert zato.invoke(AroundAsync).data == 4


def test_redis_of_a_service(zato: Zato) -> None:
    """It is the client that the test gives."""
    zato.redis = {"key": "value"}

    assert (zato.invoke(Keep).data, zato.redis) == ("value", {"key": "value"})


def test_redis_that_is_not_given(zato: Zato) -> None:
    """The message says how to give one."""
    with pytest.raises(InvalidSetting, match=r"zato\.redis = "):
        zato.invoke(Keep)


def test_locks_are_real(zato: Zato) -> None:
    """A service holds one, and invokes others by the names of their implementations."""
    zato.redis = {"key": 5}
    zato.deploy(Keep)

    assert zato.invoke(Guard).data == 5
