"""Declared input and output: the types to declare them with, and the contract that a service class comes to.

A declaration in any of the forms is compiled to the same shapes (`shape.py`), so the same mistake gets the same
message (`problems.py`) whichever form it was declared in.
"""

from zato.core.elements.contract import NO_CONTRACT, Contract, contract_of
from zato.core.elements.model import Model
from zato.core.elements.types import (
    CSV,
    UTC,
    UUID,
    AsIs,
    Bool,
    Boolean,
    Date,
    DateTime,
    Decimal,
    Dict,
    DictList,
    Float,
    Int,
    Integer,
    List,
    ListOfDicts,
    Nested,
    Opaque,
    Secret,
    Text,
    Unicode,
)

__all__ = [
    "CSV",
    "NO_CONTRACT",
    "UTC",
    "UUID",
    "AsIs",
    "Bool",
    "Boolean",
    "Contract",
    "Date",
    "DateTime",
    "Decimal",
    "Dict",
    "DictList",
    "Float",
    "Int",
    "Integer",
    "List",
    "ListOfDicts",
    "Model",
    "Nested",
    "Opaque",
    "Secret",
    "Text",
    "Unicode",
    "contract_of",
]
