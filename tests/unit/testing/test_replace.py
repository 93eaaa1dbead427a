"""Services that something else stands in for."""

from typing import Any
from unittest.mock import Mock

import pytest

from tests.unit.testing.services import Call, CallAsync, Echo
from zato.server.service import AsyncService, Conflict, Service
from zato.testing import Zato

NAME = "crm.get-customer"


class Fake(Service):
    name = "test.fake"

    def handle(self) -> list[Any]:
        return [self.name, self.request.payload]


class FakeAsync(AsyncService):
    async def handle(self) -> list[Any]:
        return [self.name, self.request.payload]


async def coroutine(payload: Any) -> list[Any]:
    """Stand in for an asynchronous service."""
    return ["coroutine", payload]


@pytest.mark.parametrize("caller", [Call, CallAsync])
@pytest.mark.parametrize(
    ("answer", "data"),
    [
        pytest.param({"name": "Jane"}, {"name": "Jane"}, id="value"),
        pytest.param(None, None, id="nothing"),
        pytest.param(lambda payload: payload["id"] + 1, 8, id="function"),
        pytest.param(coroutine, ["coroutine", {"id": 7}], id="coroutine-function"),
        pytest.param(Fake, [NAME, {"id": 7}], id="service"),
        pytest.param(FakeAsync, [NAME, {"id": 7}], id="asynchronous-service"),
        pytest.param(Mock(return_value=5), 5, id="mock"),
    ],
)
def test_what_stands_in(zato: Zato, caller: type[Service], answer: Any, data: Any) -> None:
    """A value, a function or another service answers, whichever kind of service asks."""
    zato.replace(NAME, answer)

    assert zato.invoke(caller, {"id": 7}).data == data


@pytest.mark.parametrize("answer", [Conflict("Taken."), Conflict])
def test_error_that_stands_in(zato: Zato, answer: object) -> None:
    """It is raised in the service that asks."""
    zato.replace(NAME, answer)

    with pytest.raises(Conflict):
        zato.invoke(Call, {"id": 7})


def test_value_is_new_each_time(zato: Zato) -> None:
    """What one caller does to it, the next one does not see."""
    zato.replace(NAME, {"names": ["Jane"]})
    zato.replace("test.changes", lambda _: "changed")
    zato.deploy(Changes)

    answers = [zato.invoke(Changes).data for _ in range(2)]

    assert answers == [["Jane", "Joan"]] * 2


class Changes(Service):
    """Changes what it was answered."""

    name = "test.changes-it"

    def handle(self) -> list[str]:
        names: list[str] = self.invoke(NAME)["names"]
        names.append("Joan")
        return names


def test_deployed_service_is_replaced(zato: Zato) -> None:
    """The replacement wins, whatever is deployed before or after it, and the last replacement of all."""
    zato.deploy(Echo)
    zato.replace(Echo, "first")
    zato.replace(Echo, "second")
    zato.deploy(Echo)

    assert zato.invoke(Echo, "mine").data == "second"


def test_replacement_runs_in_the_background(zato: Zato) -> None:
    """It is called with what was stored."""
    function = Mock(return_value=None)
    zato.replace(NAME, function)
    zato.invoke_async(NAME, {"id": (7,)})

    zato.run_background()

    function.assert_called_once_with({"id": [7]})


@pytest.mark.parametrize("caller", [Call, CallAsync])
def test_verdict_of_the_test_passes_through_services(zato: Zato, caller: type[Service]) -> None:
    """`pytest.fail()` in a function that stands in fails the test, and is not taken for the service's error."""
    zato.replace(NAME, lambda _: pytest.fail("nobody must be asked"))

    with pytest.raises(pytest.fail.Exception, match="nobody must be asked"):
        zato.invoke(caller, {"id": 7})


def test_verdict_of_the_test_passes_through_the_background(zato: Zato) -> None:
    """It is not recorded as how the call ended."""
    zato.replace(NAME, lambda _: pytest.fail("nobody must be asked"))
    zato.invoke_async(NAME)

    with pytest.raises(pytest.fail.Exception, match="nobody must be asked"):
        zato.run_background()


def test_service_that_exits(zato: Zato) -> None:
    """It does not end the test's process, as it would not end a server's."""
    zato.replace(NAME, SystemExit("enough"))

    with pytest.raises(Exception, match="enough"):
        zato.invoke(Call, {"id": 7})


def test_asynchronous_function_that_uses_the_kit(zato: Zato) -> None:
    """It would wait for itself, and is told so."""

    async def uses_it(payload: Any) -> Any:
        return zato.invoke("zato.ping").data

    zato.replace(NAME, uses_it)

    with pytest.raises(RuntimeError, match="event loop"):
        zato.invoke(Call, {"id": 7})
