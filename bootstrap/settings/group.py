"""Base of the groups of settings."""

from pydantic import AliasGenerator, BaseModel, ConfigDict


class SettingsGroup(BaseModel):
    """Group of settings; the variable of a field is its name in capitals."""

    model_config = ConfigDict(
        frozen=True, hide_input_in_errors=True, alias_generator=AliasGenerator(validation_alias=str.upper)
    )
