"""Responses that fit into a reply, and those that do not."""

import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zato.core.errors import NotSerializable, ResponseTooLarge
from zato.core.payload import to_text
from zato.server.responses import response_text
from zato.server.service import Response

LIMIT = 40


class Held(str):
    """A text that can be watched."""

    __slots__ = ("__weakref__",)


def response(payload: object) -> Response:
    """Return what a service answers."""
    made = Response()
    made.payload = payload
    return made


@given(st.text(max_size=60) | st.binary(max_size=60) | st.lists(st.integers(), max_size=20))
def test_limit(payload: object) -> None:
    """A response of up to so many bytes goes out as it would without a limit, and no larger one does."""
    try:
        text = to_text(payload)
    except NotSerializable:
        return
    if len(text.encode()) <= LIMIT:
        assert response_text(response(payload), limit=LIMIT) == text
    else:
        with pytest.raises(ResponseTooLarge, match=r"over 40 bytes \(setting max_response\)"):
            response_text(response(payload), limit=LIMIT)


@pytest.mark.parametrize("payload", ["x" * 40, b"x" * 40, "ż" * 20, "🦆" * 10, ["x" * 36]])
def test_largest_response(payload: object) -> None:
    """Exactly the limit is within it, and what counts is bytes."""
    assert len(response_text(response(payload), limit=LIMIT).encode()) == LIMIT
    with pytest.raises(ResponseTooLarge):
        response_text(response(payload), limit=LIMIT - 1)


@pytest.mark.parametrize(("unwrap", "text"), [(True, "1"), (False, '{"response":1}')])
def test_wrapper(unwrap: bool, text: str) -> None:
    """The wrapper is left out if so wished."""
    assert response_text(response({"response": 1}), limit=LIMIT, unwrap=unwrap) == text


def test_error_does_not_keep_the_response() -> None:
    """However long the error is kept, the response goes: it is too large to be kept."""
    held = Held("x" * 1000)
    watched = weakref.ref(held)
    refused = response([held])
    del held
    with pytest.raises(ResponseTooLarge) as caught:
        response_text(refused, limit=LIMIT)

    gc.collect()
    assert caught.value.__traceback__ is not None
    assert watched() is None
