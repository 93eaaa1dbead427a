"""Leftovers of older Pythons in files that this one can read."""

from pathlib import Path

import pytest

from tests.unit.migrate.reading import found_in


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("import urllib2", "import urllib2"),
        ("import os, ConfigParser", "import ConfigParser"),
        ("from StringIO import StringIO", "import StringIO"),
        ("from urllib import urlencode", "urllib.urlencode"),
        ("import urllib as u\nu.quote('x')", "urllib.quote"),
        ("import string\nstring.letters", "string.letters"),
        ("x = unicode(y)", "unicode"),
        ("isinstance(x, basestring)", "basestring"),
        ("for i in xrange(3): pass", "xrange"),
        ("reduce(f, x)", "reduce"),
        ("{}.iteritems()", ".iteritems()"),
        ("x.has_key('y')", ".has_key()"),
        ("reader.next()", ".next()"),
        ("x.keys()[0]", ".keys()[...]"),
        ("map(f, x)[0]", "map(...)[...]"),
        ("len(filter(f, x))", "len(filter(...))"),
        ("x.items().sort()", ".items().sort()"),
        ("sorted(x, cmp=f)", "cmp="),
        ("x.sort(cmp=f)", "cmp="),
        ("'x'.encode('hex')", ".encode('hex')"),
        ("try: f()\nexcept ValueError as e: g(e.message)", "e.message"),
        ("class A:\n  def __nonzero__(self): return True", "__nonzero__"),
        ("class A:\n  __metaclass__ = M", "__metaclass__"),
        ("print", "print statement"),
        ("print >>log, 'x'", "print statement"),
        ("print ('%s') % x", "print statement"),
        ("print ('x'), y", "print statement"),
    ],
)
def test_leftover(tmp_path: Path, line: str, what: str) -> None:
    """What the file asks for is not there any more, or does something else."""
    number = line.count("\n") + 1 if what not in ("__nonzero__",) else 2
    assert found_in(tmp_path, line) == [(number, "python", what)]


@pytest.mark.parametrize(
    "text",
    [
        "try: unicode\nexcept NameError: unicode = str\nunicode('x')",
        "def f(long, cmp=None): return sorted(long, key=cmp)",
        "from functools import reduce\nreduce(f, x)",
        "try:\n  from urllib2 import urlopen\nexcept ImportError:\n  from urllib.request import urlopen",
        "try:\n  import json\nexcept ImportError:\n  import StringIO",
        "try:\n  import cPickle as pickle\nexcept:\n  import pickle",
        "import sys\nif sys.version_info[0] == 2:\n  text = unicode\n  import urllib2",
        "from six import PY2\nif PY2:\n  x = {}.iteritems()",
        "class Cursor:\n  def next(self): pass\nCursor().next()",
        "class A:\n  def __bool__(self): return True\n  __nonzero__ = __bool__",
        "try: f()\nexcept BadRequest as e: g(e.message)",
        "x.encode('utf8')\nx.keys()\nlist(x.keys())[0]\nmap(f, x)\nx.next(1)\nurllib.quote",
        "print('x')\nprint('a' % b, c)\nprinted = print",
        "try: f()\nexcept (KeyError, ValueError): pass",
        "from . import urllib2x\nfrom .urllib import quote",
        "1 / 2",
    ],
)
def test_no_leftover(tmp_path: Path, text: str) -> None:
    """What runs on both, or is a name of the file's own, is left alone."""
    assert [finding for finding in found_in(tmp_path, text) if finding[1] == "python"] == []


def test_import_in_a_block_that_catches_anything(tmp_path: Path) -> None:
    """A long `try` around work does not say that its imports may fail."""
    assert found_in(tmp_path, "try:\n  import urllib2\n  urllib2.urlopen(x)\nexcept Exception:\n  pass") == [
        (2, "python", "import urllib2")
    ]


def test_division_is_spoken_of_in_files_of_python_2_alone(tmp_path: Path) -> None:
    """Of files that show no age nobody knows whether a fraction was meant."""
    text = "import urllib2\na = x / 2\nb = len(x) / y\nc = x / 2.0\nd = float(x) / 2\ne = x / y\n"
    asked = f"from __future__ import division\n{text}"

    assert found_in(tmp_path, text)[1:] == [(2, "changed", "/ of whole numbers"), (3, "changed", "/ of whole numbers")]
    assert found_in(tmp_path, asked) == [(2, "python", "import urllib2")]
