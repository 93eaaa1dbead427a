"""Models, under the name that older services import."""

from zato.core.absent import say_what_is_absent
from zato.core.elements import Model

__all__ = ["Model"]

say_what_is_absent(__name__)
