"""A request of the API as data: what to send and what the answer is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter, ValidationError

from contexten.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Repeat(Enum):
    """Whether a request may be sent again when its answer was lost."""

    ALWAYS = "always"
    """Doing it twice is doing it once."""
    AGREED = "agreed"
    """Only to a server that recognises the repetition by its `Idempotency-Key`."""
    NEVER = "never"
    """Only when it surely did not reach the server."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request. `{org}` in the path stands for the organization, which the client fills in."""

    method: str
    path: str
    read: Callable[[Any], T]
    """Makes the result of the decoded body; a pydantic `ValidationError` means that it is not the API's."""
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    repeat: Repeat = Repeat.ALWAYS

    @property
    def needs_organization(self) -> bool:
        """Whether the client has to fill in an organization."""
        return "{org}" in self.path


def get(path: str, answer: Any, **query: Any) -> Call[Any]:
    """A GET request; query values that are None are left out."""
    return Call("GET", path, reader(answer), {name: value for name, value in query.items() if value is not None})


def post(path: str, answer: Any, body: Any = None, *, repeat: Repeat = Repeat.NEVER, **query: Any) -> Call[Any]:
    """A POST request; fields of the body that were not given are left out.

    Raises:
        UsageError: a value of the body has no form in JSON.
    """
    try:
        content = body.model_dump(mode="json", exclude_unset=True) if isinstance(body, BaseModel) else body
    except ValueError as error:
        raise UsageError(f"The request cannot be sent: {str(error).rstrip('.')}.") from error
    return Call("POST", path, reader(answer), query, content, repeat)


@lru_cache(maxsize=128)
def reader(answer: Any) -> Callable[[Any], Any]:
    """What makes a value of a type from decoded JSON."""
    return TypeAdapter(answer).validate_python


def segment(value: object) -> str:
    """A value as one segment of a path."""
    text = str(value)
    if text in {"", ".", ".."}:
        raise UsageError(f"{text!r} cannot be part of an address.")
    return quote(text, safe="")


def given(model: type[M], /, **values: Any) -> M:
    """A request body of those values that are not None.

    Raises:
        UsageError: a value cannot be used, or there is none of its name; the message names it.
    """
    if unknown := values.keys() - model.model_fields.keys():
        raise UsageError(f"There is no option {min(unknown)!r}. Known: {', '.join(sorted(model.model_fields))}.")
    try:
        return model(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{name} is {first['input']!r}: {first['msg']}.") from None
