"""What schemathesis does to each request: it comes from an address of its own, and finds something.

The server under test trusts loopback as its proxy, so that the limits per address, which other tests
look at, do not end this one after a minute's worth of requests.
"""

import itertools
import os
import pathlib
import sys

import schemathesis

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from stage import Stage  # noqa: E402

_ADDRESSES = itertools.count(1)
_STAGE = Stage(os.environ["RELAYHOUSE_URL"], os.environ["RELAYHOUSE_KEY"])


@schemathesis.hook
def before_call(context, case, kwargs):
    number = next(_ADDRESSES)
    case.headers = case.headers or {}
    _STAGE.furnish(case, number)
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
