"""Name to service."""

import pytest

from zato.core.errors import UnknownService
from zato.core.invocation import Lane
from zato.server.registry import Deployed, Registry, Services
from zato.server.service import AsyncService, Service


class Sync(Service):
    name = "crm.sync"

    def handle(self) -> str:
        return "sync"


class Later(AsyncService):
    name = "crm.later"

    async def handle(self) -> str:
        return "later"


SYNC = Deployed.of(Sync, file="crm.py")
LATER = Deployed.of(Later, file="crm.py")


def test_service_is_found_by_its_name() -> None:
    """A registry gives back what it was made of."""
    assert Registry([SYNC, LATER]).get("crm.later") is LATER


def test_unknown_name_is_answered_with_the_nearest() -> None:
    """The message holds the correction."""
    with pytest.raises(UnknownService, match=r"No service named 'crm\.synk' is deployed\. Did you mean 'crm\.sync'\?"):
        Registry([SYNC]).get("crm.synk")


def test_names_of_implementations_lead_to_names() -> None:
    """Module and class are another way to ask."""
    assert Registry([SYNC]).by_impl_name == {f"{__name__}.Sync": "crm.sync"}


def test_later_service_of_the_same_name_wins() -> None:
    """Built-in services come last, and nothing replaces them."""
    builtin = Deployed.builtin(Sync, Sync)
    registry = Registry([SYNC, builtin])
    assert (registry.get("crm.sync"), len(registry.by_name)) == (builtin, 1)


def test_lanes_follow_from_the_kind_of_service() -> None:
    """A blocking service takes a thread, an asynchronous one does not."""
    assert Registry([SYNC, LATER]).lanes() == {"crm.sync": Lane.THREAD, "crm.later": Lane.TASK}


def test_registry_never_changes() -> None:
    """Readers on other threads see one deployment, whole."""
    with pytest.raises(TypeError, match="does not support item assignment"):
        Registry([SYNC]).by_name["crm.other"] = SYNC  # type: ignore[index]


def test_builtin_is_marked_and_has_no_file() -> None:
    """Users tell their own services from ours."""
    builtin = Deployed.builtin(Later, Later)
    assert (builtin.is_internal, builtin.file, builtin.is_async) == (True, None, True)
    assert (SYNC.is_internal, SYNC.file, SYNC.is_async) == (False, "crm.py", False)


def test_deployment_is_swapped_as_a_whole() -> None:
    """Whoever holds the old registry goes on with it."""
    services = Services()
    before = services.current
    services.current = Registry([SYNC])
    assert (len(before.by_name), len(services.current.by_name)) == (0, 1)


def test_services_may_start_with_a_registry() -> None:
    """A deployment can be given from the first moment."""
    registry = Registry([SYNC])
    assert Services(registry).current is registry
