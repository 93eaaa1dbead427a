"""What a service takes and gives, compiled once: reads its input, writes its output, describes both."""

import enum
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from zato.core.attrdict import as_attributes
from zato.core.elements.declared import Declared, Side, declared_by
from zato.core.elements.output import Payload, attributes_of, rows_in
from zato.core.elements.problems import Problem, each
from zato.core.elements.shape import Shape
from zato.core.errors import BadRequest, InvalidOutput, InvalidPayload
from zato.core.masks import MASK, Masks, is_secret_name
from zato.core.payload import decode

__all__ = ["NO_CONTRACT", "Contract", "contract_of"]

# As many names as a message lists.
LISTED = 10
# As deep as the log shows a value.
MAX_DEPTH = 20

_masks = Masks()


class Contract:
    """The declared input and output of one service class.

    Attributes:
        has_input: whether an input is declared.
        has_output: whether an output is declared.
        annotated_input: whether an annotation declares the input.
        annotated_output: whether an annotation declares the output.
        notes: what the class says that has no effect, for the log at deployment.
    """

    def __init__(self, declared: Declared) -> None:
        """Take what a class declares."""
        self._input = declared.input
        self._output = declared.output
        self.has_input = declared.input is not None
        self.has_output = declared.output is not None
        self.annotated_input = declared.input is not None and declared.input.is_annotated
        self.annotated_output = declared.output is not None and declared.output.is_annotated
        self.notes = declared.notes
        self._secrets = frozenset({*_secrets_of(declared.input), *_secrets_of(declared.output)})

    def read(self, payload: Any, params: Mapping[str, str]) -> Any:
        """Return what `self.request.input` is.

        Args:
            payload: what came in, parsed.
            params: the query string; elements that the payload lacks are taken from it.

        Raises:
            BadRequest: something is missing, null or of the wrong type; the message has the path to it.
        """
        side = self._input
        if side is None:
            return as_attributes(payload)
        try:
            return _read(side, payload, params)
        except Problem as problem:
            message = problem.sentence("The input")
        except RecursionError:
            message = "The input is nested too deeply"
        raise BadRequest(message)

    def blank(self) -> Any:
        """Return what `self.response.payload` is at first."""
        return Payload() if self.has_output else None

    def written(self, payload: Any, warn: Callable[[str], None]) -> Any:
        """Return what leaves of what a service answered, as plain data.

        Args:
            payload: what `self.response.payload` is at the end.
            warn: told once the names that are not declared and do not leave.

        Raises:
            InvalidOutput: an element is missing, or of the wrong type.
        """
        side = self._output
        if side is None:
            return payload
        dropped: set[str] = set()
        try:
            written = _written(side, payload, dropped)
        except Problem as problem:
            message = problem.sentence("The output")
        except RecursionError:
            message = "The output is nested too deeply"
        else:
            if dropped:
                warn(f"Dropped from the output, because it is not declared: {_listed(dropped)}")
            return {side.element: written} if side.element else written
        raise InvalidOutput(f"The output does not fit what the service declares: {message}")

    def masked(self, value: Any) -> Any:
        """Return an input or output without the secrets in it, for the log."""
        return _masked(value, self._secrets, 0)

    def described(self) -> dict[str, Any]:
        """Return the declaration in JSON form: for each side its elements, or None."""
        return {"input": _described(self._input), "output": _described(self._output)}


def contract_of(cls: type) -> Contract:
    """Return what a service class declares, by attributes, SimpleIO or annotations.

    Raises:
        ServiceDefinitionError: it is not legal; the message names the class attribute.
    """
    return Contract(declared_by(cls))


def _read(side: Side, payload: Any, params: Mapping[str, str]) -> Any:
    if type(payload) is dict and not (side.element or side.is_list):
        return side.shape.read(payload, params)
    if isinstance(payload, str | bytes | bytearray):
        payload = _parsed(payload)
    if payload is None:
        payload = {}
    if side.element and isinstance(payload, dict) and side.element in payload:
        payload = payload[side.element]
    if isinstance(payload, dict) and not side.is_list:
        return side.shape.read(payload, params)
    if isinstance(payload, list | tuple) and side.may_be_list:
        return each(payload, partial(_read_row, side, params))
    if isinstance(payload, str | int | float | list | tuple | dict) or side.is_list:
        raise _unexpected(side, payload)
    return side.shape.convert(payload)


def _read_row(side: Side, params: Mapping[str, str], row: Any) -> Any:
    return side.shape.read(row, params) if isinstance(row, dict) else side.shape.convert(row)


def _parsed(payload: str | bytes | bytearray) -> Any:
    """Return what a text holds: services hand JSON on as text, and nothing as an empty one."""
    if not payload:
        return {}
    try:
        return decode(payload if isinstance(payload, str) else bytes(payload))
    except InvalidPayload:
        return payload


class _Unexpected(Problem):
    """An input is no object at all."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self.message = message

    def sentence(self, whole: str) -> str:
        """Say what was expected."""
        return self.message


def _unexpected(side: Side, payload: Any) -> Problem:
    what = "a list of JSON objects" if side.is_list else "a JSON object"
    names = [element["name"] for element in side.shape.described() if element["required"]]
    needed = f" with {_listed(names)}" if names else ""
    return _Unexpected(f"The input has to be {what}{needed}; it is {_word_for(payload)}")


def _word_for(payload: Any) -> str:
    if isinstance(payload, dict):
        return "one object" if payload else "empty"
    if isinstance(payload, bool):
        return "true or false"
    words = {str: "text", bytes: "text", int: "a number", float: "a number"}
    return words.get(type(payload), "a list" if isinstance(payload, list | tuple) else type(payload).__name__)


def _written(side: Side, payload: Any, dropped: set[str]) -> Any:
    given = _given(side, payload) if side.element or type(payload) is not Payload else payload
    if side.is_list and not given:
        return []
    rows = rows_in(given)
    if rows is None:
        row = side.shape.write(given, dropped)
        return [row] if side.is_list else row
    if isinstance(given, Payload):
        dropped.update(vars(given))
    return each(rows, partial(side.shape.write, dropped=dropped))


def _given(side: Side, payload: Any) -> Any:
    """Return what a service answered: of JSON its value, of what is wrapped already what is in the wrapper."""
    if isinstance(payload, str | bytes):
        payload = _parsed(payload)
    key = side.element
    if key and type(payload) is dict and len(payload) == 1 and key in payload and not side.has(key):
        return payload[key]
    return {} if payload is None else payload


def _listed(names: Collection[str]) -> str:
    shown = sorted(names) if isinstance(names, set) else list(names)
    more = f" and {len(shown) - LISTED} more" if len(shown) > LISTED else ""
    return ", ".join(map(repr, shown[:LISTED])) + more


def _secrets_of(side: Side | None) -> set[str]:
    found: set[str] = set()
    if side is not None and isinstance(side.shape, Shape):
        _collect_secrets(side.shape, found, set())
    return found


def _collect_secrets(shape: Shape, found: set[str], seen: set[Shape]) -> None:
    seen.add(shape)
    for field in shape.fields:
        if field.kind.is_secret:
            found.update((field.key, field.attribute))
        inner = field.kind.shape
        if isinstance(inner, Shape) and inner not in seen:
            _collect_secrets(inner, found, seen)


def _masked(value: Any, secrets: Collection[str], depth: int) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return _masks.value(value)
    if depth == MAX_DEPTH:
        return "..."
    rows = value if isinstance(value, list | tuple) else value._zato_rows if isinstance(value, Payload) else None
    if rows is not None:
        return [_masked(row, secrets, depth + 1) for row in rows]
    try:
        values = _fields_of(value)
    except Problem:
        values = {}
    if not values and not isinstance(value, Mapping | Payload):
        return _masks.value(value.value if isinstance(value, enum.Enum) else value)
    return {
        name: MASK if name in secrets or is_secret_name(str(name)) else _masked(item, secrets, depth + 1)
        for name, item in values.items()
    }


def _fields_of(value: Any) -> Mapping[str, Any]:
    """Return the elements of whatever an input or output is made of."""
    kind = type(value)
    signs = ("__dataclass_fields__", "__struct_fields__", "model_fields")
    return attributes_of(value, next((getattr(kind, sign) for sign in signs if hasattr(kind, sign)), ()))


def _described(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {"elements": side.shape.described(), "is_list": side.is_list, "wrapper": side.element or None}


NO_CONTRACT = Contract(Declared())
