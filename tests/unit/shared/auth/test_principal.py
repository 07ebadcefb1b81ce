"""Who may do what, and who exists for whom."""

import pytest

from shared.auth.principal import Principal
from shared.auth.scopes import ADMIN, FIRST_KEY_SCOPES, SCOPES
from shared.errors import ForbiddenError, NotFoundError

ADA = Principal("demo", frozenset(), "ada")
READER = Principal("demo", frozenset({"customers:read"}))
WRITER = Principal("demo", frozenset({"events:write"}))


def test_a_customer_is_themselves_and_nobody_else() -> None:
    assert ADA.customer_for("me") == ADA.customer_for("ada") == ADA.customer_for("ada", "events:write") == "ada"
    with pytest.raises(NotFoundError) as caught:
        ADA.customer_for("bob")
    assert caught.value.code == "customer_not_found"


def test_a_key_needs_the_scope_and_has_no_me() -> None:
    assert READER.customer_for("bob") == "bob"
    assert WRITER.customer_for("bob", "events:write") == "bob"
    with pytest.raises(ForbiddenError):
        WRITER.customer_for("bob")
    with pytest.raises(ForbiddenError):
        WRITER.customer_for("me")
    with pytest.raises(NotFoundError):
        READER.customer_for("me")
    with pytest.raises(NotFoundError):
        READER.customer_for("bo\x00b")


def test_a_customer_has_no_scopes_of_the_shop() -> None:
    for scope in SCOPES:
        assert not ADA.may(scope)
        with pytest.raises(ForbiddenError, match=scope):
            ADA.require(scope)


def test_the_first_key_may_all_but_operate_the_platform() -> None:
    assert frozenset(SCOPES) - FIRST_KEY_SCOPES == {ADMIN}
