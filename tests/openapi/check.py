#!/usr/bin/env python3
"""Checks the running server against its own OpenAPI description, with schemathesis.

    check.py RELAYHOUSE SCHEMATHESIS [option of schemathesis…]

Starts the program on a free port, with every dialect, closed to strangers, with a key for everything and
somebody who may log in, and lets schemathesis call every described operation with data that is right, at
the bounds, and wrong; what there is to be found is in `stage.py`. Each answer must be a described status
with the described shape, never a 5xx, and no call may do without its proof: a dialect that is open needs
none, so none is open here. Exits with schemathesis' own status.
"""

import json
import os
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import threading

from stage import PASSWORDS

READY_WITHIN = 20
HERE = pathlib.Path(__file__).resolve().parent


def main() -> int:
    program, schemathesis, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        data = pathlib.Path(scratch, "data")
        server = start(program, data)
        try:
            url = f"http://{http_address(server)}"
            key = run(program, data, "keys", "add", "--scope", "mint,rooms,admin").split()[-1]
            for name, password in PASSWORDS.items():
                run(program, data, "users", "add", name, "--role", "admin", "--password-stdin", typed=password)
            return check(schemathesis, url, key, scratch, options)
        finally:
            server.terminate()
            server.wait(timeout=10)


def start(program: str, data: pathlib.Path) -> subprocess.Popen:
    arguments = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data-dir", str(data)]
    settings = ["log.format=json", "http.trusted_proxies=127.0.0.1", "peers.allow=127.0.0.1/32"]
    for setting in settings:
        arguments += ["--set", setting]
    return subprocess.Popen(
        [program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, env=clean_environment(),
    )


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("RELAYHOUSE_")}


def http_address(server: subprocess.Popen) -> str:
    """The address in the line that says `ready`; the rest of the log is read and dropped."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in server.stderr:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    seen = []
    while (line := lines.get(timeout=READY_WITHIN)) is not None:
        seen.append(line)
        try:
            fields = json.loads(line).get("fields", {})
        except ValueError:
            continue
        if fields.get("message") == "ready":
            return fields["http"]
    sys.exit("the server ended before it was ready:\n" + "".join(seen))


def run(program: str, data: pathlib.Path, *arguments: str, typed: str = "") -> str:
    command = [program, *arguments, "--data-dir", str(data)]
    ended = subprocess.run(
        command, check=True, text=True, input=typed, stdout=subprocess.PIPE, env=clean_environment()
    )
    return ended.stdout


def check(schemathesis: str, url: str, key: str, scratch: str, options: list[str]) -> int:
    command = [
        schemathesis, f"--config-file={HERE / 'schemathesis.toml'}", "run", f"{url}/api/openapi.json",
        "--seed=1", *options,
    ]
    hooks = {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "RELAYHOUSE_URL": url, "RELAYHOUSE_KEY": key}
    environment = os.environ | hooks
    return subprocess.run(command, cwd=scratch, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
