"""What somebody sees who has made an environment, and nothing else."""

import html
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.visitors import Enter, text_of

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture(scope="module")
def services() -> Mapping[str, str]:
    """None yet."""
    return {}


def test_newcomer_is_told_to_deploy_a_service(enter: Enter) -> None:
    """Where to put it, what a service looks like, and how it is started; what is shown is a service."""
    reply = enter("admin").get("/")
    text = text_of(reply)
    for words in ("Deploy your first service", "/env/services", "zato restart /"):
        assert words in text
    shown = re.search(r'<pre id="first-service"[^>]*>(.*?)</pre>', reply.text, re.DOTALL)
    assert shown is not None
    found: dict[str, Any] = {}
    exec(html.unescape(shown[1]), found)
    assert found["Hello"].name == "hello"
