"""No library's words reach a client."""

from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.http.faults import faults_of


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    name: Annotated[str, Field(max_length=3)] = "a"
    code: str = "x"

    @field_validator("code")
    @classmethod
    def _known(cls, code: str) -> str:
        if code != "x":
            raise ValueError("must be x")
        return code


@pytest.mark.parametrize(
    ("body", "rule", "said"),
    [
        ({"items": []}, "length", "Must have at least 1 item."),
        ({"items": [1, 2, 3]}, "length", "Must have at most 2 items."),
        ({"items": "no"}, "type", "Must be a valid list."),
        ({"name": "abcd"}, "length", "Must have at most 3 characters."),
        ({"code": "y"}, "value", "Must be x."),
        ({"what": 1}, "unknown", "This is not known here."),
    ],
)
def test_faults_are_told_in_our_words(body: dict[str, object], rule: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Body.model_validate(body)
    (fault,) = faults_of(refused.value.errors(include_url=False, include_context=False))
    assert (fault.rule, fault.detail) == (rule, said)
