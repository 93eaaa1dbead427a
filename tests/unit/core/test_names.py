"""Names of services."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zato.core.errors import InvalidName, InvalidSetting
from zato.core.names import (
    LEGAL_NAME,
    check_name,
    check_server_name,
    class_name,
    file_stem,
    impl_name,
    is_reserved,
    service_name,
)

CLASS_NAMES = st.from_regex(r"[^\W\d]\w*", fullmatch=True).filter(str.isidentifier).filter(lambda name: len(name) < 60)


@pytest.mark.parametrize(
    ("module", "kind", "name"),
    [
        pytest.param("service_api", "MyService", "service-api.my-service", id="two-words"),
        pytest.param("service_api", "GetWSDLList", "service-api.get-wsdl-list", id="acronym-inside"),
        pytest.param("service_api", "MyServiceXYZ", "service-api.my-service-xyz", id="acronym-last"),
        pytest.param("api", "HTTPServer", "api.http-server", id="acronym-first"),
        pytest.param("api", "XYZ", "api.xyz", id="acronym-only"),
        pytest.param("api", "A", "api.a", id="one-letter"),
        pytest.param("api", "ABTest", "api.ab-test", id="one-letter-word"),
        pytest.param("api", "Service2", "api.service2", id="digit-last"),
        pytest.param("api", "HTTP2Server", "api.http2-server", id="digit-inside"),
        pytest.param("api", "My_Service", "api.my-service", id="underscore"),
        pytest.param("api", "lower", "api.lower", id="lower-case"),
        pytest.param("my_pkg.Sub_Module", "Run", "my-pkg.sub-module.run", id="dotted-module"),
    ],
)
def test_name_of_a_class(module: str, kind: str, name: str) -> None:
    """Words of the class are split at capitals, and everything is lower case with hyphens."""
    assert service_name(module, kind) == name


@given(CLASS_NAMES)
def test_every_class_name_gives_a_legal_name(kind: str) -> None:
    """Whatever Python accepts as a class name can be deployed."""
    name = service_name("module", kind)
    assert check_name(name) == name


@given(st.lists(st.from_regex(r"[A-Z][a-z]{1,8}", fullmatch=True), min_size=1, max_size=6))
def test_words_are_joined_by_hyphens(words: list[str]) -> None:
    """Each capitalised word of the class is a word of the name."""
    expected = "-".join(words).lower()
    assert service_name("m", "".join(words)) == f"m.{expected}"


def test_name_of_the_implementation() -> None:
    """The implementation is named as Python names it."""
    assert impl_name("my_pkg.api", "GetWSDLList") == "my_pkg.api.GetWSDLList"


@pytest.mark.parametrize(
    ("name", "reserved"),
    [
        pytest.param("zato.ping", True, id="built-in"),
        pytest.param("zatopek.run", True, id="same-letters"),
        pytest.param("my.zato", False, id="elsewhere"),
        pytest.param("crm.sync", False, id="users-own"),
    ],
)
def test_names_that_start_with_zato_are_reserved(name: str, reserved: bool) -> None:
    """The beginning of a name decides whether it is a built-in's."""
    assert is_reserved(name) is reserved


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a", id="shortest"),
        pytest.param("a" * 200, id="longest"),
        pytest.param("crm.sync-2_B:c", id="punctuation"),
        pytest.param("kunden.größe", id="not-ascii"),
    ],
)
def test_legal_name_comes_back(name: str) -> None:
    """A legal name is returned unchanged."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param("a" * 201, id="too-long"),
        pytest.param("a b", id="space"),
        pytest.param("a\u00a0b", id="no-break-space"),
        pytest.param("a\n", id="line-feed-last"),
        pytest.param("a\x00b", id="null-character"),
        pytest.param("a/b", id="slash"),
        pytest.param("a?b", id="question-mark"),
        pytest.param("a#b", id="hash"),
        pytest.param("a%b", id="percent"),
        pytest.param("a\\b", id="backslash"),
        pytest.param("a\ud800", id="half-a-surrogate-pair"),
        pytest.param("a\u200bb", id="zero-width-space"),
    ],
)
def test_illegal_name_is_refused(name: str) -> None:
    """The message quotes the name and says which ones are legal."""
    with pytest.raises(InvalidName, match="is no service name: use 1 to 200 printable characters") as caught:
        check_name(name)

    assert repr(name[:240]) in str(caught.value)


@pytest.mark.parametrize("name", [None, 7, 10**5000, b"crm.sync"], ids=["none", "number", "huge-number", "bytes"])
def test_what_is_no_text_is_no_name(name: object) -> None:
    """Something else than text is refused by its type."""
    with pytest.raises(InvalidName, match=f"of type {type(name).__name__} is no service name"):
        check_name(name)


@pytest.mark.parametrize("name", ["server1", "Łódź", "a.b-c_d"])
def test_name_for_a_server_that_nobody_chose(name: str) -> None:
    """A folder's name will do, if it is nothing special."""
    assert check_server_name(name) == name


@pytest.mark.parametrize("name", ["", "my server", "a/b", "a\nb", "\udcff", "x" * 201])
def test_name_that_has_to_be_chosen(name: str) -> None:
    """What would have to be quoted somewhere is not taken without being asked for."""
    with pytest.raises(InvalidSetting, match="cannot be the name of a server by default"):
        check_server_name(name)


@pytest.mark.parametrize(
    ("name", "stem", "made"),
    [
        pytest.param("crm.get-customer", "crm_get_customer", "GetCustomer", id="two-parts"),
        pytest.param("echo", "echo", "Echo", id="one-word"),
        pytest.param("CRM.syncAll", "crm_syncall", "SyncAll", id="capitals"),
        pytest.param("crm.7-days", "crm_7_days", "Service7Days", id="digit"),
        pytest.param("7", "service_7", "Service7", id="nothing-but-a-digit"),
        pytest.param("--", "service", "ServiceService", id="no-letters"),
        pytest.param("crm.-", "crm", "Crm", id="no-letters-in-the-last-part"),
        pytest.param("my.service", "my_service", "ServiceService", id="name-of-a-base"),
        pytest.param("crm.none", "crm_none", "NoneService", id="keyword-as-a-class"),
        pytest.param("class", "service_class", "Class", id="keyword-as-a-file"),
        pytest.param("conftest", "service_conftest", "Conftest", id="file-of-pytest"),
        pytest.param("test.me", "service_test_me", "Me", id="name-of-a-test"),
        pytest.param("crm.test", "service_crm_test", "Test", id="name-of-a-test-at-the-end"),
    ],
)
def test_file_and_class_of_a_new_service(name: str, stem: str, made: str) -> None:
    """They are made of the name, and are none that Python, pytest or the file itself mean something by."""
    assert (file_stem(name), class_name(name)) == (stem, made)


@given(st.text(min_size=1, max_size=40))
def test_every_legal_name_gives_a_file_and_a_class(name: str) -> None:
    """Whatever a service may be called, Python accepts what is made of it."""
    assume(LEGAL_NAME.fullmatch(name) and name.isprintable())

    assert file_stem(name).isidentifier()
    assert class_name(name).isidentifier()
