"""What an element without a type is, by its name."""

from zato.core.elements.conversions import to_bool, to_int
from zato.core.elements.kinds import ANY, Kind, lenient
from zato.core.masks import is_secret_name

__all__ = ["INTEGER", "SECRET", "TRUTH", "kind_by_name"]

TRUTH_PREFIXES = ("by_", "has_", "is_", "may_", "needs_", "should_")
COUNT_SUFFIXES = ("_count", "_size", "_timeout")
ID_SUFFIX = "_id"

# What the service makes itself goes out as it is if it does not fit: its name is no promise.
TRUTH = lenient(Kind(name="bool", exact=bool, read=to_bool, write=to_bool, keeps_null=True))
INTEGER = lenient(Kind(name="int", exact=int, read=to_int, write=to_int, keeps_null=True))
# Not made a text: many are, and cookies are not.
SECRET = Kind(name="secret", keeps_null=True, is_secret=True, is_text=True)


def kind_by_name(name: str) -> Kind:
    """Return what a name says: `has_children` is a truth, `customer_id` a whole number, `api_token` a secret.

    A secret's identifier is a secret, because `access_key_id` is no number; how many tokens there are is not.
    """
    lower = name.lower()
    if lower.startswith(TRUTH_PREFIXES):
        return TRUTH
    if lower.endswith(COUNT_SUFFIXES):
        return INTEGER
    if is_secret_name(name):
        return SECRET
    return INTEGER if lower == "id" or lower.endswith(ID_SUFFIX) else ANY
