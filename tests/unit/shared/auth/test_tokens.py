"""Internal tokens: a good one is believed until it expires, a forged one never."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.auth.principal import Principal
from shared.auth.tokens import TokenSigner, TokenVerifier
from shared.clock import FixedClock
from shared.errors import UnauthenticatedError
from tests.unit.shared.auth.conftest import private_pem, public_pem

ADA = Principal("demo", frozenset(), "ada", "customer-token")
SHOP = Principal("demo", frozenset({"events:write", "customers:read"}), None, "key-1")


@pytest.fixture
def signer(key: Ed25519PrivateKey, clock: FixedClock) -> TokenSigner:
    return TokenSigner(private_pem(key), clock)


@pytest.fixture
def verifier(key: Ed25519PrivateKey, clock: FixedClock) -> TokenVerifier:
    return TokenVerifier(public_pem(key), clock)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    head, body, _ = token.split(".")
    return json.loads(_decoded(head)), json.loads(_decoded(body))


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(value: dict[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def forged(token: str, key: Ed25519PrivateKey, headers: dict[str, Any] | None = None, **claims: Any) -> str:
    """The same token with other headers and claims (None: left out), truly signed."""
    head, body = parts(token)
    head |= headers or {}
    body = {name: value for name, value in (body | claims).items() if value is not None}
    signed = encoded(head) + b"." + encoded(body)
    return (signed + b"." + base64.urlsafe_b64encode(key.sign(signed)).rstrip(b"=")).decode()


@pytest.mark.parametrize("principal", [ADA, SHOP])
def test_a_token_speaks_for_whom_it_was_made(
    signer: TokenSigner, verifier: TokenVerifier, principal: Principal
) -> None:
    token = signer.sign(principal, 60)
    assert verifier.verify(token) == principal
    assert verifier.verify(token) == principal  # now remembered


@given(
    st.builds(
        Principal,
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
        st.frozensets(st.from_regex(r"[a-z]+:[a-z]+", fullmatch=True)),
        st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        st.text(st.characters(exclude_categories=["Cs"])),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_every_principal_survives_the_journey(
    signer: TokenSigner, verifier: TokenVerifier, principal: Principal
) -> None:
    assert verifier.verify(signer.sign(principal, 60)) == principal


def test_a_token_ends_when_it_says_remembered_or_not(
    signer: TokenSigner, verifier: TokenVerifier, clock: FixedClock, key: Ed25519PrivateKey
) -> None:
    token = signer.sign(ADA, 60)
    verifier.verify(token)
    clock.instant += timedelta(seconds=64)
    verifier.verify(token)  # within the leeway
    clock.instant += timedelta(seconds=1)
    for seen_by in (verifier, TokenVerifier(public_pem(key), clock)):
        with pytest.raises(UnauthenticatedError):
            seen_by.verify(token)


def test_a_token_does_not_begin_before_it_says(signer: TokenSigner, verifier: TokenVerifier, clock: FixedClock) -> None:
    token = signer.sign(ADA, 60)
    clock.instant -= timedelta(seconds=6)
    with pytest.raises(UnauthenticatedError):
        verifier.verify(token)


def test_a_token_without_a_signature_is_nothing(signer: TokenSigner, verifier: TokenVerifier) -> None:
    head, body = parts(signer.sign(SHOP, 60))
    for algorithm in ("none", "None", "NONE", ""):
        unsigned = encoded(head | {"alg": algorithm}) + b"." + encoded(body) + b"."
        with pytest.raises(UnauthenticatedError):
            verifier.verify(unsigned.decode())


def test_the_public_key_is_no_shared_secret(
    signer: TokenSigner, verifier: TokenVerifier, key: Ed25519PrivateKey
) -> None:
    head, body = parts(signer.sign(SHOP, 60))
    signed = encoded(head | {"alg": "HS256"}) + b"." + encoded(body)
    for secret in (public_pem(key).encode(), key.public_key().public_bytes_raw()):
        mac = base64.urlsafe_b64encode(hmac.digest(secret, signed, hashlib.sha256)).rstrip(b"=")
        with pytest.raises(UnauthenticatedError):
            verifier.verify((signed + b"." + mac).decode())


def test_another_algorithm_with_a_key_of_the_caller_s_is_nothing(signer: TokenSigner, verifier: TokenVerifier) -> None:
    head, body = parts(signer.sign(SHOP, 60))
    other = generate_private_key(SECP256R1())
    token = jwt.encode(body, other, algorithm="ES256", headers={"typ": head["typ"], "kid": head["kid"]})
    with pytest.raises(UnauthenticatedError):
        verifier.verify(token)


def test_headers_that_point_to_a_key_are_not_followed(signer: TokenSigner, verifier: TokenVerifier) -> None:
    mine = Ed25519PrivateKey.generate()
    x = base64.urlsafe_b64encode(mine.public_key().public_bytes_raw()).rstrip(b"=").decode()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": x}
    for extra in ({"jwk": jwk}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/cert"}):
        with pytest.raises(UnauthenticatedError):
            verifier.verify(forged(signer.sign(SHOP, 60), mine, extra))


@pytest.mark.parametrize(
    ("headers", "claims"),
    [
        ({"typ": "JWT"}, {}),
        ({"typ": None}, {}),
        ({"kid": "another"}, {}),
        ({"kid": None}, {}),
        ({"kid": ["x"]}, {}),
        ({"crit": ["b64"], "b64": False}, {}),
        ({}, {"iss": "somebody"}),
        ({}, {"iss": None}),
        ({}, {"aud": "another"}),
        ({}, {"aud": None}),
        ({}, {"exp": None}),
        ({}, {"nbf": None}),
        ({}, {"exp": "tomorrow"}),
        ({}, {"exp": True}),
        ({}, {"exp": 1}),
        ({}, {"exp": float("inf")}),
        ({}, {"nbf": datetime(2027, 1, 1, tzinfo=UTC).timestamp()}),
        ({}, {"tenant": None}),
        ({}, {"tenant": ""}),
        ({}, {"tenant": 3}),
        ({}, {"tenant": ["demo"]}),
        ({}, {"customer": 7}),
        ({}, {"customer": ""}),
        ({}, {"scope": ["admin"]}),
        ({}, {"sub": 5}),
    ],
)
def test_a_well_signed_token_that_is_wrong_is_refused(
    signer: TokenSigner,
    verifier: TokenVerifier,
    key: Ed25519PrivateKey,
    headers: dict[str, Any],
    claims: dict[str, Any],
) -> None:
    token = signer.sign(SHOP, 60)
    assert verifier.verify(forged(token, key)) == SHOP
    with pytest.raises(UnauthenticatedError):
        verifier.verify(forged(token, key, headers, **claims))


def test_damaged_tokens_are_refused(signer: TokenSigner, verifier: TokenVerifier) -> None:
    token = signer.sign(SHOP, 60)
    damaged = [token[:at] for at in range(0, len(token), 7)]
    damaged += [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(0, len(token) - 4, 5)]
    damaged += [
        "",
        ".",
        "..",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.e30.",
        token + ".x",
        " " + token,
        "x" * 10_000,
        "\ud800",
        "é",
    ]
    for bad in damaged:
        with pytest.raises(UnauthenticatedError):
            verifier.verify(bad)


def test_a_token_too_long_to_be_ours_is_not_even_read(signer: TokenSigner, verifier: TokenVerifier) -> None:
    with pytest.raises(UnauthenticatedError):
        verifier.verify(signer.sign(Principal("demo", frozenset(), "a" * 5000), 60))


def test_keys_rotate_while_both_are_known(signer: TokenSigner, key: Ed25519PrivateKey, clock: FixedClock) -> None:
    fresh = Ed25519PrivateKey.generate()
    both = TokenVerifier(public_pem(key) + public_pem(fresh), clock)
    new = TokenSigner(private_pem(fresh), clock).sign(SHOP, 60)
    assert both.verify(new) == both.verify(signer.sign(SHOP, 60)) == SHOP
    with pytest.raises(UnauthenticatedError):
        TokenVerifier(public_pem(key), clock).verify(new)


def test_only_the_right_kind_of_key_is_taken(clock: FixedClock) -> None:
    other = generate_private_key(SECP256R1())
    with pytest.raises(TypeError):
        TokenSigner(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), clock)
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for pem in (public, "", "no key"):
        with pytest.raises(ValueError, match="Ed25519"):
            TokenVerifier(pem, clock)


def test_what_is_remembered_is_bounded(
    signer: TokenSigner, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.auth.tokens._REMEMBERED_MAX", 3)
    for n in range(10):
        verifier.verify(signer.sign(Principal("demo", frozenset(), f"c{n}"), 60))
    assert len(verifier._remembered) == 3


def test_what_is_refused_is_not_remembered(signer: TokenSigner, verifier: TokenVerifier) -> None:
    with pytest.raises(UnauthenticatedError):
        verifier.verify(signer.sign(SHOP, 60)[:-3])
    assert not verifier._remembered
