"""The variables that are documented (deploy/environment.py) and the settings that read them are the same."""

import os
from typing import Literal, get_args, get_origin

import pytest
from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import NoDecode

from deploy.environment import COMMON, own_variables, variables
from services.gateway.settings import GatewaySettings
from services.metrics.settings import MetricsSettings
from services.notifications.settings import NotificationsSettings
from services.points.settings import PointsSettings
from shared.settings import ServiceSettings

SETTINGS: dict[str, type[ServiceSettings]] = {
    "gateway": GatewaySettings,
    "points": PointsSettings,
    "notifications": NotificationsSettings,
    "metrics": MetricsSettings,
}
FIELDS = [(service, name) for service, settings in SETTINGS.items() for name in settings.model_fields]


def _variable(service: str, name: str) -> str:
    """The variable that sets this field: its alias in capitals, or the service's prefix and its name."""
    alias = SETTINGS[service].model_fields[name].validation_alias
    if isinstance(alias, AliasChoices):
        return next(str(choice) for choice in alias.choices if str(choice).isupper())
    return f"{service.upper()}_{name.upper()}"


def _other(field: FieldInfo) -> str:
    """Another value than the default, that the field takes."""
    default = field.default
    if isinstance(default, bool):
        return str(not default).lower()
    if isinstance(default, int | float):
        return str(type(default)(default + 1))
    if isinstance(default, tuple):
        return "https://elsewhere.example" if NoDecode in field.metadata else "[1]"
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return next((str(choice) for choice in choices if choice != default), "other@elsewhere.example")


@pytest.fixture(autouse=True)
def _only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(tuple(f"{service.upper()}_" for service in SETTINGS)) or name in {v.name for v in COMMON}:
            monkeypatch.delenv(name)


@pytest.mark.parametrize(("service", "name"), FIELDS, ids=lambda value: value)
def test_every_field_can_be_set(service: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = SETTINGS[service].model_fields
    for each, field in fields.items():
        if field.is_required():
            monkeypatch.setenv(_variable(service, each), "needed@elsewhere.example")
    before = getattr(SETTINGS[service](), name)
    monkeypatch.setenv(_variable(service, name), _other(fields[name]))
    assert getattr(SETTINGS[service](), name) != before


@pytest.mark.parametrize("service", SETTINGS)
def test_what_a_service_needs_is_documented(service: str) -> None:
    fields = SETTINGS[service].model_fields
    needed = {_variable(service, name) for name, field in fields.items() if field.default is PydanticUndefined}
    assert needed <= {variable.name for variable in variables(service)}


@pytest.mark.parametrize("service", SETTINGS)
def test_what_is_documented_is_read(service: str) -> None:
    read = {_variable(service, name) for name in SETTINGS[service].model_fields}
    assert {variable.name for variable in own_variables(service)} <= read
    assert {variable.name for variable in COMMON} <= read
