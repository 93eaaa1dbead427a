"""Import paths that older services and programs use. What is here is defined in `zato.core`, or is a constant."""

from zato.common.api import CHANNEL, DATA_FORMAT, ZATO_ERROR, ZATO_NONE, ZATO_OK
from zato.common.exception import Inactive, ZatoException
from zato.core.absent import say_what_is_absent

__all__ = ["CHANNEL", "DATA_FORMAT", "ZATO_ERROR", "ZATO_NONE", "ZATO_OK", "Inactive", "ZatoException"]

say_what_is_absent(__name__)
