"""What the kit shows to users."""

import inspect

from zato import testing
from zato.server.service import Service
from zato.testing import Zato
from zato.testing.kit import Options


def test_public_names() -> None:
    """Whatever is added or taken away here is added to, or taken from, the tests of users."""
    assert testing.__all__ == ["Answer", "BackgroundCall", "Clock", "Invoked", "ServiceTestCase", "Zato"]


def test_members_of_the_kit() -> None:
    """So it is with these."""
    with Zato() as zato:
        members = {name for name in dir(zato) if not name.startswith("_")}

    assert members == {
        *("background", "clock", "redis", "user_config", "close"),
        *("deploy", "replace", "invoke", "invoke_async", "run_background"),
        *("result", "cancel", "calls", "background_calls"),
    }


def test_options_of_a_background_call_are_those_of_services() -> None:
    """What a service may ask for, a test may ask for."""
    parameters = set(inspect.signature(Service.invoke_async).parameters)

    assert set(Options.__annotations__) == parameters - {"self", "name", "payload", "zato_ctx"}
