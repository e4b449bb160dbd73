"""By when an answer is due in this shop, and when the clock has to look at a new case first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from responder.config import Settings
from responder.core.channels import Channel
from responder.core.clocks import first_look
from responder.core.dates import calendar_from
from responder.core.deadlines import due_at
from responder.model import Case

DEADLINE_H = 24.0


def deadline_of(settings: Settings, channel: Channel, arrived_at: datetime, hours: float | None = None) -> datetime:
    """By when what arrived then is to be answered: by the rule's own hours, else by the channel's clock."""
    shop = settings.shop
    return due_at(
        arrived_at,
        hours or channel.clock_h or DEADLINE_H,
        calendar=calendar_from({**settings.templates.policy, **shop.policy}.items()),
        timezone=shop.timezone,
        every_day_counts=channel.clock_weekends,
    )


def clocked(case: Case, settings: Settings) -> Case:
    """The new case with the moment at which it is looked at first."""
    return replace(case, look_at=first_look(case.opened_at, case.deadline_at, settings.clocks))
