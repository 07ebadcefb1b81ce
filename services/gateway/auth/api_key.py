"""API keys: `treue_{live|test}_{id}_{secret}{checksum}`.

The prefix lets scanners find a leaked key, the checksum lets a mistyped one be refused before any database is asked.
The secret has 196 bits; a keyed hash is enough for it, and a slow one would only help whoever wants to load us.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

from shared.ids import new_id

KeyMode = Literal["live", "test"]
KEY_PREFIXES = ("treue_live_", "treue_test_")

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH, _SECRET_LENGTH, _CHECKSUM_LENGTH = 22, 33, 6
_shape = re.compile(
    rf"treue_(live|test)_([0-9A-Za-z]{{{_ID_LENGTH}}})_([0-9A-Za-z]{{{_SECRET_LENGTH}}})"
    rf"([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
).fullmatch


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its owner holds it. The secret is stored nowhere."""

    mode: KeyMode
    id: str
    secret: str

    @property
    def text(self) -> str:
        """What the owner writes into the Authorization header."""
        body = f"treue_{self.mode}_{self.id}_{self.secret}"
        return body + _checksum(body)

    def __repr__(self) -> str:
        return f"ApiKey({self.id})"


def mint(mode: KeyMode) -> ApiKey:
    """A new key."""
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    return ApiKey(mode, _base62(new_id().int, _ID_LENGTH), secret)


def derive(mode: KeyMode, pepper: str, *parts: str) -> ApiKey:
    """The key that these parts name, always the same one: what a repetition must show need not be stored. Whoever has
    the pepper and the parts can make it, so the parts name the caller."""
    name = "\0".join(parts).encode()
    numbers = [hmac.digest(pepper.encode(), what + b"\0" + name, "sha512") for what in (b"key id", b"key secret")]
    key_id, secret = (int.from_bytes(number) for number in numbers)
    return ApiKey(mode, _base62(key_id % 2**128, _ID_LENGTH), _base62(secret, _SECRET_LENGTH))


def parse(text: str) -> ApiKey | None:
    """The key that this text is; None for a wrong shape or checksum."""
    found = _shape(text)
    if found is None or _checksum(text[:-_CHECKSUM_LENGTH]) != found[4]:
        return None
    return ApiKey("live" if found[1] == "live" else "test", found[2], found[3])


def secret_hash(secret: str, pepper: str) -> bytes:
    """What is stored of a secret: useless without the pepper."""
    return hmac.digest(pepper.encode(), secret.encode(), "sha256")


def is_secret_of(secret: str, pepper: str, stored: bytes) -> bool:
    """Whether this is the secret whose hash was stored, in constant time."""
    return hmac.compare_digest(secret_hash(secret, pepper), stored)


def _checksum(text: str) -> str:
    return _base62(crc32(text.encode()), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits
