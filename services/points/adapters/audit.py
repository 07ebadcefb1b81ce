"""What must be true of the books at every committed instant: each check selects the rows that contradict it, the
tenant first, and counts what it looked at. $1 is the tenant to look at, or null for all.

Each is one set-based statement over whole tables, for an auditor with time; none is for a request.
"""

from iso4217 import Currency

from services.points.domain.order import Refusal
from shared.audit import Law
from shared.money import exponent


def _count(table: str) -> str:
    return f"SELECT count(*) FROM points.{table} WHERE $1::text IS NULL OR tenant = $1"  # noqa: S608 - names of ours


def _digits() -> str:
    """How many digits an order's currency has after the point, as SQL knows it."""
    known = {each.value: exponent(each.value) for each in Currency if each.exponent is not None}
    unusual = " ".join(f"WHEN '{code}' THEN {digits}" for code, digits in known.items() if digits != 2)
    return f"CASE currency {unusual} ELSE 2 END"


def _points_of(minor: str) -> str:
    """The points of an amount by the rule that the order holds. numeric knows no error: a product has all its digits,
    and a half is rounded up."""
    exact = f"({minor} * points_per_unit * ('1e-' || {_digits()})::numeric)"
    return f"CASE rounding WHEN 'floor' THEN floor({exact}) WHEN 'ceil' THEN ceil({exact}) ELSE round({exact}) END"


def _nearest(share: str, of: str) -> str:
    return f"div(2 * {share}::numeric + {of}, 2 * nullif({of}, 0))"


# What returns must have taken back so far; a line is its id, quantity, points, and how many units came back.
_TAKEN_BACK = f"""
    CASE WHEN cancelled OR returned_minor >= total_minor THEN points ELSE least(points, greatest(0, CASE return_policy
        WHEN 'recompute' THEN points - {_points_of("(total_minor - returned_minor)")}
        WHEN 'pro_rata' THEN {_nearest("points::numeric * returned_minor", "total_minor")}
        ELSE {_nearest("points::numeric * unlined_minor", "total_minor")} + (
            SELECT coalesce(sum({_nearest("(l -> 2)::numeric * (l -> 3)::numeric", "(l -> 1)::numeric")}), 0)
            FROM jsonb_array_elements(coalesce(lines, '[]')) AS l)
    END)) END
"""  # noqa: S608 - built from our own constants

CHECKS: tuple[Law, ...] = (
    Law(
        "entries_make_wallets",
        "the sum of a wallet's entries is what the wallet holds, and what it owes",
        """
        SELECT tenant, customer_id, w.posted + w.pending AS stored, e.points AS summed, w.debt AS stored_debt,
            e.debt AS summed_debt, w.lifetime_earned AS stored_lifetime, e.lifetime AS summed_lifetime
        FROM (
            SELECT tenant, customer_id, sum(points) AS points, sum(debt) AS debt,
                sum(CASE kind WHEN 'earned' THEN points WHEN 'clawed_back' THEN points - debt
                    WHEN 'restored' THEN points - debt ELSE 0 END) AS lifetime
            FROM points.entry WHERE $1::text IS NULL OR tenant = $1 GROUP BY tenant, customer_id
        ) AS e FULL JOIN (SELECT * FROM points.wallet WHERE $1::text IS NULL OR tenant = $1) AS w
            USING (tenant, customer_id)
        WHERE coalesce(e.points, 0) IS DISTINCT FROM w.posted + w.pending
            OR coalesce(e.debt, 0) IS DISTINCT FROM w.debt
            OR coalesce(e.lifetime, 0) IS DISTINCT FROM w.lifetime_earned
        """,
        _count("entry"),
    ),
    Law(
        "entries_run_on",
        "a wallet's entries are numbered without gaps by their ids, and each balance follows from the one before",
        """
        SELECT tenant, customer_id, id AS entry_id, wallet_version, expected_version, balance_after, expected_balance
        FROM (
            SELECT tenant, customer_id, id, wallet_version, balance_after,
                row_number() OVER running AS expected_version, sum(points) OVER running AS expected_balance
            FROM points.entry WHERE $1::text IS NULL OR tenant = $1
            WINDOW running AS (PARTITION BY tenant, customer_id ORDER BY id)
        ) AS e
        WHERE wallet_version <> expected_version OR balance_after <> expected_balance
        """,
        _count("entry"),
    ),
    Law(
        "wallets_know_their_version",
        "a wallet's version is the number of its entries",
        """
        SELECT tenant, customer_id, w.version, coalesce(e.entries, 0) AS entries
        FROM points.wallet w LEFT JOIN (
            SELECT tenant, customer_id, count(*) AS entries FROM points.entry
            WHERE $1::text IS NULL OR tenant = $1 GROUP BY tenant, customer_id
        ) AS e USING (tenant, customer_id)
        WHERE ($1::text IS NULL OR tenant = $1) AND w.version <> coalesce(e.entries, 0)
        """,
        _count("wallet"),
    ),
    Law(
        "lots_make_wallets",
        "what is left in a wallet's lots is what the wallet holds: spendable, pending and reserved",
        """
        SELECT tenant, customer_id, w.posted, l.posted AS in_active_lots, w.pending, l.pending AS in_pending_lots,
            w.held, l.held AS held_in_lots
        FROM (
            SELECT tenant, customer_id, sum(held) AS held,
                sum(remaining) FILTER (WHERE activated) AS posted,
                sum(remaining) FILTER (WHERE NOT activated) AS pending
            FROM points.lot WHERE $1::text IS NULL OR tenant = $1 GROUP BY tenant, customer_id
        ) AS l FULL JOIN (SELECT * FROM points.wallet WHERE $1::text IS NULL OR tenant = $1) AS w
            USING (tenant, customer_id)
        WHERE coalesce(l.posted, 0) IS DISTINCT FROM w.posted OR coalesce(l.pending, 0) IS DISTINCT FROM w.pending
            OR coalesce(l.held, 0) IS DISTINCT FROM w.held
        """,
        _count("lot"),
    ),
    Law(
        "pending_lots_come_due",
        "a wallet with pending points is looked at when the first of them can be spent, or before",
        """
        SELECT tenant, customer_id, w.next_activation_at, l.first_due
        FROM (
            SELECT tenant, customer_id, min(activate_at) AS first_due FROM points.lot
            WHERE ($1::text IS NULL OR tenant = $1) AND NOT activated AND remaining > 0 GROUP BY tenant, customer_id
        ) AS l LEFT JOIN points.wallet w USING (tenant, customer_id)
        WHERE w.next_activation_at IS NULL OR w.next_activation_at > l.first_due
        """,
        _count("lot"),
    ),
    Law(
        "allocations_make_lots",
        "what is gone from a lot was taken from it by entries, and a lot holds what its credit brought",
        """
        SELECT tenant, customer_id, l.id AS lot_id, l.amount, e.points AS credited, l.remaining,
            coalesce(a.taken, 0) AS taken
        FROM points.lot l LEFT JOIN (
            SELECT tenant, lot_id AS id, sum(points) AS taken FROM points.allocation
            WHERE $1::text IS NULL OR tenant = $1 GROUP BY tenant, lot_id
        ) AS a USING (tenant, id)
        LEFT JOIN (SELECT tenant, customer_id, id AS entry_id, points FROM points.entry) AS e
            USING (tenant, customer_id, entry_id)
        WHERE ($1::text IS NULL OR tenant = $1)
            AND (l.remaining + coalesce(a.taken, 0) <> l.amount OR e.points IS DISTINCT FROM l.amount)
        """,
        _count("lot"),
    ),
    Law(
        "debits_are_allocated",
        "each debit took its points from lots, each credit filled one, and what was restored went back into its own",
        """
        SELECT e.tenant, e.customer_id, e.id AS entry_id, e.points, coalesce(a.taken, 0) AS taken, l.amount
        FROM points.entry e LEFT JOIN (
            SELECT tenant, entry_id, sum(points) AS taken FROM points.allocation
            WHERE $1::text IS NULL OR tenant = $1 GROUP BY tenant, entry_id
        ) AS a ON a.tenant = e.tenant AND a.entry_id = e.id
        LEFT JOIN points.lot l ON l.tenant = e.tenant AND l.customer_id = e.customer_id AND l.entry_id = e.id
        WHERE ($1::text IS NULL OR e.tenant = $1)
            AND (e.points <> coalesce(l.amount, 0) - coalesce(a.taken, 0)
                OR (l.amount IS NULL) = (e.kind = 'earned') OR (a.taken < 0) <> (e.kind = 'restored'))
        """,
        _count("entry"),
    ),
    Law(
        "nothing_negative",
        "nothing is negative, nothing reserved that is not there, and who owes has nothing",
        """
        SELECT tenant, customer_id, posted, pending, held, debt FROM points.wallet
        WHERE ($1::text IS NULL OR tenant = $1)
            AND (least(posted - held, held, pending, debt) < 0 OR (debt > 0 AND posted + pending > held))
        """,
        _count("wallet"),
    ),
    Law(
        "orders_give_back_no_more",
        "no order gives back more money, or more points, than it brought; what came back whole took every point",
        """
        SELECT tenant, order_id, total_minor, returned_minor, points, clawed_points FROM points.purchase_order
        WHERE ($1::text IS NULL OR tenant = $1) AND event_id IS NOT NULL AND (
            clawed_points > points OR returned_minor > total_minor
            OR ((cancelled OR returned_minor = total_minor) AND clawed_points <> points))
        """,
        _count("purchase_order"),
    ),
    Law(
        "returns_make_orders",
        "what came back of an order is the sum of its accepted returns",
        """
        SELECT tenant, order_id, o.returned_minor, r.minor AS summed, o.clawed_points, r.points AS summed_points
        FROM (SELECT * FROM points.purchase_order WHERE ($1::text IS NULL OR tenant = $1)) AS o FULL JOIN (
            SELECT tenant, order_id, sum(minor) AS minor, sum(points) AS points FROM points.order_return
            WHERE $1::text IS NULL OR tenant = $1 GROUP BY tenant, order_id
        ) AS r USING (tenant, order_id)
        WHERE coalesce(r.minor, 0) IS DISTINCT FROM o.returned_minor
            OR coalesce(r.points, 0) IS DISTINCT FROM o.clawed_points
        """,
        _count("order_return"),
    ),
    Law(
        "orders_make_entries",
        "a customer's order is in this customer's ledger with what it earned and what was taken back, once",
        """
        SELECT tenant, order_id, customer_id, o.points, e.earned, o.clawed_points, e.clawed
        FROM (
            SELECT * FROM points.purchase_order
            WHERE ($1::text IS NULL OR tenant = $1) AND customer_id IS NOT NULL AND points > 0
        ) AS o FULL JOIN (
            SELECT tenant, order_id, customer_id, sum(points) FILTER (WHERE kind = 'earned') AS earned,
                coalesce(sum(debt - points) FILTER (WHERE kind IN ('clawed_back', 'restored')), 0) AS clawed,
                count(*) FILTER (WHERE kind = 'earned') AS credits
            FROM points.entry WHERE ($1::text IS NULL OR tenant = $1) AND order_id IS NOT NULL
            GROUP BY tenant, order_id, customer_id
        ) AS e USING (tenant, order_id, customer_id)
        WHERE o.points IS DISTINCT FROM e.earned OR o.clawed_points IS DISTINCT FROM e.clawed OR e.credits <> 1
        """,
        _count("purchase_order"),
    ),
    Law(
        "awards_follow_the_rule",
        "an order earned what the programme's version that it names gives for its total, unless that is beyond limits",
        f"""
        SELECT tenant, order_id, total_minor, currency, programme_version, points_per_unit, rounding, return_policy,
            points, expected
        FROM (
            SELECT *, {_points_of("total_minor")} AS expected FROM points.purchase_order
            WHERE ($1::text IS NULL OR tenant = $1) AND event_id IS NOT NULL
        ) AS o
        WHERE (points IS DISTINCT FROM expected AND NOT (points = 0 AND EXISTS (
            SELECT FROM points.inbox i
            WHERE (i.event_id, i.tenant) = (o.event_id, o.tenant) AND i.reason = '{Refusal.POINTS_BEYOND_LIMIT}')))
        OR NOT EXISTS (
            SELECT FROM points.programme p WHERE (p.tenant, p.version) = (o.tenant, o.programme_version)
                AND (p.currency, p.points_per_unit, p.rounding, p.return_policy)
                    = (o.currency, o.points_per_unit, o.rounding, o.return_policy))
        """,  # noqa: S608 - built from our own constants
        _count("purchase_order"),
    ),
    Law(
        "returns_follow_the_rule",
        "returns took back of an order what its own rule says for all that came back",
        f"""
        SELECT tenant, order_id, total_minor, returned_minor, points, clawed_points, expected
        FROM (
            SELECT *, {_TAKEN_BACK} AS expected FROM points.purchase_order
            WHERE ($1::text IS NULL OR tenant = $1) AND event_id IS NOT NULL
                AND (returned_minor > 0 OR cancelled OR clawed_points > 0 OR lines IS NOT NULL)
        ) AS o
        WHERE clawed_points IS DISTINCT FROM expected
        """,  # noqa: S608 - built from our own constants
        _count("purchase_order"),
    ),
    Law(
        "wallets_have_customers",
        "every wallet has its customer, and every customer a wallet, but for ids that were erased",
        """
        SELECT tenant, customer_id, w.version, c.known_since
        FROM (SELECT * FROM points.wallet WHERE $1::text IS NULL OR tenant = $1) AS w
        FULL JOIN (SELECT * FROM points.customer WHERE $1::text IS NULL OR tenant = $1) AS c USING (tenant, customer_id)
        WHERE c.known_since IS NULL
            OR (w.version IS NULL) = (c.erased_at IS NULL OR left(c.customer_id, 1) = '#')
        """,
        _count("customer"),
    ),
    Law(
        "erased_ids_are_nobodys",
        "an id that was erased has no wallet and no entry until it rejoins; what it left is under its pseudonym",
        """
        SELECT e.tenant, e.customer_id, e.pseudonym, c.erased_at, n.id AS entry_id, p.known_since AS pseudonym_known
        FROM points.erasure e
        LEFT JOIN points.customer c USING (tenant, customer_id)
        LEFT JOIN points.customer p ON (p.tenant, p.customer_id) = (e.tenant, e.pseudonym)
        LEFT JOIN points.entry n ON e.rejoined_at IS NULL AND (n.tenant, n.customer_id) = (e.tenant, e.customer_id)
        WHERE ($1::text IS NULL OR e.tenant = $1) AND (
            p.erased_at IS NULL OR n.id IS NOT NULL OR (e.rejoined_at IS NULL AND c.erased_at IS NULL))
        """,
        _count("erasure"),
    ),
    Law(
        "returns_wait_with_reason",
        "no return waits for a purchase that has come, unless it was cancelled and may come again",
        """
        SELECT w.tenant, w.event_id, w.order_id, w.arrived_at
        FROM points.waiting_return w JOIN points.purchase_order o USING (tenant, order_id)
        WHERE ($1::text IS NULL OR w.tenant = $1) AND w.decided_at IS NULL AND o.event_id IS NOT NULL
            AND NOT o.cancelled
        """,
        _count("waiting_return"),
    ),
    Law(
        "early_returns_are_kept",
        "every return that the inbox calls waiting is kept with what became of it, and none that it does not",
        """
        SELECT tenant, event_id, i.applied_at, w.order_id, w.arrived_at
        FROM (
            SELECT * FROM points.inbox
            WHERE ($1::text IS NULL OR tenant = $1) AND outcome = 'applied' AND reason = 'waits_for_purchase'
        ) AS i
        FULL JOIN (SELECT * FROM points.waiting_return WHERE $1::text IS NULL OR tenant = $1) AS w
            USING (event_id, tenant)
        WHERE i.applied_at IS NULL OR w.arrived_at IS NULL
        """,
        _count("waiting_return"),
    ),
)
