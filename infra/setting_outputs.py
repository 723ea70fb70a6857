"""The settings of the functions as outputs of the stack, so that the command line needs no other source."""

from collections.abc import Mapping
from typing import Any

from chalicelib.settings import Settings

_PREFIX = "Setting"


def build_setting_outputs(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Build an output for each setting.

    The value starts with the name of the setting, because an output must not be empty.

    Args:
        variables: The environment variables of the functions, as the template defines them.
    """
    names = (field.upper() for field in Settings.__dataclass_fields__)
    return {
        f"{_PREFIX}{name.title().replace('_', '')}": {"Value": {"Fn::Join": ["", [f"{name}=", variables[name]]]}}
        for name in names
        if name in variables
    }


def is_setting_output(key: str) -> bool:
    """Whether an output is a setting, which only programs read."""
    return key.startswith(_PREFIX)


def read_setting_outputs(outputs: Mapping[str, str]) -> dict[str, str]:
    """Read the settings, by the name of their environment variable, from the outputs of a stack."""
    pairs = (value.partition("=") for key, value in outputs.items() if is_setting_output(key))
    return {name: value for name, _, value in pairs}
