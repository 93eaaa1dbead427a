"""Settings: where their values come from, and which ones are legal."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zato.core.errors import InvalidSetting
from zato.core.settings import CHOICES, ENVIRONMENT_PREFIX, Settings, describe, make_settings


def test_defaults_hold_where_no_layer_speaks() -> None:
    """Without layers, or with empty ones, every setting has its default."""
    assert make_settings() == make_settings(("config.toml", {}), ("environment", {})) == Settings()


def test_later_layer_wins() -> None:
    """Of two layers that name a setting the later one counts; the others keep theirs."""
    file = ("config.toml", {"port": 17010, "host": "0.0.0.0"})
    environment = ("environment", {"port": "17020"})
    settings = make_settings(file, environment)
    assert (settings.port, settings.host) == (17020, "0.0.0.0")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("port", 17010, 17010, id="int"),
        pytest.param("port", "17010", 17010, id="int-from-text"),
        pytest.param("port", 17010.0, 17010, id="int-from-a-whole-float"),
        pytest.param("port", 1, 1, id="int-at-its-low-end"),
        pytest.param("port", 65535, 65535, id="int-at-its-high-end"),
        pytest.param("lease", 2.5, 2.5, id="float"),
        pytest.param("lease", "2.5", 2.5, id="float-from-text"),
        pytest.param("lease", 20, 20.0, id="float-from-int"),
        pytest.param("drain", "1e1", 10.0, id="float-with-exponent"),
        pytest.param("host", "::1", "::1", id="text"),
        pytest.param("name", "007", "007", id="text-of-digits"),
        pytest.param("log_level", "DEBUG", "DEBUG", id="choice"),
        pytest.param("return_tracebacks", True, True, id="flag"),
    ],
)
def test_value_is_converted_to_its_type(name: str, value: object, expected: object) -> None:
    """Text is read as what the setting is; numbers of the other kind are taken if nothing is lost."""
    taken = getattr(make_settings(("config.toml", {name: value})), name)
    assert (taken, type(taken)) == (expected, type(expected))


@pytest.mark.parametrize("word", ["1", "true", "TRUE", "Yes", "on"])
def test_words_for_yes(word: str) -> None:
    """A flag in the environment may be switched on in four words, in any case."""
    assert make_settings(("environment", {"return_tracebacks": word})).return_tracebacks is True


@pytest.mark.parametrize("word", ["0", "false", "FALSE", "No", "off"])
def test_words_for_no(word: str) -> None:
    """A flag in the environment may be switched off in four words, and so undo the file."""
    file = ("config.toml", {"return_tracebacks": True})
    assert make_settings(file, ("environment", {"return_tracebacks": word})).return_tracebacks is False


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        pytest.param("port", "many", "int", id="word-for-int"),
        pytest.param("port", "", "int", id="empty-for-int"),
        pytest.param("port", 1.5, "int", id="fraction-for-int"),
        pytest.param("port", True, "int", id="flag-for-int"),
        pytest.param("port", None, "int", id="none-for-int"),
        pytest.param("port", [17010], "int", id="list-for-int"),
        pytest.param("port", "inf", "int", id="infinity-for-int"),
        pytest.param("port", 10**400, "int", id="huge-for-int"),
        pytest.param("lease", False, "float", id="flag-for-float"),
        pytest.param("lease", "15s", "float", id="unit-for-float"),
        pytest.param("lease", "inf", "float", id="infinity-for-float"),
        pytest.param("lease", float("nan"), "float", id="nan-for-float"),
        pytest.param("host", 127, "str", id="number-for-text"),
        pytest.param("host", "", "str", id="empty-for-text"),
        pytest.param("return_tracebacks", "maybe", "bool", id="word-for-flag"),
        pytest.param("return_tracebacks", 1, "bool", id="number-for-flag"),
    ],
)
def test_wrong_type_is_refused(name: str, value: object, kind: str) -> None:
    """The message says where the value stands, which one it is, and what it should have been."""
    with pytest.raises(InvalidSetting) as caught:
        make_settings(("env.d/config.toml", {name: value}))

    assert str(caught.value) == f"env.d/config.toml: {name} = {value!r} is not of type {kind}."


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        pytest.param("port", 0, "1 to 65535", id="below"),
        pytest.param("port", "65536", "1 to 65535", id="above"),
        pytest.param("max_takeovers", -1, "at least 0", id="below-without-a-high-end"),
        pytest.param("body_timeout", 0.05, "at least 0.1", id="float-below"),
    ],
)
def test_out_of_range_is_refused(name: str, value: object, bounds: str) -> None:
    """The message says where the value stands and which values are legal."""
    with pytest.raises(InvalidSetting) as caught:
        make_settings(("environment", {name: value}))

    assert str(caught.value) == f"environment: {name} = {value!r} is out of range: {bounds}."


def test_no_choice_is_refused() -> None:
    """The message lists what may be chosen."""
    with pytest.raises(InvalidSetting, match="config: log_level = 'LOUD' is none of DEBUG, INFO, WARNING, ERROR"):
        make_settings(("config", {"log_level": "LOUD"}))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("prot", "Did you mean 'port'?", id="near-miss"),
        pytest.param("zzzzzz", "See docs/reference/settings.md for all of them.", id="nothing-near"),
    ],
)
def test_unknown_name_is_refused(name: str, hint: str) -> None:
    """A misspelt setting is an error, not silence."""
    with pytest.raises(InvalidSetting) as caught:
        make_settings(("config.toml", {"port": 17010}), ("command line", {name: 1}))

    assert str(caught.value) == f"command line: there is no setting {name!r}. {hint}"


def test_message_names_the_layer_that_is_wrong() -> None:
    """A bad value is reported even if a later layer would have overruled it."""
    with pytest.raises(InvalidSetting, match=r"^config\.toml: port"):
        make_settings(("config.toml", {"port": 0}), ("environment", {"port": 17010}))


@given(st.integers(min_value=1, max_value=65535))
def test_text_means_the_same_as_the_number(port: int) -> None:
    """An environment variable sets what the file would have set."""
    assert make_settings(("environment", {"port": str(port)})) == make_settings(("config.toml", {"port": port}))


def test_every_setting_is_described() -> None:
    """The reference page has every setting, in order, with its default and a sentence of help."""
    described = list(describe())
    assert {setting.name: setting.default for setting in described} == dataclasses.asdict(Settings())
    assert [setting.name for setting in described if not setting.help.endswith(".")] == []


def test_defaults_pass_their_own_check() -> None:
    """What a setting is by default can also be written down."""
    defaults = {setting.name: setting.default for setting in describe()}
    assert make_settings(("config.toml", defaults)) == Settings()


def test_defaults_can_be_given_as_text() -> None:
    """Every setting can be set through an environment variable."""
    words = {setting.name: str(setting.default) for setting in describe()}
    assert make_settings(("environment", words)) == Settings()


def test_choices_belong_to_settings() -> None:
    """Each list of choices is of a setting that exists, and holds its default."""
    defaults = {setting.name: setting.default for setting in describe()}
    assert [name for name, choices in CHOICES.items() if defaults[name] not in choices] == []


def test_prefix_of_environment_variables() -> None:
    """The documented prefix is the one in force."""
    assert ENVIRONMENT_PREFIX == "ZATO_"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        pytest.param("cluster", "a{b}", "cluster = 'a{b}' is not 1 to 64 of the characters", id="cluster-with-braces"),
        pytest.param("cluster", "a" * 65, "is not 1 to 64 of", id="cluster-too-long"),
        pytest.param("broker", "postgres", "broker = 'postgres' is not known. Use 'sqlite', or a URL", id="word"),
        pytest.param("broker", "redis://:hun/ter2@h", "is not percent-encoded", id="broker-not-encoded"),
        pytest.param("broker", "me:hunter2@h", "broker = '…' is not legal", id="no-scheme"),
        pytest.param("broker", "redis://:hunter2\n@h", "holds characters that cannot be printed", id="two-lines"),
        pytest.param("broker", ["redis://:hunter2@h"], "is not of type str", id="broker-is-a-list"),
    ],
)
def test_broker_and_cluster_are_checked(name: str, value: object, words: str) -> None:
    """The layer is named, and no password is shown."""
    with pytest.raises(InvalidSetting) as caught:
        make_settings(("config.toml", {name: value}))
    message = str(caught.value)
    assert message.startswith("config.toml: ")
    assert words in message
    assert "ter2" not in message


def test_address_of_a_broker_stays_as_it_was_written() -> None:
    """Taking it apart is for whoever connects."""
    assert make_settings(("here", {"broker": "redis://u:p@h"})).broker == "redis://u:p@h"
