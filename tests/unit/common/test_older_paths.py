"""What older programs import: the same things as elsewhere, under the older names."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

import zato.common
from zato.common import api, exception, json_, json_internal, typing_, util
from zato.common.marshal_.api import Model
from zato.common.typing_ import anylist, dict_field, dictlist, intnone, list_field, optional, strdict, strnone
from zato.core import elements
from zato.core.call import REST
from zato.core.cid import check_cid
from zato.core.errors import InvalidPayload, NotSerializable, ServiceError, ServiceUnavailable
from zato.core.exchange import Request, Response
from zato.server.publisher import CALLBACK_CHANNEL
from zato.server.service import Service, reqresp
from zato.server.service.internal import AdminService


@dataclass
class Order:
    items: dictlist = list_field()  # noqa: RUF009 -- it is a field
    extra: strdict = dict_field()  # noqa: RUF009 -- it is a field
    note: strnone = None


def test_types_are_plain_ones() -> None:
    """A model that is written with the older names is one that is written with Python's own."""
    assert (anylist, intnone, strnone, dictlist) == (list[Any], int | None, str | None, list[dict[Any, Any]])
    assert optional[int] == intnone


def test_default_lists_and_dicts_are_new_ones() -> None:
    """Two instances share nothing."""
    Order().items.append({})
    Order().extra["x"] = 1

    assert Order() == Order([], {}, None)


def test_every_type_has_a_meaning() -> None:
    """No alias is None by mistake."""
    assert [name for name in typing_.__all__ if getattr(typing_, name) is None] == []


def test_same_things() -> None:
    """Whatever path something is imported from, it is one thing."""
    assert (Model, reqresp.Request, reqresp.Response) == (elements.Model, Request, Response)
    assert (zato.common.CHANNEL, util.new_cid) == (api.CHANNEL, util.api.new_cid)


def test_channels_are_those_of_calls() -> None:
    """What services compare `self.channel` with is what it is."""
    channels = (api.CHANNEL.HTTP_SOAP, api.CHANNEL.INVOKE, api.CHANNEL.INVOKE_ASYNC, api.CHANNEL.INVOKE_ASYNC_CALLBACK)
    assert channels == (REST, "invoke", "invoke-async", CALLBACK_CHANNEL)


def test_older_errors_have_their_statuses() -> None:
    """They are caught as services' errors are, and answered with a status that fits."""
    assert exception.ZatoException is ServiceError
    assert issubclass(exception.Inactive, ServiceUnavailable)
    assert (exception.Inactive("x").status, exception.InternalServerError("cid", "x").status) == (503, 500)
    assert str(exception.ZatoException("cid", "No.")) == "No."


def test_admin_service_is_a_service() -> None:
    """It has no rights of its own, and is none that is deployed."""
    assert AdminService.__mro__[1] is Service
    assert AdminService.handle is Service.handle


def test_json_is_that_of_responses() -> None:
    """What a service can answer, it can write; and read again."""
    value = {"on": date(2026, 1, 31), "at": datetime(2026, 1, 31, tzinfo=UTC), "price": Decimal("1.10")}

    assert json_internal.dumps is json_.dumps
    assert json_.dumps(value) == '{"on":"2026-01-31","at":"2026-01-31T00:00:00Z","price":1.10}'
    assert json_.loads(b'{"a": [1, null]}') == {"a": [1, None]}


def test_json_that_is_none() -> None:
    """Both ways it is an error of ours, with a reason."""
    with pytest.raises(NotSerializable):
        json_.dumps(object())
    with pytest.raises(InvalidPayload):
        json_.loads("{")


@pytest.mark.parametrize(
    ("given", "expected"),
    [("yes", True), (" ON ", True), ("1", True), (2, True), ("no", False), ("off", False), ("", False), (None, False)],
)
def test_as_bool(given: object, expected: bool) -> None:
    """Words are read as people write them."""
    assert util.as_bool(given) is util.asbool(given) is expected


def test_as_bool_of_another_word() -> None:
    """A word that says neither is an error, and not false."""
    with pytest.raises(
        ValueError, match=r"'maybe' says neither yes nor no: use one of 0, 1, f, false, n, no, none, off"
    ):
        util.as_bool("maybe")


def test_new_cid_is_a_new_one_each_time() -> None:
    """It is legal, and random."""
    assert check_cid(util.new_cid()) != util.new_cid()
