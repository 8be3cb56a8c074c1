"""What there is to be called: people, rooms with somebody in them, invites, join codes, an allocation.

Random names find nothing, so calls whose data is right are given real ones. What a call uses up is made
anew for it, and where that is dear (a login takes a hash of the password) only a few times.
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import socket
import struct
import threading
import urllib.error
import urllib.request

# Those who may log in. The first has the sessions that stay, the second those that are used up: each
# may have a number of them.
PASSWORDS = {"ann": "a password of ann's", "bob": "a password of bob's"}
# Calls that end the session they are made in.
ENDING = {"POST /auth/logout", "POST /api/v1/auth/logout"}
# Calls of one kind that get something which is dear.
FEW = 3


def login(name: str) -> dict[str, str]:
    return {"username": name, "password": PASSWORDS[name]}


class Stage:
    def __init__(self, url: str, key: str):
        self.url, self.key = url, key
        self.numbers = itertools.count(1)
        self.served: dict[str, int] = {}
        self.lock = threading.Lock()
        self.furnish_room()
        self.user = self.log_in("ann")
        self.meetings = self.ask("POST", "/login", login("ann"), key=None)["token"]
        self.number = self.ask("POST", "/create", {}, plain=self.meetings)["room_id"]
        self.allocation = Allocation(self.ask("GET", "/api/v1/ice")["iceServers"])

    def furnish_room(self) -> None:
        """A room with a host in it, and a guest who waits."""
        self.room, ticket = self.make_room(lobby=True)
        self.host = Peer(self.url, ticket)
        self.guest = self.waiting_guest()

    def keep_room(self) -> None:
        """Other calls find the room too, and close or lock it."""
        try:
            is_good = not self.ask("GET", f"/api/v1/rooms/{self.room}")["room"]["locked"]
        except urllib.error.HTTPError:
            is_good = False
        if not is_good:
            self.furnish_room()

    def furnish(self, case, number: int) -> None:
        """Every second time something real takes the place of what was made up."""
        label = case.operation.label
        self.identify(case, label)
        # A state machine passes on what it was told itself.
        if number % 2 and self.is_positive(case) and case.meta.phase.name != "stateful":
            self.keep_room()
            for name in case.path_parameters or {}:
                self.place(case, label, name)
            self.content(case, label)

    def identify(self, case, label: str) -> None:
        """Some calls are a person's, whom a key is not. A proof that was taken away stays away."""
        if case.headers.get("Authorization") == f"Bearer {self.key}":
            if label in {"GET /auth/me", "POST /auth/refresh", "GET /auth/turn-credentials", "GET /api/v1/auth/me"}:
                case.headers["Authorization"] = f"Bearer {self.user['accessToken']}"
            elif label in ENDING and self.is_early(label):
                case.headers["Authorization"] = f"Bearer {self.log_in('bob')['accessToken']}"
        if label in {"POST /create", "POST /list_participants"} and self.is_positive(case):
            case.headers["Authorization"] = self.meetings

    @staticmethod
    def is_positive(case) -> bool:
        return bool(case.meta and case.meta.generation.mode.is_positive)

    def place(self, case, label: str, name: str) -> None:
        if name in {"room", "roomID", "room_id"}:
            ends = label.startswith("DELETE") and "invites" not in label
            case.path_parameters[name] = self.make_room()[0] if ends else self.room
        elif name == "path":
            case.path_parameters[name] = "app.js"
        elif name == "peer":
            # Kicked, admitted or denied: then somebody else must wait.
            if self.is_early(label):
                self.guest = self.waiting_guest()
            case.path_parameters[name] = self.guest.peer
        elif name == "invite":
            case.path_parameters[name] = self.make_invite()["invite"]
        elif name == "id" and "invites" in label:
            self.make_invite()
            open_ones = self.ask("GET", f"/api/v1/rooms/{self.room}/invites")["invites"]
            case.path_parameters[name] = open_ones[-1]["id"]
        elif name == "id" and "allocations" in label:
            open_ones = self.ask("GET", "/api/v1/admin/allocations")["allocations"]
            if not open_ones:
                self.allocation = Allocation(self.ask("GET", "/api/v1/ice")["iceServers"])
                open_ones = self.ask("GET", "/api/v1/admin/allocations")["allocations"]
            case.path_parameters[name] = open_ones[0]["id"]
        elif name == "check":
            case.path_parameters[name] = self.ask("POST", "/api/v1/checks")["check"]

    def content(self, case, label: str) -> None:
        """What is looked up by what a call carries beside its path."""
        if label in {"POST /login", "POST /auth/login", "POST /auth/token", "POST /api/v1/auth/login"}:
            if self.is_early(label):
                case.body = login("bob")
        elif label == "POST /api/v1/auth/refresh" and self.is_early(label):
            case.body = {"refreshToken": self.log_in("bob")["refreshToken"]}
        elif label == "POST /list_participants":
            case.body = {"room_id": self.number}
        elif label in {"POST /api/rooms/accept", "POST /api/rooms/check"}:
            code = f"code-{next(self.numbers)}"
            offer = {"joinid": code, "exp": "2099-01-01T00:00:00Z", "client1": "one"}
            self.ask("POST", "/api/rooms", offer)
            case.body = {"joinid": code, **({"client2": "two"} if "accept" in label else {"client1": "one"})}
        elif label == "POST /admin/rooms/{roomID}/kick":
            case.body = {"userID": self.guest.peer}
        elif label in {"GET /", "POST /"}:
            case.query = {"service": "turn"}
        elif label == "POST /invite":
            case.body = {"roomID": self.room}
        elif label == "POST /token" and isinstance(case.body, dict):
            case.body = {"role": "guest", "invite": self.ask("POST", "/invite", {"roomID": self.room})["invite"]}

    def is_early(self, label: str) -> bool:
        """Whether this is one of the first calls of its kind."""
        with self.lock:
            self.served[label] = self.served.get(label, 0) + 1
            return self.served[label] <= FEW

    def make_room(self, **options) -> tuple[str, str]:
        made = self.ask("POST", "/api/v1/rooms", options)
        return made["room"]["id"], made["ticket"]

    def make_invite(self) -> dict:
        return self.ask("POST", f"/api/v1/rooms/{self.room}/invites", {})

    def waiting_guest(self) -> "Peer":
        redeemed = self.ask("POST", f"/api/v1/invites/{self.make_invite()['invite']}/redeem", {}, key=None)
        return Peer(self.url, redeemed["ticket"])

    def log_in(self, name: str) -> dict:
        return self.ask("POST", "/api/v1/auth/login", login(name), key=None)

    def ask(self, method: str, path: str, body=None, key="", plain=None):
        """A call of our own, from an address of its own; `plain` is the whole of `Authorization`."""
        number = next(self.numbers)
        headers = {"X-Forwarded-For": f"172.16.{number >> 8 & 255}.{number & 255}"}
        if key is not None:
            headers["Authorization"] = plain or f"Bearer {key or self.key}"
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


class Peer:
    """Somebody on the signalling WebSocket, for as long as the check runs."""

    def __init__(self, url: str, ticket: str):
        host, port = url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /api/v1/signal HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        self.stream = self.socket.makefile("rb")
        while self.stream.readline() not in (b"\r\n", b""):
            pass
        self.send(1, json.dumps({"type": "hello", "token": ticket}).encode())
        while (said := json.loads(self.frame()[1]))["type"] not in {"ready", "waiting"}:
            pass
        self.peer = said["peer"]
        self.socket.settimeout(None)
        threading.Thread(target=self.live, daemon=True).start()

    def live(self) -> None:
        """Answers pings until the connection ends."""
        try:
            while True:
                kind, data = self.frame()
                if kind == 9:
                    self.send(10, data)
        except (OSError, struct.error):
            pass

    def frame(self) -> tuple[int, bytes]:
        first, length = struct.unpack("!BB", self.stream.read(2))
        if length == 126:
            (length,) = struct.unpack("!H", self.stream.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.stream.read(8))
        return first & 15, self.stream.read(length)

    def send(self, kind: int, data: bytes) -> None:
        length = struct.pack("!B", 128 | len(data)) if len(data) < 126 else struct.pack("!BH", 254, len(data))
        # A mask of zeros is one too.
        self.socket.sendall(bytes([128 | kind]) + length + bytes(4) + data)


class Allocation:
    """An allocation on the relay (RFC 8656), for ten minutes: long-term credentials, MD5, SHA-1."""

    COOKIE = 0x2112A442

    def __init__(self, servers: list[dict]):
        turn = next(server for server in servers if "credential" in server)
        host, port = turn["urls"][0].removeprefix("turn:").split("?")[0].rsplit(":", 1)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.connect((host, int(port)))
        udp = self.attribute(0x19, struct.pack("!B3x", 17))
        challenge = self.request(udp)
        realm, nonce = challenge[0x14], challenge[0x15]
        user = turn["username"].encode()
        key = hashlib.md5(b":".join((user, realm, turn["credential"].encode()))).digest()
        proof = self.attribute(0x06, user) + self.attribute(0x14, realm) + self.attribute(0x15, nonce)
        answer = self.request(udp + proof, key)
        assert 0x16 in answer, f"no allocation: {answer}"

    @staticmethod
    def attribute(kind: int, value: bytes) -> bytes:
        return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)

    def request(self, attributes: bytes, key: bytes | None = None) -> dict[int, bytes]:
        length = len(attributes) + (24 if key else 0)
        message = struct.pack("!HHI", 3, length, self.COOKIE) + os.urandom(12) + attributes
        if key:
            message += self.attribute(0x08, hmac.new(key, message, hashlib.sha1).digest())
        self.socket.send(message)
        answer, found = self.socket.recv(2048)[20:], {}
        while len(answer) >= 4:
            kind, length = struct.unpack("!HH", answer[:4])
            found[kind] = answer[4 : 4 + length]
            answer = answer[4 + length + (-length % 4) :]
        return found
