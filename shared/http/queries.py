"""What may stand in a route's query: the parameters that it declares, and nothing else. A name that is mistyped would
otherwise be passed over in silence, and the answer be to another question."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params

from shared.errors import InvalidError
from shared.http.caller import CALLER
from shared.http.errors import PlacedFault
from shared.http.json import pointer

_FAULTS_MAX = 20


@dataclass(frozen=True, slots=True)
class KnownQuery:
    """The parameters of a route, in the order in which it declares them; `needs_caller`: strangers are told nothing
    of a route before they say who they are."""

    names: tuple[str, ...]
    needs_caller: bool

    def unknown(self, raw: bytes) -> InvalidError | None:
        """What to say of this query string, if there is more in it."""
        given = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
        there = f"there are {', '.join(self.names)}" if self.names else "there are none"
        faults = [
            PlacedFault(pointer([name]), "unknown", f"No parameter has this name here; {there}.", value)
            for name, value in given
            if name not in self.names
        ]
        return InvalidError("The query is not acceptable.", faults=faults[:_FAULTS_MAX]) if faults else None


def known_query(dependant: Dependant) -> KnownQuery:
    """The query of a route of FastAPI's, its dependencies included."""
    inner = [known_query(each) for each in dependant.dependencies]
    own = tuple(field.alias for field in get_flat_params(Dependant(query_params=dependant.query_params)))
    names = dict.fromkeys((*own, *(name for each in inner for name in each.names)))
    return KnownQuery(tuple(names), dependant.call is CALLER or any(each.needs_caller for each in inner))
