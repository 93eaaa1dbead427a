"""What files of TOML and INI say, as tables that services read."""

import copy
import json
from typing import Any

import pytest

from zato.core.attrdict import AttrDict
from zato.core.errors import MissingConfig
from zato.core.user_config import ConfigFault, parse_config, user_config

TOML = b"""
title = "Shop"
[backend]
timeout = 2.5
hosts = [{name = "a"}, {name = "b"}]
[backend.login]
password = "hunter2"
"""
INI = b"""\xef\xbb\xbfcolour = red
[Backend]
timeOut = 30
url: http://h/?a=%20b;c
[DEFAULT]
x =
"""
FAULTS = [
    pytest.param("a.toml", b"a = 1\nb = hunter2\n", r"^it is no TOML: .*line 2", id="toml"),
    pytest.param("a.toml", b"a = " + b"9" * 5000, "a number is too long", id="long-number"),
    pytest.param("a.toml", b"a = " + b"[" * 5000, "nested too deep", id="nested"),
    pytest.param("a.toml", b"a = 1\n\xff", r"^line 2: it is not UTF-8$", id="not-utf-8"),
    pytest.param("a.ini", b"[a]\nx = 1\nhunter2\n", r"^line 3: it is neither a section in brackets nor", id="no-key"),
    pytest.param("a.conf", b"[a]\n[b]\n[a]\n", r"^line 3: the section 'a' was there before$", id="section-twice"),
    pytest.param("a.ini", b"[a]\nx = hunter2\nx = 2\n", r"^line 3: the key 'x' was there before$", id="key-twice"),
]


def config(broken: dict[str, str] | None = None, **files: bytes) -> Any:
    """Return what services see of files."""
    named = {name.replace("_", "."): data for name, data in files.items()}
    return user_config({name: parse_config(name, data) for name, data in named.items()}, broken or {}, "user-config")


def test_toml_keeps_its_types() -> None:
    """By item, by attribute, and in lists."""
    shop = config(shop_toml=TOML).shop
    assert (shop.title, shop["backend"]["timeout"], shop.backend.hosts[1].name) == ("Shop", 2.5, "b")


def test_ini_is_text() -> None:
    """Keys keep their capitals, values every character; what stands before the first section is the file's own."""
    read = parse_config("a.ini", INI)
    assert read == {
        "colour": "red",
        "Backend": {"timeOut": "30", "url": "http://h/?a=%20b;c"},
        "DEFAULT": {"x": ""},
    }


def test_file_has_two_names() -> None:
    """With its suffix and without it."""
    both = config(shop_toml=TOML, crm_ini=INI)
    assert both["shop.toml"] == both["shop"]
    assert both["crm.ini"].colour == both.crm.colour == "red"


def test_name_of_two_files_is_refused() -> None:
    """Nobody knows which of them is meant; with the suffix it is clear."""
    both = config(shop_toml=TOML, shop_ini=INI)
    with pytest.raises(MissingConfig, match=r"^user-config has 'shop\.ini' and 'shop\.toml': name one of them"):
        _ = both["shop"]
    assert both["shop.ini"].colour == "red"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param(["shp"], "user-config has no 'shp'. Did you mean 'shop'?", id="file"),
        pytest.param(["shop", "bakend"], "shop.toml has no 'bakend'. Did you mean 'backend'?", id="section"),
        pytest.param(["shop", "backend", "q"], "shop.toml [backend] has no 'q'. It has 'timeout', 'hosts', 'login'."),
        pytest.param(["shop", "backend", "login", "pasword"], "shop.toml [backend] [login] has no 'pasword'. Did you"),
    ],
)
def test_wrong_name(path: list[str], message: str) -> None:
    """By item it is a KeyError, by attribute an AttributeError; the message is the same, and has no value."""
    *above, last = path
    table = config(shop_toml=TOML)
    for name in above:
        table = table[name]
    with pytest.raises(KeyError) as by_item:
        table[last]
    with pytest.raises(AttributeError) as by_attribute:
        getattr(table, last)
    assert str(by_item.value).startswith(message)
    assert str(by_attribute.value) == str(by_item.value)
    assert "hunter2" not in str(by_item.value)


def test_nothing_there() -> None:
    """Asking politely is possible, and an empty folder is told."""
    nothing = config()
    assert (nothing.get("shop"), "shop" in nothing, hasattr(nothing, "shop")) == (None, False, False)
    with pytest.raises(
        MissingConfig, match=r"^user-config has no 'shop'\. No file of .* 'user-config' ends in \.toml, \.ini"
    ):
        _ = nothing["shop"]


def test_file_that_is_called_like_another_with_a_suffix() -> None:
    """The name of a file is its own, whatever else lies beside it."""
    files = {"shop.toml": {"a": 1}, "shop.toml.ini": {"a": 2}}
    assert user_config(files, {}, "user-config")["shop.toml"] == {"a": 1}


def test_broken_file_says_why() -> None:
    """Whoever asks for it learns what is wrong with it, by either of its names."""
    table = config({"shop.toml": "line 3: no."}, crm_ini=INI)
    for name in ("shop", "shop.toml"):
        with pytest.raises(MissingConfig, match=r"^line 3: no\.$"):
            table[name]


@pytest.mark.parametrize(("name", "data", "message"), FAULTS)
def test_fault(name: str, data: bytes, message: str) -> None:
    """The message has the line, and nothing of what may be a password in it."""
    with pytest.raises(ConfigFault, match=message) as caught:
        parse_config(name, data)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None or "hunter2" not in str(caught.value.__cause__)


def test_nobody_changes_it() -> None:
    """All services of a process share it."""
    backend = config(shop_toml=TOML).shop.backend
    for change in (lambda: backend.update(timeout=1), lambda: setattr(backend, "timeout", 1), backend.clear):
        with pytest.raises(TypeError, match=r"^shop\.toml \[backend\] cannot be changed here\. Change the file"):
            change()
    with pytest.raises(TypeError):
        backend["timeout"] = 1
    assert backend.timeout == 2.5


def test_copy_can_be_changed() -> None:
    """It has attributes, too; and a table is a dict wherever one is wanted."""
    backend = config(shop_toml=TOML).shop.backend
    mine = copy.deepcopy(backend)
    mine.login.password = "other"
    assert isinstance(mine, AttrDict)
    assert (backend.login.password, json.loads(json.dumps(backend))["timeout"]) == ("hunter2", 2.5)
