"""All tables of the service in one transaction."""

from services.metrics.adapters.answers import AnswerTable
from services.metrics.adapters.customers import CustomerTable
from services.metrics.adapters.orders import OrderTable
from services.metrics.adapters.programmes import ProgrammeTable
from services.metrics.adapters.records import RecordTable
from services.metrics.adapters.totals import TotalTable
from services.metrics.application.ports import Answers, Customers, Orders, Programmes, Records, Totals
from shared.db.transaction import Transaction


class TableStore:
    """The application's port, on Postgres."""

    def __init__(self, tx: Transaction) -> None:
        self.programmes: Programmes = ProgrammeTable(tx)
        self.orders: Orders = OrderTable(tx)
        self.customers: Customers = CustomerTable(tx)
        self.totals: Totals = TotalTable(tx)
        self.answers: Answers = AnswerTable(tx)
        self.records: Records = RecordTable(tx)
