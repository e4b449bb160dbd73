"""The form of responder.toml as pydantic models: names, types and what editors show; and the JSON Schema of it.

Only single values are checked here. What several keys must agree on is in `checks`, so that one wrong type never
hides another mistake.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import pydantic
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from responder.config.source import nearest
from responder.core.proof import FINDINGS
from responder.model import OrderStatus

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ORDER_FIELDS = (
    *("order_id", "channel", "status", "buyer_name", "buyer_mail", "payment", "total", "currency", "ordered_at"),
    *("paid_at", "ship_by", "shipped_at", "carrier", "tracking_no", "eta", "items", "sku", "quantity"),
    "cancel_deadline",
)


def _one_line(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("empty_value", "must not be empty")
    if any(ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u2028\u2029" for char in text):
        raise PydanticCustomError("control_characters", "must not hold line breaks or control characters")
    return text.strip()


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
        best = nearest(name, known) or nearest(name, {zone.rsplit("/", 1)[-1] for zone in known})
        best = next((zone for zone in sorted(known) if zone == best or zone.endswith(f"/{best}")), None)
        raise PydanticCustomError("unknown_timezone", "no such time zone", {"suggestion": best}) from None
    return name


def _span(text: str) -> str:
    if not re.fullmatch(r"\d{1,4}\s*[mhdw]", text.strip()):
        raise PydanticCustomError("bad_span", "a number with m, h, d or w")
    return text.strip()


def _mail(text: str) -> str:
    text = _one_line(text)
    if not re.fullmatch(r"[^@\s<>\"(),:;\[\]\\]+@[^@\s<>\"(),:;\[\]\\.]+(\.[^@\s<>\"(),:;\[\]\\.]+)*", text):
        raise PydanticCustomError("bad_address", "not a mail address")
    try:
        local, _, domain = text.rpartition("@")
        return f"{local}@{domain.lower().encode('idna').decode('ascii')}"
    except UnicodeError:
        raise PydanticCustomError("bad_address", "not a mail address") from None


def _weekday(text: str) -> str:
    word = text.strip().casefold()
    if word[:1] in "月火水木金土日" and word:
        return WEEKDAYS["月火水木金土日".index(word[0])]
    if word[:3] not in WEEKDAYS:
        raise PydanticCustomError("bad_choice", "no weekday", {"expected": ", ".join(WEEKDAYS)})
    return word[:3]


def _lines_of_text(value: object) -> object:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    return value


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _policy_word(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case str():
            return value.strip()
        case int() | float() | dt.datetime() | dt.date() | dt.time():
            return str(value)
        case list() if all(isinstance(part, str | int | float | dt.date) for part in value):
            return ", ".join(_policy_word(part) for part in value)
    raise PydanticCustomError("wrong_type_policy", "text, a number, true or false, a date, or a list of these")


Line = Annotated[str, pydantic.AfterValidator(_one_line)]
MailAddress = Annotated[str, pydantic.AfterValidator(_mail)]
Zone = Annotated[str, pydantic.AfterValidator(_zone)]
Span = Annotated[str, pydantic.AfterValidator(_span)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
MatterName = Literal["sold_out", "restock", "checking", "delay", "combined", "restock_notice", "care"]
CauseName = Literal[
    "double_sale",
    "inspection",
    "late_supply",
    "discontinued",
    "stock_error",
    "weather",
    "carrier",
    "production",
    "customs",
]
ReaderName = Literal["ja", "en", "zh", "zh-hant"]
LanguageName = Literal["ja", "en", "zh"]
TextOrLines = Annotated[str, pydantic.BeforeValidator(_lines_of_text)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ShopTable(_Table):
    """The shop itself."""

    name: Line = Field(description="The shop's name as buyers know it.")
    language: LanguageName = Field("ja", description="Language of notes to staff, and of replies in case of doubt.")
    timezone: Zone = Field("Asia/Tokyo", description="IANA name; dates in replies and files are read in it.")
    alert_to: Annotated[list[MailAddress], pydantic.BeforeValidator(_one_or_more), Field(max_length=5)] = Field(
        default_factory=list,
        description="Who gets a mail when notes cannot reach staff, e.g. while the mail server lets nobody in.",
        json_schema_extra={"type": ["string", "array"], "items": {"type": "string"}},
    )
    names: dict[LanguageName, Line] = Field(
        default_factory=dict, description='The name in replies of another language, e.g. { en = "Minato Zakka" }.'
    )
    signature: TextOrLines = Field(
        "",
        description="What closes a reply: text, or a list of lines.",
        json_schema_extra={"type": ["string", "array"], "items": {"type": "string"}},
    )
    signatures: dict[LanguageName, TextOrLines] = Field(
        default_factory=dict,
        description="What closes a reply of another language.",
        json_schema_extra={"additionalProperties": {"type": ["string", "array"], "items": {"type": "string"}}},
    )
    currency: Line = Field("JPY", description="Currency of amounts that do not name one.")
    policy: dict[str, Annotated[str, pydantic.BeforeValidator(_policy_word)]] = Field(
        default_factory=dict,
        description="What the shop promises, for rules and templates: return_days = 8, refuse_parcel = false ...",
        json_schema_extra={"additionalProperties": {"type": ["string", "number", "boolean", "array"]}},
    )
    closed_weekdays: list[Annotated[str, pydantic.AfterValidator(_weekday)]] | None = Field(
        None, description='Days off in every week, e.g. ["sat", "sun"].'
    )
    public_holidays: bool | None = Field(None, description="true: the shop is closed on Japanese public holidays.")
    closed_days: list[dt.date] | None = Field(None, description="More closed days, as dates.")
    open_days: list[dt.date] | None = Field(None, description="Days the shop works on although it would be closed.")
    business_hours: Annotated[str, Field(pattern=r"^\d{1,2}:\d{2}-\d{1,2}:\d{2}$")] | None = Field(
        None, description='When the shop works, e.g. "10:00-18:00".'
    )


class StateTable(_Table):
    """Where the journal is kept."""

    url: Line = Field(
        "sqlite:///state/responder.db", description="SQLite (relative to this file) or postgresql://... database."
    )
    keep_bodies_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        30, description="How long the texts of finished drafts stay in the journal."
    )


class FoldersTable(_Table):
    """Mailboxes of the account. Drafts, sent and trash only where the server does not mark them."""

    watch: Annotated[list[Line], Field(min_length=1)] = Field(["INBOX"], description="Folders buyers' mail comes to.")
    approved: Line | None = Field(None, description="Drafts that staff put here are sent.")
    notes: Line = Field("Responder", description="Notes for staff are put here.")
    commands: dict[MatterName, str] = Field(
        default_factory=dict,
        description='Names of the command folders below it, e.g. { sold_out = "欠品" }; "" for none.',
    )
    drafts: Line | None = None
    sent: Line | None = None
    trash: Line | None = None


class _SecretKeys(_Table):
    """Where a secret comes from: one of four keys."""

    password_command: Annotated[list[Line], Field(min_length=1)] | None = Field(
        None, description="A program and its arguments (no shell); its first line of output is the password."
    )
    password_env: Line | None = Field(None, description="Name of an environment variable.")
    password_file: Line | None = Field(
        None, description="A file that only its owner may read, or the name of a systemd credential."
    )
    password: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="The password itself: only where nobody but the owner may read this file."
    )


class ServerTable(_SecretKeys):
    """A server and the login on it; exactly one password_* key, or auth = "xoauth2" with oauth2_token_command."""

    host: Line
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: Literal["implicit", "starttls", "none"] = Field(
        "implicit", description='"none" only for a server on this machine. Certificates are always verified.'
    )
    username: Line | None = None
    auth: Literal["password", "xoauth2"] = "password"
    ca_file: Line | None = Field(None, description="Certificates to trust instead of the system's, a PEM file.")
    oauth2_token_command: Annotated[list[Line], Field(min_length=1)] | None = Field(
        None, description="A program and its arguments (no shell) that prints a fresh access token."
    )
    oauth2_client_id: Line | None = None
    oauth2_client_secret: Line | None = None
    oauth2_refresh_token: Line | None = None
    oauth2_access_token: Line | None = None
    oauth2_request_url: Line | None = None
    oauth2_scope: Line | None = None
    oauth2_token_file: Line | None = None


class RelayTable(_Table):
    """How replies to one marketplace leave: from which registered address, and through which server."""

    channel: Line = Field(description='The channel, e.g. "rakuten".')
    address: MailAddress | None = Field(
        None, description="The address registered there, which replies are from; the account's if left out."
    )
    envelope_from: MailAddress | None = Field(
        None, description="The envelope sender, where another one is registered; the address if left out."
    )
    display_name: Line | None = Field(None, description="The name beside the address; the account's if left out.")
    smtp: ServerTable | None = Field(None, description="The marketplace's own server; the account's if left out.")


class AccountTable(_Table):
    """One login to watch."""

    name: Line
    address: MailAddress = Field(description="The address the shop writes from.")
    aliases: list[MailAddress] = Field(default_factory=list, description="Further addresses of the shop.")
    display_name: Line | None = Field(None, description="The name beside the address; the shop's if left out.")
    authserv_id: Line | None = Field(None, description="Whose Authentication-Results to trust.")
    folders: FoldersTable = Field(default_factory=lambda: FoldersTable.model_validate({}))
    quiet_s: Seconds = Field(30, description="How long an approved draft lies before it is sent.")
    imap: ServerTable
    smtp: ServerTable | None = None
    relay: list[RelayTable] = Field(
        default_factory=list, description="Marketplaces with an address or server of their own."
    )
    since: Span | None = Field(
        None, description='How far back the first start looks, e.g. "7d"; left out: only what arrives from now on.'
    )
    poll_s: Annotated[Seconds, Field(ge=1)] = Field(60, description="How often to look where the server cannot tell.")
    staff_poll_s: Annotated[Seconds, Field(ge=0.1)] = Field(5, description="How often to look at the staff's folders.")
    drafts_per_sender_day: Annotated[int, Field(ge=1)] = 3
    sends_per_minute: Annotated[int, Field(ge=1)] = 20
    sends_per_day: Annotated[int, Field(ge=1)] = 1500
    approve_by_flag: bool = Field(False, description="true: a star on a draft approves it too.")
    flag_quiet_s: Seconds = Field(120, description="How long a star must have stayed.")
    language: LanguageName | None = Field(None, description="Language in case of doubt; the shop's if left out.")
    files_sent: bool | None = Field(None, description="Whether the server files sent mail itself; left out: found out.")


class OrdersTable(_SecretKeys):
    """One source of orders."""

    type: Literal["csv", "sql", "http"] = Field("csv", description="Files, a database, or a web service (JSON).")
    path: Line | None = Field(None, description="csv: a file, or a folder of exports.")
    url: Line | None = Field(
        None, description="sql: the database (SQLAlchemy). http: where one order is, with {order_id} in it."
    )
    query: str | None = Field(None, description="sql: a SELECT with :order_ids (WHERE order_no IN :order_ids).")
    buyer_query: str | None = Field(None, description="sql: a SELECT with :buyer_mail.")
    buyer_url: Line | None = Field(None, description="http: where a buyer's orders are, with {buyer_mail} in it.")
    orders_at: Line | None = Field(None, description='http: where the orders stand in the answer, e.g. "data.orders".')
    username: Line | None = Field(None, description="http: the password goes with this name (Basic).")
    header: Line | None = Field(None, description="http: the password goes into this header; else Bearer.")
    ca_file: Line | None = Field(None, description="http: certificates to trust instead of the system's, a PEM file.")
    timeout_s: Annotated[Seconds, Field(ge=0.1, le=120)] = Field(10, description="sql, http: how long to wait.")
    remember_s: Seconds | None = Field(None, description="sql, http: how long an answer is good; 5 and 60 seconds.")
    columns: dict[str, Line] = Field(
        default_factory=dict,
        description="Which header holds which field, only where they differ.",
        json_schema_extra={"propertyNames": {"enum": list(ORDER_FIELDS)}},
    )
    status_words: dict[str, OrderStatus] = Field(
        default_factory=dict, description='The source\'s own words, e.g. "入金待ち" = "unpaid".'
    )
    channel: Line | None = Field(None, description="The channel of orders that do not name one.")
    currency: Line | None = Field(None, description="The currency of amounts that do not name one.")
    timezone: Zone | None = Field(None, description="Of times without an offset; the shop's if left out.")
    encoding: Line | None = Field(None, description="Left out: found out (UTF-8, UTF-16, Shift_JIS).")
    delimiter: Literal[",", ";", "\t"] | None = None
    day_first: bool | None = Field(None, description="true: 03/04/2026 is the third of April; false: March the fourth.")


class WordingTable(_Table):
    """The check of a reply's words before it is sent."""

    warn_only: list[Literal[FINDINGS]] = Field(  # type: ignore[valid-type]  # the check names them, nobody else
        default_factory=list, description="Findings that do not hold a mail: it is sent, and a note tells of them."
    )


class ParcelStopTable(_Table):
    """Telling the warehouse to hold a parcel back as soon as its buyer asks to cancel: by any of these ways."""

    mail: MailAddress | None = Field(None, description="A mail to this address, over the account's outgoing server.")
    webhook: Line | None = Field(None, description="A POST of JSON to this address (https).")
    csv: Line | None = Field(None, description="A line at the end of this CSV file.")


class IncidentTable(_Table):
    """Something that holds up parcels, said in the notices and replies it concerns until it is over."""

    until: dt.date = Field(description="Its last day.")
    kind: Literal["snow", "typhoon", "rain", "earthquake", "carrier"] | None = Field(
        None, description="What happens; responder has a sentence for each, in every language."
    )
    region: dict[ReaderName, Line] = Field(default_factory=dict, description="Where, in the reader's words.")
    areas: list[Line] = Field(
        default_factory=list, description="Words of the addresses it concerns (石川県 ...); none: all orders."
    )
    text: dict[ReaderName, Line] = Field(default_factory=dict, description="Your own sentence, by language.")


class PerkTable(_Table):
    """What a notice grants, by your written policy: the first that fits; never twice for an order."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,60}$")]
    gives: Annotated[dict[ReaderName, Line], Field(min_length=1)] = Field(description="The sentence, by language.")
    matters: list[MatterName] = Field(default_factory=list, description="In which notices; none: in all.")
    causes: list[CauseName] = Field(default_factory=list, description="For which causes; none: for all.")
    channels: list[Line] = Field(default_factory=list, description="On which channels; none: wherever it is allowed.")
    buyer: Literal["consumer", "business"] | None = None
    once_in_days: Annotated[int, Field(ge=1)] | None = Field(
        None, description="A buyer gets something again after so many days; left out: never."
    )
    most_a_month: Annotated[int, Field(ge=0)] | None = Field(None, description="The ceiling within 30 days.")


class CallsTable(_Table):
    """For which orders staff are asked to call the buyer, besides writing."""

    enabled: bool = Field(True, description="false: no notes that ask to call.")
    high_value: dict[Line, Annotated[float, Field(gt=0)]] | None = Field(
        None, description="From which total on an order is of high value, by currency; {}: none is."
    )
    no_answer_days: Annotated[int, Field(ge=0, le=30)] | None = Field(
        None, description="After how many days without an answer to a notice that asked for one; 0: never."
    )


class ReportTable(_Table):
    """The report that comes into the notes by itself."""

    weekly: Annotated[str, pydantic.AfterValidator(_weekday)] | None = Field(
        None, description='On which day of the week, e.g. "mon", about the seven days before; left out: never.'
    )
    at: Annotated[str, Field(pattern=r"^([01]?\d|2[0-3]):[0-5]\d$")] = Field(
        "07:00", description="From what time of that day on."
    )


class OweTable(_Table):
    """What the shop owes its buyers."""

    file: Line | None = Field(
        None, description="A CSV of notices to be written, besides owe.csv; relative to this file."
    )


class TimeTable(_Table):
    """What is told and written by the clock."""

    digest_at: Annotated[str, Field(pattern=r"^(([01]?\d|2[0-3]):[0-5]\d)?$")] = Field(
        "08:30", description='When the morning mail with what is due is put into the notes; "" for none.'
    )
    remind_after: Annotated[list[Span], Field(max_length=5)] = Field(
        ["4h", "20h"], description="At which ages staff are reminded of a draft that nobody has approved."
    )
    before_deadline: Span = Field(
        "4h", description="How long before the deadline staff are told, and a holding reply is drafted."
    )
    holding: bool = Field(True, description="false: no holding reply is drafted before the deadline.")
    nudge_after_days: Annotated[int, Field(ge=0, le=60)] = Field(
        3,
        description="After how many days a question of ours that nobody has answered is asked again; 0: never.",
    )
    care_after_days: Annotated[int, Field(ge=0, le=90)] = Field(
        7, description="How many days after a sold-out notice the care mail is drafted; 0: never."
    )
    asks: list[Line] = Field(default_factory=list, description="Your own templates that ask the buyer something.")


class AutoReplyTable(_Table):
    """The one mail that leaves without an approval: that a mail has come in. Left out: none leaves."""

    rules: Annotated[list[Line], Field(min_length=1)] = Field(
        description='For mails of which rules (their id); ["*"] for every mail that wants an answer.'
    )
    at: Literal["arrival", "deadline"] = Field(
        "deadline", description="When the mail comes in, or only before the deadline if no answer was approved."
    )
    once_in_days: Annotated[int, Field(ge=1, le=365)] = Field(7, description="One sender gets it once in so many days.")
    most_a_day: Annotated[int, Field(ge=1, le=1000)] = Field(50, description="No more than this leave in a day.")


class ResponderFile(_Table):
    """responder.toml"""

    shop: ShopTable
    state: StateTable = Field(default_factory=lambda: StateTable.model_validate({}))
    account: Annotated[list[AccountTable], Field(min_length=1)]
    orders: list[OrdersTable] = Field(default_factory=list)
    incident: list[IncidentTable] = Field(default_factory=list)
    perk: list[PerkTable] = Field(default_factory=list)
    owe: OweTable = Field(default_factory=lambda: OweTable.model_validate({}))
    calls: CallsTable = Field(default_factory=lambda: CallsTable.model_validate({}))
    time: TimeTable = Field(default_factory=lambda: TimeTable.model_validate({}))
    report: ReportTable = Field(default_factory=lambda: ReportTable.model_validate({}))
    auto_reply: AutoReplyTable | None = None
    wording: WordingTable = Field(default_factory=lambda: WordingTable.model_validate({}))
    parcel_stop: ParcelStopTable | None = None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of responder.toml, for editors."""
    schema = ResponderFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "responder.toml", **schema}
