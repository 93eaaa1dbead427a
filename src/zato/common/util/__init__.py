"""The few functions that older services import from here."""

from zato.common.util.api import as_bool, asbool, new_cid
from zato.core.absent import say_what_is_absent

__all__ = ["as_bool", "asbool", "new_cid"]

say_what_is_absent(__name__)
