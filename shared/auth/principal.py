"""The caller, after authentication."""

from dataclasses import dataclass

from shared.auth.scopes import CUSTOMERS_READ
from shared.errors import ForbiddenError, NotFoundError

ME = "me"
# The first letter of the pseudonyms of erased customers; no customer id has it.
PSEUDONYM_MARK = "#"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, in which tenant.

    Either a key of the shop (`scopes` say what it may do, `customer` is None) or one customer (who has no scopes, and
    may do for themselves what a customer may). `subject` names the credential, for the audit; it is never a secret.
    """

    tenant: str
    scopes: frozenset[str]
    customer: str | None = None
    subject: str = ""

    def may(self, scope: str) -> bool:
        """Whether the caller has this scope."""
        return scope in self.scopes

    def require(self, scope: str) -> None:
        """Raises ForbiddenError unless the caller has this scope."""
        if scope not in self.scopes:
            raise ForbiddenError(f"This needs the scope {scope}.", required_scope=scope)

    def require_any(self, *scopes: str) -> None:
        """Raises ForbiddenError unless the caller has one of these scopes."""
        if not self.scopes.intersection(scopes):
            raise ForbiddenError(f"This needs one of the scopes {', '.join(scopes)}.", required_scope=scopes[0])

    def require_tenant(self, tenant: str) -> None:
        """Raises NotFoundError unless the caller speaks for this tenant itself."""
        if self.tenant != tenant or self.customer is not None:
            raise NotFoundError("This tenant has not arrived here yet.", code="tenant_not_found")

    def customer_for(self, customer_id: str, scope: str = CUSTOMERS_READ) -> str:
        """The customer that the path's `customer_id` means to this caller.

        A customer gets at themselves alone, as `me` or by their id; anybody else does not exist for them. A key needs
        `scope`, and has no `me`.
        """
        if self.customer is None:
            self.require(scope)
            # Postgres holds no NUL: nobody is called that, and asking would fail. A pseudonym is what an erasure left.
            if customer_id != ME and "\x00" not in customer_id and not customer_id.startswith(PSEUDONYM_MARK):
                return customer_id
        elif customer_id in (ME, self.customer):
            return self.customer
        raise NotFoundError("There is no such customer.", code="customer_not_found")
