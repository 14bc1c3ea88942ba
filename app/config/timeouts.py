"""`timeouts`, at the top, in a provider and in a model: what stands nearer to the call wins."""

from __future__ import annotations

from pydantic import Field

from app.config.values import Part, Seconds
from app.core.call import Timeouts

_USUAL = Timeouts()


class TimeoutsS(Part):
    """Seconds; null is no bound. Only what the file names counts here, the rest comes from further out."""

    connect: Seconds = Field(default=_USUAL.connect, description="until the connection stands, TLS included")
    first_byte: Seconds | None = Field(
        default=_USUAL.first_byte, description="streams: until the provider says anything"
    )
    first_token: Seconds | None = Field(default=_USUAL.first_token, description="streams: until the first content")
    idle: Seconds | None = Field(default=_USUAL.idle, description="silence within an answer that has begun")
    deadline: Seconds = Field(default=_USUAL.deadline, description="the whole call, retries and waits included")

    def over(self, outer: Timeouts) -> Timeouts:
        """These where they are set, else the outer ones."""
        return Timeouts(
            connect=self.connect if "connect" in self.model_fields_set else outer.connect,
            first_byte=self.first_byte if "first_byte" in self.model_fields_set else outer.first_byte,
            first_token=self.first_token if "first_token" in self.model_fields_set else outer.first_token,
            idle=self.idle if "idle" in self.model_fields_set else outer.idle,
            deadline=self.deadline if "deadline" in self.model_fields_set else outer.deadline,
        )
