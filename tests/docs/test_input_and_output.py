"""What `docs/howto/input-and-output.md` shows in its tables is what services answer."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zato.core import elements
from zato.core.elements import contract_of
from zato.core.errors import BadRequest
from zato.core.payload import encode
from zato.testing import Zato

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "howto" / "input-and-output.md").read_text("utf-8")
EXAMPLES = [DOCS / "examples" / f"catalogue{name}.py" for name in ("", "_typed", "_simple_io")]
TABLE = re.compile(r"^\| sent to `([a-z.]+)` \| answer \|\n\|---\|---\|\n((?:\|.*\|\n)+)", re.MULTILINE)
ROW = re.compile(r"^\| `(.*?)` \| (400 )?`(.*)` \|$", re.MULTILINE)
TYPE = re.compile(r"^\| `([A-Z]\w+)` \| `(.*?)` \| `(.*?)` \| `(.*?)` \|$", re.MULTILINE)
SENT = [(service, *row) for service, rows in TABLE.findall(PAGE) for row in ROW.findall(rows)]
TYPES = TYPE.findall(PAGE)


@pytest.fixture(scope="module")
def catalogue() -> Iterator[Zato]:
    """The services of the page, in memory."""
    with Zato() as kit:
        kit.deploy(*EXAMPLES)
        yield kit


def test_tables_are_found() -> None:
    """All of their rows are read, and every type has one."""
    declared = {name for name, kind in vars(elements).items() if isinstance(kind, type) and kind.__name__ == name}
    assert len(SENT) == 11
    assert {name for name, *_ in TYPES} == declared - {"Contract", "Model"}


@pytest.mark.parametrize(("service", "sent", "refused", "answer"), SENT)
def test_answers(catalogue: Zato, service: str, sent: str, refused: str, answer: str) -> None:
    """Who sends this gets that."""
    if refused:
        with pytest.raises(BadRequest) as caught:
            catalogue.invoke(service, json.loads(sent))
        assert str(caught.value) == answer
    else:
        assert catalogue.invoke(service, json.loads(sent), method="POST").data == json.loads(answer)


@pytest.mark.parametrize(("name", "sent", "found", "leaves"), TYPES)
def test_types(name: str, sent: str, found: str, leaves: str) -> None:
    """A value of each type comes in and goes out as the page says."""
    kind: Any = getattr(elements, name)
    contract = contract_of(type("Sample", (), {"input": kind("x"), "output": kind("x")}))
    value = contract.read({"x": json.loads(sent)}, {}).x
    assert repr(value) == found
    assert json.loads(encode(contract.written({"x": value}, print)))["x"] == json.loads(leaves)


def test_rows_by_query_string(catalogue: Zato) -> None:
    """A GET has its input in the address."""
    answer = catalogue.invoke("catalogue.products", method="GET", params={"above": "200"})
    assert answer.data == [{"product": "table", "price": 480}]


def test_model(catalogue: Zato) -> None:
    """The annotated service works with objects."""
    payload = {"customer_id": "C-17", "lines": [{"product": "chair"}], "deliver_on": "2026-01-31"}
    answer = catalogue.invoke("catalogue.accept", payload)
    assert answer.data == {"customer_id": "C-17", "pieces": 1, "deliver_on": "2026-01-31"}
