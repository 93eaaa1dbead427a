"""The error tree: what callers match on, and what survives a trip to another process."""

import copy
import pickle
from collections.abc import Callable
from http import HTTPStatus

import pytest

from zato.core import errors
from zato.core.errors import (
    BadRequest,
    MethodNotAllowed,
    NotFound,
    ServiceError,
    UnknownService,
    ZatoError,
    hint_for,
)

CLASSES: list[type[ZatoError]] = [
    item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, ZatoError)
]

# Code, HTTP status, exit code: programs match them, so they never change.
PUBLISHED = {
    "BadRequest": ("bad_request", 400, 1),
    "BrokerUnavailable": ("broker_unavailable", 503, 7),
    "Conflict": ("conflict", 409, 6),
    "DecryptionFailed": ("decryption_failed", 500, 1),
    "EnvironmentFault": ("environment", 500, 2),
    "Forbidden": ("forbidden", 403, 5),
    "InvalidCID": ("invalid_cid", 400, 1),
    "InvalidName": ("invalid_name", 400, 1),
    "InvalidPayload": ("invalid_payload", 400, 1),
    "InvalidResponse": ("invalid_response", 500, 1),
    "InvalidOutput": ("invalid_output", 500, 1),
    "InvalidSetting": ("invalid_setting", 500, 2),
    "InvocationCancelled": ("cancelled", 503, 7),
    "InvocationTimeout": ("timeout", 504, 8),
    "LockTimeout": ("lock_timeout", 503, 7),
    "MethodNotAllowed": ("method_not_allowed", 405, 1),
    "MissingConfig": ("missing_config", 500, 1),
    "NotFound": ("not_found", 404, 4),
    "NotSerializable": ("not_serializable", 500, 1),
    "Overloaded": ("overloaded", 503, 7),
    "PayloadTooLarge": ("too_large", 413, 1),
    "RecursiveInvocation": ("recursive_invocation", 500, 1),
    "RequestTimeout": ("request_timeout", 408, 8),
    "ResponseTooLarge": ("response_too_large", 500, 1),
    "ServerNotRunning": ("server_not_running", 500, 3),
    "ServiceDefinitionError": ("service_definition", 500, 1),
    "ServiceError": ("service_error", 500, 1),
    "ServiceUnavailable": ("unavailable", 503, 7),
    "ShuttingDown": ("shutting_down", 503, 7),
    "StartFailed": ("start_failed", 500, 1),
    "TooManyRequests": ("too_many_requests", 429, 7),
    "Unauthorized": ("unauthorized", 401, 5),
    "UnknownService": ("unknown_service", 404, 4),
    "ZatoError": ("error", 500, 1),
}

Trip = Callable[[ZatoError], ZatoError]
TRIPS = [
    pytest.param(lambda error: pickle.loads(pickle.dumps(error)), id="pickle"),
    pytest.param(copy.copy, id="copy"),
    pytest.param(copy.deepcopy, id="deepcopy"),
]


def test_codes_statuses_and_exit_codes_are_as_published() -> None:
    """What programs match on is the same in every release."""
    assert {cls.__name__: (cls.code, cls.status, cls.exit_code) for cls in CLASSES} == PUBLISHED


def test_every_class_is_public() -> None:
    """Every error of the tree can be imported by its published name."""
    assert {cls.__name__ for cls in CLASSES} | {"hint_for"} == set(errors.__all__)


def test_no_code_is_used_twice() -> None:
    """A code tells which class it came from."""
    codes = [cls.code for cls in CLASSES]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("cls", CLASSES)
def test_status_is_an_http_error(cls: type[ZatoError]) -> None:
    """Every status is one that HTTP knows, and means an error."""
    assert HTTPStatus(cls.status) >= HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("trip", TRIPS)
@pytest.mark.parametrize("cls", CLASSES)
def test_message_survives(cls: type[ZatoError], trip: Trip) -> None:
    """An error that was pickled or copied is of the same class and says the same."""
    arrived = trip(cls("Text é of the error."))
    assert (type(arrived), str(arrived)) == (cls, "Text é of the error.")


@pytest.mark.parametrize("trip", TRIPS)
@pytest.mark.parametrize("cls", [cls for cls in CLASSES if issubclass(cls, ServiceError)])
def test_attributes_survive(cls: type[ServiceError], trip: Trip) -> None:
    """An error raised with a CID still has it after the trip."""
    arrived = trip(cls("abc", "No such row."))
    assert vars(arrived) == {"cid": "abc", "message": "No such row."}


@pytest.mark.parametrize("trip", TRIPS)
def test_built_message_survives(trip: Trip) -> None:
    """An error that builds its own message can be pickled and copied too."""
    error = UnknownService.named("crm.syn", deployed=["crm.sync"])
    assert str(trip(error)) == str(error)


@pytest.mark.parametrize(
    ("given", "cid", "message"),
    [
        pytest.param(("No such row.",), None, "No such row.", id="message"),
        pytest.param(("abc", "No such row."), "abc", "No such row.", id="cid-and-message"),
        pytest.param(("abc", ""), "abc", "", id="cid-and-empty-message"),
        pytest.param((None, "No such row."), None, "No such row.", id="no-cid"),
        pytest.param((), None, "", id="nothing"),
        pytest.param((404,), None, "404", id="number"),
        pytest.param(("abc", {"row": 1}), "abc", "{'row': 1}", id="dict"),
    ],
)
def test_service_error_takes_a_message_with_or_without_a_cid(
    given: tuple[object, ...], cid: object, message: str
) -> None:
    """One argument is the message; of two, the first is the CID."""
    error = BadRequest(*given)
    assert (error.cid, error.message, str(error)) == (cid, message, message)


def test_error_shows_both_of_its_arguments() -> None:
    """In a log, the CID is seen beside the message."""
    assert repr(BadRequest("abc", "No such row.")) == "BadRequest('abc', 'No such row.')"


def test_family_is_caught_by_its_parent() -> None:
    """An unknown service is a thing not found, reported to the caller, and an error of this package."""
    error = UnknownService.named("a", deployed=[])
    assert [isinstance(error, cls) for cls in (NotFound, ServiceError, ZatoError)] == [True, True, True]


@pytest.mark.parametrize(
    ("deployed", "message"),
    [
        pytest.param(
            ["audit.store", "crm.sync"],
            "No service named 'crm.syn' is deployed. Did you mean 'crm.sync'?",
            id="near-miss",
        ),
        pytest.param(
            ["zzz"],
            "No service named 'crm.syn' is deployed. Try 'zato service list PATH'.",
            id="nothing-near",
        ),
    ],
)
def test_unknown_service_names_the_nearest(deployed: list[str], message: str) -> None:
    """The message quotes what was asked for and says what to do next."""
    assert str(UnknownService.named("crm.syn", deployed=deployed)) == message


@pytest.mark.parametrize(
    ("candidates", "hint"),
    [
        pytest.param(iter(["port", "host"]), "Did you mean 'port'?", id="near-miss"),
        pytest.param([], "", id="none-at-all"),
    ],
)
def test_hint(candidates: list[str], hint: str) -> None:
    """A hint is a sentence with the nearest candidate, or nothing."""
    assert hint_for("prot", candidates) == hint


@pytest.mark.parametrize("trip", TRIPS)
def test_refused_method_says_which_ones_are_taken(trip: Trip) -> None:
    """The methods that an address takes are in the message and, for the reply's header, beside it."""
    arrived = trip(MethodNotAllowed.allowing("/zato/ping", "DELETE", ("GET", "POST")))
    assert isinstance(arrived, MethodNotAllowed)
    assert (arrived.allowed, str(arrived)) == (("GET", "POST"), "/zato/ping takes GET and POST, not DELETE.")
