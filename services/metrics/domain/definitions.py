"""What each figure means, in the words that go out with it: formula, variant, source."""

from typing import Final

REPEAT_PURCHASE: Final = (
    "rate = repeat_customers / customers: of the identified customers with at least one counted order in the period, "
    "the share with at least two in the same period. Variant: in-period repeat purchase rate by orders (not by days, "
    "not Shopify's returning customer rate, which looks at all orders ever). Cancelled orders do not count, returned "
    "ones do. Source: purchase events, on the local day of the purchase."
)
PURCHASE_FREQUENCY: Final = (
    "frequency = orders / customers: counted orders of identified customers in the period by the number of these "
    "customers. Variant: orders per active customer; orders of guests are left out. Cancelled orders do not count, "
    "returned ones do. Source: purchase events, on the local day of the purchase."
)
AVERAGE_ORDER_VALUE: Final = (
    "average_order_value = revenue / orders; average_order_value_net = (revenue - refunds) / orders. Revenue is what "
    "was paid for the counted orders of the period, guests included, after discounts, tax included, shipping excluded. "
    "Variant: refunds are those booked in the period, whenever their order was; a returned order stays counted, a "
    "cancelled one is out with its refunds. Averages are rounded half up to two digits more than the currency has. "
    "Source: purchase and return events, each on its own local day."
)
NPS: Final = (
    "nps = 100 * (promoters - detractors) / responses: promoters answered 9 or 10, passives 7 or 8, detractors 0 to 6 "
    "on a scale of 0 to 10. Variant: the last answer of each customer in the period (by its time, then by event id). "
    "Computed from counts, not rounded. Source: feedback events of kind nps, on the local day of the answer. Net "
    "Promoter Score is a trademark of Bain & Company, NICE Satmetrix and Fred Reichheld."
)
