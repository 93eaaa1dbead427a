"""Whether a file that does not load is one of Python 2: a guess from what the import raised, for a hint and no more."""

import re

__all__ = ["MODULES", "NAMES", "is_python_2"]

# What Python 3 says of some statements of Python 2, and of little else.
MESSAGES = (
    "Missing parentheses in call to",
    "multiple exception types must be parenthesized",
    "leading zeros in decimal integer literals",
    "inconsistent use of tabs and spaces",
    "Function parameters cannot be parenthesized",
)
# The rest is 'invalid syntax' to it.
STATEMENTS = re.compile(
    r"""
    ^ (?: print | exec ) \s+ [^=(]          # print x
    | ^ raise \s+ [\w.]+ \s* ,              # raise E, 'x'
    | ^ except \b [^:]* , \s* \w+ \s* :     # except E, e:
    | ` [^`]+ `                             # `x`
    | <>
    | \b \d+ [lL] \b                        # 10L
    | \b [uU][rR] ['"]                      # ur''
    """,
    re.VERBOSE,
)
NAMES = frozenset(
    {
        "basestring",
        "buffer",
        "cmp",
        "coerce",
        "execfile",
        "file",
        "intern",
        "long",
        "raw_input",
        "reduce",
        "reload",
        "unichr",
        "unicode",
        "xrange",
    }
)
MODULES = frozenset(
    {
        "BaseHTTPServer",
        "ConfigParser",
        "Cookie",
        "HTMLParser",
        "Queue",
        "SimpleHTTPServer",
        "SimpleXMLRPCServer",
        "SocketServer",
        "StringIO",
        "UserDict",
        "__builtin__",
        "cPickle",
        "cStringIO",
        "commands",
        "cookielib",
        "copy_reg",
        "exceptions",
        "htmlentitydefs",
        "httplib",
        "md5",
        "sets",
        "sha",
        "thread",
        "urllib2",
        "urlparse",
        "xmlrpclib",
    }
)


def is_python_2(message: str, text: str) -> bool:
    """Tell whether a line that is no Python 3 is Python 2.

    Args:
        message: what Python says is wrong with it.
        text: the line, without white space around it.
    """
    return message.startswith(MESSAGES) or STATEMENTS.search(text) is not None
