"""Constants that older services compare with. Their values are what this server really uses."""

from zato.core.absent import say_what_is_absent
from zato.core.call import REST

__all__ = ["CHANNEL", "DATA_FORMAT", "ZATO_ERROR", "ZATO_NONE", "ZATO_OK"]

ZATO_OK = "ZATO_OK"
ZATO_ERROR = "ZATO_ERROR"
ZATO_NONE = "ZATO_NONE"


class CHANNEL:
    """Types of channels, to compare `self.channel` or `self.channel.type` with."""

    HTTP_SOAP = REST
    INVOKE = "invoke"
    INVOKE_ASYNC = "invoke-async"
    INVOKE_ASYNC_CALLBACK = "invoke-async-callback"


class DATA_FORMAT:  # noqa: N801 -- the name that older services import
    """Formats of data, to compare `self.data_format` with. A service always has its payload as Python's own types."""

    DICT = "dict"
    JSON = "json"


say_what_is_absent(__name__)
