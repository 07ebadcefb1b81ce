"""What the demo shows at its end: the platform's figures beside the file's."""

from collections.abc import Sequence
from typing import Final

from rich.box import ROUNDED
from rich.table import Table
from rich.text import Text

from deploy.demo.figures import LABELS, Figures, Value

_BARS: Final = "▁▂▃▄▅▆▇█"
_SHARES: Final = ("repeat_rate",)
_DOLLARS: Final = ("revenue", "average_order_value")


def differing(platform: Figures, file: Figures) -> list[str]:
    """The names of the figures that are not equal."""
    return [name for name in LABELS if not _equal(platform[name], file[name])]


def comparison(platform: Figures, file: Figures) -> Table:
    """All figures, a line each."""
    table = Table(box=ROUNDED, title="CDNOW, January 1997 to June 1998", title_style="bold", header_style="dim")
    table.add_column("")
    table.add_column("Treue says", justify="right", style="bold")
    table.add_column("the file says", justify="right")
    table.add_column("", justify="center")
    unequal = differing(platform, file)
    for name, label in LABELS.items():
        mark = Text("differs", "bold red") if name in unequal else Text("equal", "green")
        table.add_row(label, _shown(name, platform[name]), _shown(name, file[name]), mark)
    return table


def months(orders: Sequence[int]) -> Text:
    """Orders by month as a row of bars."""
    most = max(orders, default=0) or 1
    bars = "".join(_BARS[(len(_BARS) - 1) * count // most] for count in orders)
    return Text.assemble(("Orders a month  ", "dim"), (bars, "cyan"), (f"  most: {most:,}", "dim"))


def next_steps(base_url: str, api_key: str, customer: str) -> Text:
    """What to ask next."""
    key = f"-H 'Authorization: Bearer {api_key}'"
    lines = (
        ("# the points of the best customer, and where they come from", "dim"),
        (f"curl {key} {base_url}/v1/customers/{customer}/balance", ""),
        (f"curl {key} '{base_url}/v1/customers/{customer}/transactions?limit=5'", ""),
        ("# any figure, for any days", "dim"),
        (f"curl {key} '{base_url}/v1/metrics/repeat-purchase?from=1998-04-01&to=1998-07-01'", ""),
        ("# the books, audited", "dim"),
        (".venv/bin/treue verify --tenant cdnow", ""),
    )
    return Text("\n").join(Text(text, style) for text, style in lines)


def _equal(one: Value, other: Value) -> bool:
    """Counts and money exactly; rates as far as a number of JSON goes."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) < 1e-9
    return one == other


def _shown(name: str, value: Value) -> str:
    if value is None:
        return "nothing"
    if name in _SHARES:
        return f"{float(value):.2%}"
    if name in _DOLLARS:
        return f"$ {float(value):,.2f}"
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"
