"""Why an event does not count. The reasons of orders and returns are those of points: an event that earns nothing for
a reason is out of the figures for the same reason."""

from shared.errors import InvalidError


class RefusedEventError(InvalidError):
    """A rule of the business refuses the event; `code` is the reason that its inbox row shows."""


class OrderKnownError(RefusedEventError):
    """The same order came under another event id."""

    code = "order_already_counted"


class OrderCancelledError(RefusedEventError):
    """The order was cancelled before."""

    code = "order_already_cancelled"


class OrderDiffersError(RefusedEventError):
    """The purchase of a cancelled order came again, and is another one."""

    code = "order_differs"


class ReturnExceedsPurchaseError(RefusedEventError):
    """The returns of an order would add up to more than is left of what was paid for it."""

    code = "return_exceeds_purchase"


class OtherCustomerError(RefusedEventError):
    """The event names another customer than the order's."""

    code = "customer_not_of_order"


class NegativeAmountError(RefusedEventError):
    """Money only ever flows in the direction that the event's type says."""

    code = "amount_negative"


class ForeignCurrencyError(RefusedEventError):
    """The amount is not in the programme's currency: there are no rates to add it by."""

    code = "currency_not_of_programme"


class OffScaleError(RefusedEventError):
    """The score is not on the scale of its kind of survey."""

    code = "score_off_scale"


class UnknownTimeZoneError(RefusedEventError):
    """The programme names a time zone that the IANA data here do not have."""

    code = "time_zone_unknown"
