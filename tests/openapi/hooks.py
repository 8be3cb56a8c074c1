"""What schemathesis does to each request: it comes from an address of its own.

The server under test trusts loopback as its proxy, so that the limits per address, which other tests
look at, do not end this one after a minute's worth of requests.
"""

import itertools

import schemathesis

_ADDRESSES = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    number = next(_ADDRESSES)
    case.headers = case.headers or {}
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
