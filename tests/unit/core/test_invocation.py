"""The nouns of delivery."""

import copy
import pickle

import pytest

from zato.core.invocation import Delivery, ErrorInfo, Invocation, Lane, Outcome, Record, Status
from zato.core.retry import Retry

INVOCATION = Invocation(id="0" * 26, cid="abc", service="crm.sync", payload=b'""', created=1)
OUTCOME = Outcome(status=Status.DONE, ended=2)
DELIVERY = Delivery(invocation=INVOCATION, token=b"12345678", attempts=0, takeovers=0)
RECORD = Record(
    invocation=INVOCATION,
    status=Status.DONE,
    attempts=1,
    takeovers=0,
    started=1,
    server="server1",
    not_before=None,
    outcome=OUTCOME,
    cid_count=1,
)
NOUNS = [
    pytest.param(INVOCATION, id="invocation"),
    pytest.param(OUTCOME, id="outcome"),
    pytest.param(DELIVERY, id="delivery"),
    pytest.param(RECORD, id="record"),
    pytest.param(ErrorInfo("error", "ValueError", "No."), id="error"),
]


def test_statuses_are_the_published_words() -> None:
    """The words a caller reads in a record, in the order of a call's life."""
    words = ["waiting", "delayed", "running", "stranded", "done", "failed", "expired", "cancelled"]
    assert [str(status) for status in Status] == words


def test_lanes_are_words() -> None:
    """What an invocation takes while it runs is stored as a word."""
    assert [str(lane) for lane in Lane] == ["thread", "task"]


def test_invocation_has_the_documented_defaults() -> None:
    """A call that asks for nothing runs once, now, in the default queue, and tells nobody."""
    defaults = {
        name: getattr(INVOCATION, name)
        for name in Invocation.__struct_fields__
        if getattr(INVOCATION, name) is not None
    }
    assert defaults == {
        "id": "0" * 26,
        "cid": "abc",
        "service": "crm.sync",
        "payload": b'""',
        "created": 1,
        "channel": "invoke-async",
        "queue": "default",
        "priority": 5,
        "callback": (),
        "on_failure": (),
        "retry": Retry(attempts=1),
        "data_format": "dict",
    }


@pytest.mark.parametrize("noun", NOUNS)
def test_nouns_cannot_be_changed(noun: object) -> None:
    """What was accepted or recorded stays as it is."""
    name = next(name for name in ("id", "status", "token", "code") if hasattr(noun, name))
    with pytest.raises(AttributeError):
        setattr(noun, name, None)


@pytest.mark.parametrize("noun", NOUNS)
def test_nouns_can_be_copied(noun: object) -> None:
    """A copy, and what comes out of a pickle, is equal."""
    assert [copy.deepcopy(noun), pickle.loads(pickle.dumps(noun))] == [noun, noun]


def test_callers_never_see_a_traceback() -> None:
    """What is public of an error is its code, type and message."""
    error = ErrorInfo("not_found", "NotFound", "No such row.", "Traceback: secret")
    assert error.public() == {"code": "not_found", "type": "NotFound", "message": "No such row."}


def test_texts_of_an_error_can_always_be_stored() -> None:
    """Half of a surrogate pair, as in the name of an undecodable file, becomes its escape."""
    error = ErrorInfo("error", "FileNotFoundError", "café \udce9", "in \udce9")
    assert (error.message, error.traceback) == (r"café \udce9", r"in \udce9")
