"""How answers to the cloud are written: keys in camel case, times in UTC, nothing where there is nothing to tell."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    def document(self) -> Mapping[str, Any]:
        """The answer as JSON has it."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def show_time(moment: datetime) -> str:
    """A moment in UTC, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


Moment = Annotated[
    datetime, PlainSerializer(show_time, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
