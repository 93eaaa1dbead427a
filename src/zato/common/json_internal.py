"""The same as `zato.common.json_`, under the other name that older services import."""

from zato.common.json_ import dumps, loads

__all__ = ["dumps", "loads"]
