"""Hostile messages for the WebSocket, and what the contract (§8) says must come of them.

The judge is written from the contract and knows nothing of the server's own code.
"""

import json
import random
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.support.streams import WebSocketClient

LIMIT_BYTES = 16 * 1024
MESSAGES_A_MINUTE = 100
CHANNELS = 128
BAD_IN_A_ROW = 10

Said = str | bytes

# What a message may say, beside its type; None: whatever it likes.
_FIELDS: dict[str, dict[str, type] | None] = {
    "subscribe": {"channel": str},
    "unsubscribe": {"channel": str},
    "authenticate": {"token": str},
    "typing": {"sessionId": str},
    "ping": None,
    "pong": None,
}
_INTEGER = re.compile(r"[1-9][0-9]{0,17}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KINDS: dict[str, re.Pattern[str] | None] = {
    "catalogue": None,
    "availability": None,
    "suggestions": None,
    "metrics": None,
    "product": _INTEGER,
    "order": _INTEGER,
    "chat": _UUID,
    "import": _UUID,
}


@dataclass(frozen=True)
class Client:
    """Whoever talks: what is theirs to hear and to say.

    opened_with: the channels that it asks for when it opens a connection; kinds: those that the
    server has.
    """

    may_hear: Collection[str]
    own_tokens: Collection[str] = ()
    own_sessions: Collection[str] = ()
    opened_with: Collection[str] = ()
    kinds: Collection[str] = tuple(_KINDS)


@dataclass
class Judge:
    """Says of one connection what each message must be answered with, and when it is closed."""

    client: Client
    channels: set[str] = field(init=False)
    heard: int = 0
    bad: int = 0

    def __post_init__(self) -> None:
        self.channels = set(self.client.opened_with)

    @property
    def closes(self) -> bool:
        """Whether the server must have closed the connection with 4400 by now."""
        return self.bad >= BAD_IN_A_ROW

    def answer_to(self, said: Said) -> str | None:
        """The code of the error or the type of the answer; None where there is none."""
        if self.heard >= MESSAGES_A_MINUTE:
            self.bad += 1
            return "rate-limited"
        self.heard += 1
        problem, message = _read(said)
        if problem:
            self.bad += 1
            return problem
        self.bad = 0
        match message["type"]:
            case "subscribe":
                return self._subscribe(message["channel"])
            case "unsubscribe":
                return self._unsubscribe(message["channel"])
            case "authenticate":
                is_own = message["token"].strip() in self.client.own_tokens
                return "authenticated" if is_own else "forbidden"
            case "typing":
                is_own = str(UUID(message["sessionId"])) in self.client.own_sessions
                return None if is_own else "forbidden"
            case "ping":
                return "pong"
        return None

    def _subscribe(self, name: str) -> str:
        if not self._is_channel(name):
            return "unknown-channel"
        is_full = name not in self.channels and len(self.channels) >= CHANNELS
        if is_full or name not in self.client.may_hear:
            return "forbidden"
        self.channels.add(name)
        return "subscribed"

    def _unsubscribe(self, name: str) -> str:
        if not self._is_channel(name):
            return "unknown-channel"
        self.channels.discard(name)
        return "unsubscribed"

    def _is_channel(self, name: str) -> bool:
        kind, dot, identity = name.partition(".")
        if kind not in self.client.kinds:
            return False
        form = _KINDS[kind]
        return not dot if form is None else form.fullmatch(identity) is not None


def _read(said: Said) -> tuple[str | None, dict[str, Any]]:
    """What is wrong with a message, or what it says."""
    if isinstance(said, bytes):
        return "invalid-message", {}
    if len(said.encode()) > LIMIT_BYTES:
        return "too-large", {}
    try:
        # How large a number is does not matter: none is asked for.
        message = json.loads(said, parse_int=len, parse_float=len, parse_constant=_no_constants)
        # Half of a surrogate pair is no character.
        json.dumps(message, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return "invalid-message", {}
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "invalid-message", {}
    if message["type"] not in _FIELDS:
        return "unknown-type", {}
    fields = _FIELDS[message["type"]]
    if fields is not None and not _has_fields(message, {**fields, "type": str}):
        return "invalid-message", {}
    return None, message


def _has_fields(message: dict[str, Any], fields: dict[str, type]) -> bool:
    if message.keys() != fields.keys():
        return False
    if not all(isinstance(message[name], kind) for name, kind in fields.items()):
        return False
    return "sessionId" not in fields or _is_uuid(message["sessionId"])


def _no_constants(name: str) -> None:
    raise ValueError(f"{name} is no JSON.")


def _is_uuid(text: str) -> bool:
    hexadecimal = "[0-9a-fA-F]"
    form = rf"{hexadecimal}{{8}}(-?{hexadecimal}{{4}}){{3}}-?{hexadecimal}{{12}}"
    return re.fullmatch(form, text) is not None and text.count("-") in {0, 4}


# --- What they say --------------------------------------------------------------------------

_WORDS = (
    "", " ", ".", "*", "0", "-1", "1e9", "\0", "\n", "\r\nid: 1", "\u2028", "\ufeff", "\U0001f600",
    "\u0661", "\u202e", "e\u0301", "%00", "../../etc/passwd", "' OR 1=1 --", "{{7*7}}", "${x}",
    "__proto__", "constructor", "toString", "hasOwnProperty", "undefined", "null", "NaN", "true",
    "all", "buyers", "sellers", "staff", "processes", "user.1", "login.1", "orders", "catalogue ",
    "CATALOGUE", "catalogue.1", "product", "product.", "product.0", "product.-1", "product.01",
    "product.1.1", "product.1e9", "product.99999999999999999999", "product.1\0", "product.\u0661",
    "product.999999999999999999", "product.1000000000", "order.x", "order.1\n", "chat.1",
    "chat.00000000-0000-0000-0000-000000000000", "chat.0000000000000000000000000000000g",
    "subscribe", "ping", "connected", "error", "closing", "authenticated", "subscribed", "typing",
)  # fmt: skip
_PIECES = (
    '{', '}', '[', ']', ':', ',', '"', '"type"', '"ping"', '"channel"', 'null', 'true', '1', '-',
    '1e999', '\\', '\\u0000', '\\ud800', '\0', ' ', '\n', 'NaN', 'Infinity', '//', "'", '\u20ac',
)  # fmt: skip


class Attacker:
    """Makes messages, the same ones for the same seed."""

    def __init__(self, seed: int, client: Client, foreign: Collection[str]) -> None:
        """foreign: channels, tokens and sessions of others, and what looks like them."""
        self._random = random.Random(seed)
        self.client = client
        self._foreign = [*foreign, *_WORDS]
        self._own = [*client.may_hear, *client.own_tokens, *client.own_sessions]
        self._makers: list[Callable[[], Said]] = [
            self._well_formed, self._well_formed, self._well_formed, self._wrong_types, self._text,
            self._pieces, self._cut, self._deep, self._large, self._number, self._binary,
            self._surrogate,
        ]  # fmt: skip

    def message(self) -> Said:
        """The next one."""
        return self._random.choice(self._makers)()

    def _word(self) -> str:
        return self._random.choice(self._own if self._random.random() < 0.3 else self._foreign)

    def _type(self) -> str:
        return self._random.choice([*_FIELDS, *_FIELDS, self._word()])

    def _well_formed(self) -> str:
        type_name = self._random.choice([*_FIELDS, "subscribe", "subscribe", "unsubscribe"])
        fields = _FIELDS[type_name] or {}
        message = {"type": type_name, **{name: self._word() for name in fields}}
        return self._written(message)

    def _wrong_types(self) -> str:
        type_name: Any = self._random.choice([self._type(), self._type(), self._value(2)])
        names = ["channel", "token", "sessionId", "x", "__proto__", "Type"]
        chosen = self._random.sample(names, self._random.randint(0, 3))
        message = {"type": type_name, **{name: self._value(3) for name in chosen}}
        return self._written(message)

    def _value(self, depth: int) -> Any:
        plain = [None, True, 0, -1, 1.5, 10**9, 10**20, self._word()]
        if depth and self._random.random() < 0.4:
            inner = [self._value(depth - 1) for _ in range(self._random.randint(0, 3))]
            return inner if self._random.random() < 0.5 else dict(zip("abc", inner, strict=False))
        return self._random.choice(plain)

    def _written(self, message: Any) -> str:
        if isinstance(message, dict) and self._random.random() < 0.5:
            items = list(message.items())
            self._random.shuffle(items)
            message = dict(items)
        indent = self._random.choice([None, None, 2, "\t"])
        text = json.dumps(message, ensure_ascii=self._random.random() < 0.5, indent=indent)
        return self._random.choice(["", "", " ", "\n\t"]) + text

    def _text(self) -> str:
        size = self._random.randint(0, 60)
        return "".join(chr(self._random.randint(0, 0xD7FF)) for _ in range(size))

    def _pieces(self) -> str:
        return "".join(self._random.choices(_PIECES, k=self._random.randint(1, 20)))

    def _cut(self) -> str:
        text = self._well_formed()
        cut = self._random.randrange(len(text))
        return text[:cut] + self._random.choice(["", *_PIECES]) + text[cut + 1 :]

    def _deep(self) -> str:
        depth = self._random.choice([50, 200, 7_000, 100_000])
        opening, inner, closing = self._random.choice([("[", "", "]"), ('{"x":', "1", "}")])
        nested = opening * depth
        if depth <= 200:
            nested += inner + closing * depth
        return f'{{"type":"ping","x":{nested}}}'

    def _large(self) -> str:
        size = self._random.choice([LIMIT_BYTES - 17, LIMIT_BYTES + 1, 100_000, 1_000_000])
        filler = self._random.choice(["x", "\u20ac", " "])
        return f'{{"type":"ping","x":"{filler * (size // len(filler.encode()))}"}}'

    def _number(self) -> str:
        number = self._random.choice(
            ["9" * 5_000, "-0", "1e999", "1E-999", "01", "1.", ".5", "0x1"]
        )
        return f'{{"type":"ping","x":{number}}}'

    def _binary(self) -> bytes:
        return self._random.choice([b"", b"\xff\xfe", b'{"type":"ping"}', b"\0" * 20_000])

    def _surrogate(self) -> str:
        half = self._random.choice(["\\ud800", "\\udc00", "\\ud83d\\ude00", "\\udc00\\ud800"])
        place = self._random.choice(["type", "channel", "token", "x"])
        return f'{{"type":"subscribe","{place}":"{half}"}}'


# --- How they come --------------------------------------------------------------------------

_ANSWERS = frozenset({"error", "pong", "subscribed", "unsubscribed", "authenticated"})


async def attack(
    open_socket: Callable[[], Awaitable[WebSocketClient]], attacker: Attacker, messages: int
) -> int:
    """Say so many messages, one connection behind the other, and hold each answer against the
    judge's; how many connections it took. open_socket: opens one, up to its last `subscribed`."""
    connections = 0
    while messages > 0:
        connections += 1
        async with await open_socket() as socket:
            messages -= await _attack_once(socket, attacker, messages)
    return connections


async def _attack_once(socket: WebSocketClient, attacker: Attacker, most: int) -> int:
    judge = Judge(attacker.client)
    due: list[tuple[str, Said]] = []
    said = 0
    while said < most and not judge.closes:
        message = attacker.message()
        said += 1
        if answer := judge.answer_to(message):
            due.append((answer, message))
        await socket.connection.send(message)
    for expected, message in due:
        answer = await _next_answer(socket)
        assert answer == expected, f"{answer} in place of {expected}: {message[:200]!r}"
    if judge.closes:
        rest, code = await socket.ends()
        assert code == 4400, code
        assert not _ANSWERS.intersection(told["type"] for told in rest), rest
    return said


async def _next_answer(socket: WebSocketClient) -> str:
    while (told := await socket.message(60))["type"] not in _ANSWERS:
        assert told["type"] != "closing", told
    answer: str = told["code"] if told["type"] == "error" else told["type"]
    return answer
