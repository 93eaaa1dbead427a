"""What only older versions of Python know, and how it is written now. Read by `syntax` and `leftovers`."""

from collections.abc import Mapping

from zato.migrate.findings import Rule, Severity

__all__ = ["ATTRIBUTES", "CODECS", "DIVISION", "LAZY", "METHODS", "MODULES", "NAMES", "SPECIAL_METHODS", "SYNTAX"]


def _python(remedies: Mapping[str, str]) -> Mapping[str, Rule]:
    return {what: Rule(Severity.PYTHON, remedy) for what, remedy in remedies.items()}


# What this Python cannot even read, or reads as something else.
SYNTAX = _python(
    {
        "print statement": "Write `print(...)`, or better `self.logger.info(...)`.",
        "except X, e": "Write `except X as e`.",
        "raise X, value": "Write `raise X(value)`; a traceback is handed on by `raise ... from error`.",
        "exec statement": "Write `exec(code, namespace)`.",
        "backticks": "Write `repr(...)`.",
        "<>": "Write `!=`.",
        "octal number": "Write `0o` before the digits.",
        "long number": "Leave out the `L`.",
        "ur''": "Write `r''`; every text is Unicode.",
        "\\u in a text": "Write `r''`, or two backslashes, where a backslash is meant.",
        "tuple as an argument": "Take one argument, and unpack it in the body.",
        "async or await as a name": "Choose another name: these are words of the language. "
        "What a client was given `async=True` for is `invoke_async`.",
        "tabs and spaces mixed": "Indent with spaces only.",
        "syntax": "Correct it; what `python -m py_compile` says is the same.",
    }
)

MODULES = _python(
    {
        "BaseHTTPServer": "Import `http.server`.",
        "ConfigParser": "Import `configparser`; or put the file where `self.user_config` finds it.",
        "Cookie": "Import `http.cookies`.",
        "HTMLParser": "Import `html.parser`.",
        "Queue": "Import `queue`.",
        "SimpleHTTPServer": "Import `http.server`.",
        "SocketServer": "Import `socketserver`.",
        "StringIO": "Import `io`: `io.StringIO` for text, `io.BytesIO` for bytes.",
        "UserDict": "Import `collections`.",
        "__builtin__": "Import `builtins`.",
        "asynchat": "Use `asyncio`; the module left Python with 3.12.",
        "asyncore": "Use `asyncio`; the module left Python with 3.12.",
        "cPickle": "Import `pickle`.",
        "cStringIO": "Import `io`: `io.StringIO` for text, `io.BytesIO` for bytes.",
        "cgi": "Use `urllib.parse` and `html`; the module left Python with 3.13.",
        "commands": "Import `subprocess`: `subprocess.getoutput`.",
        "cookielib": "Import `http.cookiejar`.",
        "copy_reg": "Import `copyreg`.",
        "distutils": "Use `shutil` or `setuptools`; the module left Python with 3.12.",
        "exceptions": "Leave out the import; the names are built in.",
        "htmlentitydefs": "Import `html.entities`.",
        "httplib": "Import `http.client`, or use `requests`.",
        "imp": "Import `importlib`; the module left Python with 3.12.",
        "md5": "Import `hashlib`: `hashlib.md5`.",
        "sets": "Leave out the import; `set` is built in.",
        "sha": "Import `hashlib`: `hashlib.sha1`.",
        "telnetlib": "Use a library; the module left Python with 3.13.",
        "thread": "Import `threading`.",
        "urllib2": "Import `urllib.request` and `urllib.error`, or use `requests`.",
        "urlparse": "Import `urllib.parse`.",
        "xmlrpclib": "Import `xmlrpc.client`.",
    }
)

# Built in once, unless the file binds the name itself.
NAMES = _python(
    {
        "apply": "Write `function(*arguments)`.",
        "basestring": "Write `str`.",
        "buffer": "Write `memoryview`.",
        "cmp": "Compare with `<` and `==`; sort with `key=`.",
        "execfile": "Write `exec(open(path).read())`.",
        "long": "Write `int`.",
        "raw_input": "Write `input`; a service has nobody to ask.",
        "reduce": "Import it: `from functools import reduce`.",
        "reload": "Import it: `from importlib import reload`.",
        "unichr": "Write `chr`.",
        "unicode": "Write `str`; to make text of bytes write `.decode('utf-8')`.",
        "xrange": "Write `range`.",
    }
)

# Called on anything, with nothing or one argument.
METHODS = _python(
    {
        "has_key": "Write `key in mapping`.",
        "iteritems": "Write `.items()`.",
        "iterkeys": "Write `.keys()`.",
        "itervalues": "Write `.values()`.",
        "viewitems": "Write `.items()`.",
        "viewkeys": "Write `.keys()`.",
        "viewvalues": "Write `.values()`.",
    }
)

SPECIAL_METHODS = _python(
    {
        "__cmp__": "Write `__eq__` and `__lt__`.",
        "__getslice__": "Write `__getitem__`, which is given a `slice`.",
        "__metaclass__": "Write `class X(metaclass=M)`.",
        "__nonzero__": "Name it `__bool__`.",
        "__unicode__": "Name it `__str__`.",
    }
)

# By the module they are imported from.
ATTRIBUTES = _python(
    {
        "itertools.ifilter": "Write `filter`.",
        "itertools.imap": "Write `map`.",
        "itertools.izip": "Write `zip`.",
        "itertools.izip_longest": "Write `itertools.zip_longest`.",
        "os.getcwdu": "Write `os.getcwd`.",
        "string.join": "Write `separator.join(items)`.",
        "string.letters": "Write `string.ascii_letters`.",
        "string.lower": "Write `text.lower()`.",
        "string.lowercase": "Write `string.ascii_lowercase`.",
        "string.maketrans": "Write `str.maketrans`.",
        "string.replace": "Write `text.replace(old, new)`.",
        "string.split": "Write `text.split()`.",
        "string.strip": "Write `text.strip()`.",
        "string.upper": "Write `text.upper()`.",
        "string.uppercase": "Write `string.ascii_uppercase`.",
        "sys.exc_clear": "Leave it out.",
        "sys.maxint": "Write `sys.maxsize`.",
        "sys.setdefaultencoding": "Leave it out; the default is UTF-8.",
        "time.clock": "Write `time.perf_counter`.",
        "types.DictType": "Write `dict`.",
        "types.IntType": "Write `int`.",
        "types.ListType": "Write `list`.",
        "types.StringType": "Write `str`.",
        "types.StringTypes": "Write `str`.",
        "types.UnicodeType": "Write `str`.",
        "urllib.quote": "Write `urllib.parse.quote`.",
        "urllib.quote_plus": "Write `urllib.parse.quote_plus`.",
        "urllib.unquote": "Write `urllib.parse.unquote`.",
        "urllib.unquote_plus": "Write `urllib.parse.unquote_plus`.",
        "urllib.urlencode": "Write `urllib.parse.urlencode`.",
        "urllib.urlopen": "Write `urllib.request.urlopen`.",
        "urllib.urlretrieve": "Write `urllib.request.urlretrieve`.",
    }
)

CODECS = frozenset({"base64", "bz2", "hex", "quopri", "rot13", "uu", "zip", "zlib"})

LAZY = _python(
    {
        "item of keys(), values() or items()": "Make a list first: `list(...)[0]`; or take `next(iter(...))`.",
        "item of map, filter or zip": "Make a list first: `list(map(...))[0]`.",
        "length of map, filter or zip": "Make a list first: `len(list(map(...)))`.",
        "sort() of keys(), values() or items()": "Write `sorted(...)`.",
        "cmp=": "Sort with `key=`; `functools.cmp_to_key` makes one of a comparison.",
        "encode or decode of such a codec": "Use `base64`, `binascii` or `zlib`; texts have characters, not bytes.",
        "message of an exception": "Write `str(error)`.",
        "next()": "Write `next(iterator)`, if it is one.",
    }
)

# In files that are of Python 2 already for another reason.
DIVISION = Rule(
    Severity.CHANGED, "Two whole numbers give a fraction now. Write `//` where the result is to be a whole number."
)
