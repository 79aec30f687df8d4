"""The base of every model of the API."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""An id in a request: any integer of 64 bits, whether something has it or not."""


class Model(BaseModel):
    """A response of the API: answers both `run.id` and `run["id"]`, and keeps fields it does not know."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    def __getitem__(self, name: str) -> Any:
        if name not in type(self).model_fields and name not in (self.model_extra or {}):
            raise KeyError(name)
        return getattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in type(self).model_fields or name in (self.model_extra or {})

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a field, or `default` when the field is absent or null."""
        if name not in self:
            return default
        value = self[name]
        return default if value is None else value

    def keys(self) -> list[str]:
        """Names of all fields, those that came as extras included."""
        return [*type(self).model_fields, *(self.model_extra or {})]


class Input(BaseModel):
    """A request body of the API: fields it does not know are ignored, as the hosted service does."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)
