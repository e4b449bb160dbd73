from __future__ import annotations

import datetime as dt
import functools
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responder import config
from responder.config.checks import check, is_loopback, state_url
from responder.config.file import ORDER_FIELDS
from responder.config.source import Source
from responder.config.validate import validate
from responder.core.rules import compile_pack
from responder.edges.orders.layouts import FIELDS
from responder.errors import ConfigError, Mistake
from responder.model import Identity, Server

GOOD = """\
[shop]
name = "みなと雑貨店"
language = "ja"
timezone = "Asia/Tokyo"
[state]
url = "sqlite:///state/responder.db"
[[account]]
name = "main"
address = "shop@example.jp"
aliases = ["support@example.jp"]
display_name = "みなと雑貨店"
authserv_id = "mx.example.jp"
folders = { watch = ["INBOX"], approved = "Approved", notes = "Responder" }
quiet_s = 30
imap = { host = "imap.example.jp", port = 993, tls = "implicit", username = "shop", password_env = "SHOP_PASSWORD" }
smtp = { host = "smtp.example.jp", port = 587, tls = "starttls", username = "shop", password_command = ["echo", "xyz"] }
[[orders]]
type = "csv"
path = "orders/"
columns = { order_id = "order_no", buyer_mail = "buyer_email" }
"""
RULES = """\
[[rule]]
id = "thanks"
situation = "thanks_only"
when = { language = "ja" }
reply = "thanks"
"""

KEYS = st.sampled_from(
    [
        *(
            "shop",
            "state",
            "account",
            "orders",
            "url",
            "name",
            "folders",
            "watch",
            "imap",
            "smtp",
            "host",
            "tls",
            "port",
        ),
        *(
            "password",
            "password_env",
            "auth",
            "oauth2_client_id",
            "columns",
            "type",
            "encoding",
            "approved",
            "notes",
            "zz",
        ),
    ]
)
Shop = Callable[..., Path]


@pytest.fixture(scope="module", autouse=True)
def empty_pack_compiled_once() -> Iterator[None]:
    """Most tests here are not about rules: what every pack brings along is compiled once for all of them."""
    once = functools.cache(lambda timezone: compile_pack({}, timezone=timezone))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "responder.config.pack.compile_pack",
            lambda data, **given: compile_pack(data, **given) if data else once(given["timezone"]),
        )
        yield


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Writes a shop's folder and gives it back; `changes` replace parts of the good file. The shipped pack is empty."""
    shipped = tmp_path / "shipped"
    (shipped / "templates").mkdir(parents=True)
    (shipped / "rules.toml").touch()
    monkeypatch.setattr("responder.config.pack.default_pack_dir", lambda: shipped)

    def write(text: str = GOOD, *changes: tuple[str, str], rules: str = "") -> Path:
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "responder.toml").write_text(text, encoding="utf-8")
        (tmp_path / "rules.toml").write_text(rules, encoding="utf-8")
        return tmp_path

    return write


def mistakes(folder: Path, env: Mapping[str, str] | None = None) -> tuple[Mistake, ...]:
    with pytest.raises(ConfigError) as caught:
        config.load(folder, env=env or {})
    return caught.value.mistakes


def told(folder: Path) -> set[tuple[int, str, str]]:
    return {(one.line, one.key, one.code) for one in mistakes(folder)}


# --- a good file ----------------------------------------------------------------------------------------------------


def test_the_example_file_becomes_settings(shop: Shop) -> None:
    folder = shop()
    settings = config.load(folder, env={"SHOP_PASSWORD": "s3cret"})
    assert settings.directory == folder
    assert settings.shop.name == "みなと雑貨店"
    assert settings.shop.timezone == ZoneInfo("Asia/Tokyo")
    assert settings.state_url == f"sqlite:///{folder}/state/responder.db"
    (account,) = settings.accounts
    assert settings.account("main") is account
    assert account.identity == Identity("shop@example.jp", ("support@example.jp",), "みなと雑貨店")
    assert account.imap == Server("imap.example.jp", 993, "implicit", "shop")
    assert account.smtp == Server("smtp.example.jp", 587, "starttls", "shop")
    assert (account.imap_secret(), account.smtp_secret()) == ("s3cret", "xyz")
    assert (account.watch, account.approved, account.notes) == (("INBOX",), "Approved", "Responder")
    assert (account.authserv_id, account.quiet_s, account.since) == ("mx.example.jp", 30, None)
    (orders,) = settings.orders
    assert orders.path == folder / "orders"
    assert orders.columns == {"order_id": "order_no", "buyer_mail": "buyer_email"}
    assert {channel.name for channel in settings.channels} >= {"own", "amazon", "rakuten", "form"}
    assert settings.warnings == ()


def test_defaults_follow_server_kind_and_language(shop: Shop) -> None:
    server = '{ host = "mail.example.jp", tls = "starttls", username = "shop", password_env = "P" }'
    text = f"""
[shop]
name = "Shop"
[[account]]
name = "a"
address = "Shop@Example.JP"
imap = {server}
smtp = {server}
since = "7d"
"""
    settings = config.load(shop(text), env={})
    (account,) = settings.accounts
    assert account.imap.port == 143
    assert account.smtp is not None
    assert account.smtp.port == 587
    assert account.approved == "承認"
    assert account.since == timedelta(days=7)
    assert account.identity == Identity("Shop@example.jp", (), "Shop")
    assert {one.code for one in settings.warnings} == {"orders_missing", "authserv_id_missing"}


RELAY = """\
[[account.relay]]
channel = "rakuten"
address = "mall@example.jp"
envelope_from = "Bounce@Example.jp"
smtp = { host = "relay.example.jp", port = 587, tls = "starttls", username = "rms", password_env = "RMS" }
[[account.relay]]
channel = "amazon"
[[orders]]
"""


def test_a_marketplace_s_server_and_address_belong_to_the_account(shop: Shop) -> None:
    folder = shop(GOOD, ("[[orders]]\n", RELAY))
    (account,) = config.load(folder, env={"RMS": "geheim"}).accounts
    rakuten, amazon = account.relays
    assert rakuten.identity == Identity("mall@example.jp", (), "みなと雑貨店")
    assert (rakuten.envelope_from, rakuten.smtp_secret()) == ("Bounce@example.jp", "geheim")
    assert rakuten.smtp == Server("relay.example.jp", 587, "starttls", "rms")
    assert (amazon.identity.address, amazon.envelope_from, amazon.smtp) == ("shop@example.jp", "shop@example.jp", None)
    assert account.writes_as("rakuten") is rakuten.identity
    assert account.writes_as("own") is account.identity
    # What is registered is the shop's own: a mail from there is no buyer's.
    assert account.identity.owns("MALL@example.jp")
    assert account.identity.owns("bounce@example.jp")
    (mistake,) = config.check_secrets(config.load(folder, env={"SHOP_PASSWORD": "x"}))
    assert mistake.key == "account[0].relay[0].smtp.password_env"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (('channel = "rakuten"', 'channel = "rakuen"'), (18, "account[0].relay[0].channel", "bad_choice", "rakuten")),
        (('channel = "amazon"', 'channel = "rakuten"'), (23, "account[0].relay[1].channel", "relay_twice", None)),
        (('channel = "amazon"', 'channel = "yahoo"'), (23, "account[0].relay[1].channel", "relay_takes_no_mail", None)),
        (("smtp = {", "smpt = {"), (21, "account[0].relay[0].smpt", "unknown_key", "smtp")),
        ((', password_env = "RMS"', ""), (21, "account[0].relay[0].smtp", "secret_missing", None)),
        (('tls = "starttls", username = "rms"', 'tls = "none", username = "rms"'), (
            21, "account[0].relay[0].smtp.tls", "tls_none_not_loopback", None
        )),
        (('"mall@example.jp"', '"mall"'), (19, "account[0].relay[0].address", "bad_address", None)),
    ],
)  # fmt: skip
def test_mistakes_in_a_relay_are_told_with_their_place(
    shop: Shop, change: tuple[str, str], expected: tuple[int, str, str, str | None]
) -> None:
    before, after = change
    text = GOOD.replace("[[orders]]\n", RELAY)
    assert text.count(before) == 1 or "smtp = {" in before
    at = text.rindex(before)
    found = {
        (m.line, m.key, m.code, m.suggestion) for m in mistakes(shop(text[:at] + after + text[at + len(before) :]))
    }
    assert expected in found


def test_a_channel_with_a_server_of_its_own_needs_it_in_its_relay(shop: Shop) -> None:
    text = GOOD.replace("[[orders]]\n", '[[account.relay]]\nchannel = "rakuten"\n[[orders]]\n')
    (mistake,) = mistakes(shop(text))
    assert (mistake.line, mistake.code) == (17, "relay_without_server")
    single = GOOD.replace("[[orders]]\n", '[account.relay]\nchannel = "amazon"\n[[orders]]\n')
    assert {(m.code, dict(m.args)["name"]) for m in mistakes(shop(single))} == {
        ("needs_double_brackets", "account.relay")
    }


def test_the_shop_s_promises_and_calendar_reach_the_policy(shop: Shop) -> None:
    more = """timezone = "Asia/Tokyo"
signature = ["みなと雑貨店", "https://minato-zakka.example"]
closed_weekdays = ["wed", "日曜"]
closed_days = [2026-12-31, 2027-01-01]
public_holidays = false
policy = { return_days = 8, refuse_parcel = false, contact = ["電話", "メール"] }"""
    shop_settings = config.load(shop(GOOD, ('timezone = "Asia/Tokyo"', more)), env={}).shop
    assert shop_settings.signature == "みなと雑貨店\nhttps://minato-zakka.example"
    assert shop_settings.policy == {
        "return_days": "8",
        "refuse_parcel": "off",
        "contact": "電話, メール",
        "closed_weekdays": "wed, sun",
        "closed_days": "2026-12-31, 2027-01-01",
        "public_holidays": "off",
    }


def test_a_byte_order_mark_and_crlf_are_no_mistake(shop: Shop) -> None:
    folder = shop()
    path = folder / "responder.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert config.load(folder, env={}).shop.name == "みなと雑貨店"


def test_where_the_file_is_looked_for(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shop()
    assert config.load(folder / "responder.toml", env={}).directory == folder
    assert config.load(None, env={"RESPONDER_CONFIG": str(folder)}).directory == folder
    monkeypatch.chdir(folder)
    assert config.load(None, env={}).directory == folder
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / ".config" / "responder").mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    with pytest.raises(ConfigError) as caught:
        config.load(None, env={"HOME": str(elsewhere)})
    (mistake,) = caught.value.mistakes
    assert mistake.code == "config_not_found"
    assert "/etc/responder/responder.toml" in dict(mistake.args)["searched"]
    (folder / "responder.toml").rename(elsewhere / ".config" / "responder" / "responder.toml")
    found = config.load(None, env={"HOME": str(elsewhere)})
    assert found.directory == elsewhere / ".config" / "responder"


# --- mistakes -------------------------------------------------------------------------------------------------------


def test_every_mistake_is_told_at_once_with_line_and_nearest_word(shop: Shop) -> None:
    folder = shop(
        GOOD,
        ('timezone = "Asia/Tokyo"', 'timezone = "Asia/Tokio"'),
        ('language = "ja"', 'language = "jp"'),
        ("quiet_s = 30", 'quiet_s = "30"\nqueit_s = 1'),
        ('tls = "implicit"', 'tls = "implicite"'),
        ("port = 587", "port = 70000"),
        ("buyer_mail =", "buyer_email ="),
        ('address = "shop@example.jp"', 'address = "shop(at)example.jp"'),
    )
    found = {one.key: one for one in mistakes(folder)}
    assert {key: (one.line, one.code) for key, one in found.items()} == {
        "shop.language": (3, "bad_choice"),
        "shop.timezone": (4, "unknown_timezone"),
        "account[0].address": (9, "bad_address"),
        "account[0].quiet_s": (14, "wrong_type_number"),
        "account[0].queit_s": (15, "unknown_key"),
        "account[0].imap.tls": (16, "bad_choice"),
        "account[0].smtp.port": (17, "too_large"),
        "orders[0].columns.buyer_email": (21, "unknown_order_field"),
    }
    assert found["shop.timezone"].suggestion == "Asia/Tokyo"
    assert found["account[0].queit_s"].suggestion == "quiet_s"
    assert found["account[0].imap.tls"].suggestion == "implicit"
    assert found["orders[0].columns.buyer_email"].suggestion == "buyer_mail"
    assert all(one.file == str(folder / "responder.toml") for one in found.values())


def test_receipts_without_an_approval_need_an_account_whose_server_vouches_for_senders(shop: Shop) -> None:
    auto = ("[shop]", '[auto_reply]\nrules = ["*"]\n[shop]')
    assert config.load(shop(GOOD, auto), env={}).clocks.auto is not None
    unsafe = mistakes(shop(GOOD, auto, ('authserv_id = "mx.example.jp"\n', "")))
    assert [(one.line, one.code) for one in unsafe] == [(1, "auto_reply_unsafe")]


def test_a_key_in_the_wrong_table_is_sent_to_the_right_one(shop: Shop) -> None:
    (mistake,) = mistakes(shop(GOOD, ('language = "ja"', 'language = "ja"\nauthserv_id = "x"')))
    assert (mistake.line, mistake.key, mistake.suggestion) == (4, "shop.authserv_id", "[[account]].authserv_id")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[shop]", "[shop", (1, "", "toml_syntax")),
        ("[[account]]", "[account]", (7, "account", "needs_double_brackets")),
        ('name = "みなと雑貨店"\nlanguage', "language", (1, "shop.name", "missing_key")),
        (
            'display_name = "みなと雑貨店"',
            'display_name = "a\\r\\nBcc: x"',
            (11, "account[0].display_name", "control_characters"),
        ),
        ('watch = ["INBOX"]', "watch = []", (13, "account[0].folders.watch", "empty_value")),
        ('watch = ["INBOX"]', 'watch = ["inbox", "Approved"]', (13, "account[0].folders.approved", "folder_twice")),
        ("quiet_s = 30", "quiet_s = -1", (14, "account[0].quiet_s", "too_small")),
        ("quiet_s = 30", 'since = "7 days"', (14, "account[0].since", "bad_span")),
        ("[shop]", '[time]\ndigest_at = "25:00"\n[shop]', (2, "time.digest_at", "bad_form")),
        ("[shop]", '[time]\nremind_after = ["4 hours"]\n[shop]', (2, "time.remind_after[0]", "bad_span")),
        ("[shop]", "[time]\nnudge_after_days = -1\n[shop]", (2, "time.nudge_after_days", "too_small")),
        (
            "[shop]",
            '[auto_reply]\nrules = ["cancel-not-shiped"]\n[shop]',
            (2, "auto_reply.rules", "auto_reply_no_rule"),
        ),
        ("[shop]", "[auto_reply]\nonce_in_days = 3\n[shop]", (1, "auto_reply.rules", "missing_key")),
        ("quiet_s = 30", "quiet_s = nan", (14, "account[0].quiet_s", "wrong_type_number")),
        ("sqlite:///state", "mysql://state", (6, "state.url", "bad_state_url")),
        ("sqlite:///state/responder.db", "sqlite://", (6, "state.url", "bad_state_url")),
        ('tls = "implicit"', 'tls = "none"', (15, "account[0].imap.tls", "tls_none_not_loopback")),
        (', password_env = "SHOP_PASSWORD"', "", (15, "account[0].imap", "secret_missing")),
        ('"SHOP_PASSWORD"', '"S", password_file = "s"', (15, "account[0].imap.password_file", "secret_twice")),
        ('password_env = "SHOP_PASSWORD"', 'auth = "xoauth2"', (15, "account[0].imap", "oauth2_token_command_missing")),
        (
            '"SHOP_PASSWORD"',
            '"S", oauth2_client_id = "x"',
            (15, "account[0].imap.oauth2_client_id", "oauth2_without_auth"),
        ),
        ('"SHOP_PASSWORD"', '"S", ca_file = "nowhere.pem"', (15, "account[0].imap.ca_file", "file_missing")),
        ('"SHOP_PASSWORD"', '"S", verify = false', (15, "account[0].imap.verify", "unknown_key")),
        ('type = "csv"', 'type = "csv"\nencoding = "utf8x"', (19, "orders[0].encoding", "unknown_encoding")),
    ],
)
def test_what_each_mistake_is_called(shop: Shop, old: str, new: str, expected: tuple[int, str, str]) -> None:
    assert expected in told(shop(GOOD, (old, new)))
    assert len(told(shop(GOOD, (old, new)))) == 1


SQL = """type = "sql"
url = "sqlite:///shop.db"
query = "SELECT * FROM orders WHERE order_id IN :order_ids"
buyer_query = "SELECT * FROM orders WHERE mail = :buyer_mail"
"""
HTTP = """type = "http"
url = "https://api.example/orders/{order_id}"
buyer_url = "https://api.example/orders?email={buyer_mail}"
password_env = "SHOP_PASSWORD"
"""


@pytest.mark.parametrize(
    ("kind", "old", "new", "expected"),
    [
        (
            SQL,
            "SELECT * FROM orders WHERE order_id",
            "DELETE FROM orders WHERE order_id",
            ("query", "orders_query_writes", None),
        ),
        (SQL, ":order_ids", ":order_idss", ("query", "orders_query_parameter_unknown", "order_ids")),
        (SQL, " WHERE order_id IN :order_ids", "", ("query", "orders_query_parameter_missing", None)),
        (SQL, ":buyer_mail", ":order_id", ("buyer_query", "orders_query_parameter_unknown", None)),
        (SQL, 'query = "SELECT * FROM orders WHERE order_id IN :order_ids"\n', "", ("", "missing_key", None)),
        (SQL, "sqlite:///shop.db", "nosuch://db/shop", ("url", "orders_url_wrong", None)),
        (SQL, "sqlite:///shop.db", "oracle://u:p@db/shop", ("url", "orders_driver_missing", None)),
        (SQL, "buyer_query", "buyer_url", ("buyer_url", "orders_key_of_another", None)),
        (SQL, "\nquery =", "\ntimeout_s = 0\nquery =", ("timeout_s", "too_small", None)),
        (HTTP, "https://api.example/orders/{", "http://api.example/orders/{", ("url", "orders_url_not_https", None)),
        (HTTP, "/{order_id}", "/all", ("url", "orders_url_placeholder", None)),
        (HTTP, "api.example/orders/{order_id}", "{order_id}.example/", ("url", "orders_url_wrong", None)),
        (HTTP, "api.example/orders?", "other.example/orders?", ("buyer_url", "orders_url_other_host", None)),
        (HTTP, 'password_env = "SHOP_PASSWORD"', 'header = "X-Key"', ("", "secret_missing", None)),
        (HTTP, "password_env", 'ca_file = "no.pem"\npassword_env', ("ca_file", "file_missing", None)),
        (HTTP, "password_env", 'path = "x"\npassword_env', ("path", "orders_key_of_another", None)),
    ],
)
def test_mistakes_of_databases_and_services(
    shop: Shop, kind: str, old: str, new: str, expected: tuple[str, str, str | None]
) -> None:
    orders = GOOD[GOOD.index("[[orders]]") :]
    text = GOOD.replace(orders, "[[orders]]\n" + kind.replace(old, new))
    found = [(m.key.removeprefix("orders[0]").lstrip("."), m.code, m.suggestion) for m in mistakes(shop(text))]
    assert expected in found
    assert "u:p" not in repr(mistakes(shop(text)))


def test_databases_and_services_become_settings(shop: Shop) -> None:
    orders = GOOD[GOOD.index("[[orders]]") :]
    folder = shop(GOOD.replace(orders, f"[[orders]]\n{SQL}\n[[orders]]\n{HTTP}remember_s = 5\n"))
    settings = config.load(folder, env={"SHOP_PASSWORD": "s3cret"})
    database, service = settings.orders
    assert (database.type, database.url) == ("sql", f"sqlite:///{folder.resolve()}/shop.db")
    assert (service.type, service.secret(), service.remember_s, service.timeout_s) == ("http", "s3cret", 5, 10)
    assert settings.order_paths == ()


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", ("parcel_stop", "parcel_stop_empty")),
        ('mail = "warehouse"', ("parcel_stop.mail", "bad_address")),
        ('webhook = "http://hooks.example/x?token=geheim"', ("parcel_stop.webhook", "webhook_not_https")),
        ('webhook = "ftp://hooks.example/geheim"', ("parcel_stop.webhook", "webhook_wrong")),
        ('webhook = "https://user:geheim@hooks.example/"', ("parcel_stop.webhook", "webhook_wrong")),
        ('webhook = "https://[geheim/"', ("parcel_stop.webhook", "webhook_wrong")),
        ('csv = "nowhere/stops.csv"', ("parcel_stop.csv", "parcel_stop_csv_place")),
        ('csv = "."', ("parcel_stop.csv", "parcel_stop_csv_place")),
        ('csv = "orders/stops.csv"', ("parcel_stop.csv", "parcel_stop_csv_orders")),
        ('post = "x"', ("parcel_stop.post", "unknown_key")),
    ],
)
def test_mistakes_of_the_parcel_stop_name_their_key_and_never_the_web_address(
    shop: Shop, table: str, expected: tuple[str, str]
) -> None:
    folder = shop(f"{GOOD}\n[[orders]]\npath = 'orders/'\n[parcel_stop]\n{table}\n")
    (folder / "orders").mkdir(exist_ok=True)
    found = mistakes(folder)
    assert expected in {(one.key, one.code) for one in found}
    assert "geheim" not in repr([one for one in found if one.code != "unknown_key"])


def test_the_parcel_stop_is_off_unless_it_is_written_and_its_file_lies_beside_the_settings(shop: Shop) -> None:
    assert config.load(shop(), env={}).parcel_stop is None
    folder = shop(f'{GOOD}\n[parcel_stop]\ncsv = "stops.csv"\nwebhook = "https://hooks.example/x"\n')
    found = config.load(folder, env={}).parcel_stop
    assert found is not None
    assert (found.ways, found.csv, found.mail) == (("webhook", "csv"), folder / "stops.csv", None)
    assert "hooks.example" not in repr(found)


def test_two_accounts_of_one_name_are_refused(shop: Shop) -> None:
    folder = shop(GOOD + GOOD[GOOD.index("[[account]]") : GOOD.index("[[orders]]")])
    (mistake,) = mistakes(folder)
    assert (mistake.key, mistake.code, dict(mistake.args)["first"]) == ("account[1].name", "name_twice", "8")


def test_no_mistake_shows_a_secret(shop: Shop) -> None:
    folder = shop(
        GOOD,
        ('password_env = "SHOP_PASSWORD"', "password = 12345678"),
        ('password_command = ["echo", "xyz"]', 'password = "hunter22", pasword = "hunter23"'),
        ("sqlite:///state/responder.db", "mysql://u:hunter24@db"),
        ("folders =", 'oauth2_client_secret = "hunter25"\nfolders ='),
    )
    shown = repr(mistakes(folder))
    assert "1234" not in shown
    assert "hunter22" not in shown
    assert "hunter24" not in shown


def test_a_plain_password_needs_a_private_file(shop: Shop) -> None:
    folder = shop(GOOD, ('password_env = "SHOP_PASSWORD"', 'password = "x"'))
    (folder / "responder.toml").chmod(0o644)
    assert told(folder) == {(15, "account[0].imap.password", "secret_file_mode")}
    (folder / "responder.toml").chmod(0o600)
    settings = config.load(folder, env={})
    assert settings.accounts[0].imap_secret() == "x"
    assert [one.code for one in settings.warnings] == ["plain_password"]
    assert "'x'" not in repr(settings.accounts)


def test_missing_secrets_are_told_at_their_keys(shop: Shop) -> None:
    settings = config.load(shop(GOOD, ('["echo", "xyz"]', '["false"]')), env={})
    found = config.check_secrets(settings)
    assert [(one.line, one.key, one.code) for one in found] == [
        (15, "account[0].imap.password_env", "secret_env_missing"),
        (16, "account[0].smtp.password_command", "secret_command_failed"),
    ]


def test_a_local_mail_server_needs_no_login(shop: Shop) -> None:
    old = GOOD[GOOD.index("smtp = ") : GOOD.index("[[orders]]")]
    settings = config.load(shop(GOOD, (old, 'smtp = { host = "localhost", port = 25, tls = "none" }\n')), env={})
    assert settings.accounts[0].smtp == Server("localhost", 25, "none", "")
    assert settings.accounts[0].smtp_secret() == ""


def test_oauth2_tokens_come_from_a_command(shop: Shop) -> None:
    oauth2 = 'auth = "xoauth2", oauth2_token_command = ["echo", "token"], oauth2_client_id = "id"'
    settings = config.load(shop(GOOD, ('password_env = "SHOP_PASSWORD"', oauth2)), env={})
    assert settings.accounts[0].imap.auth == "xoauth2"
    assert settings.accounts[0].imap_secret() == "token"


# --- rules and templates --------------------------------------------------------------------------------------------


def write_template(folder: Path, language: str, name: str, text: str = "Subject: x\n\nHello") -> None:
    (folder / "templates" / language).mkdir(parents=True, exist_ok=True)
    (folder / "templates" / language / f"{name}.txt").write_text(text, encoding="utf-8")


def test_mistakes_in_rules_are_told_with_their_line_beside_those_of_the_file(shop: Shop) -> None:
    folder = shop(GOOD, ("quiet_s = 30", 'quiet_s = "x"'), rules=RULES.replace("when =", "wen ="))
    found = mistakes(folder)
    assert ("responder.toml", 14) in {(Path(one.file).name, one.line) for one in found}
    rule = next(one for one in found if one.file.endswith("rules.toml") and one.key.endswith("wen"))
    assert (rule.line, rule.suggestion, rule.rule) == (4, "when", "thanks")


def test_a_rule_that_names_no_template_is_a_mistake(shop: Shop) -> None:
    folder = shop(rules=RULES.replace('"thanks"\n', '"tanks_letter"\n').replace('id = "tanks_letter"', 'id = "thanks"'))
    write_template(folder, "ja", "thanks_letter")
    (mistake,) = mistakes(folder)
    assert (mistake.line, mistake.key, mistake.code) == (5, "rule[0].reply", "unknown_template")
    assert (mistake.suggestion, mistake.rule) == ("thanks_letter", "thanks")


def test_a_template_that_lacks_a_language_is_a_warning(shop: Shop) -> None:
    folder = shop(rules=RULES.replace('reply = "thanks"', 'reply = "house_letter"'))
    write_template(folder, "ja", "house_letter")
    (warning,) = config.load(folder, env={}).warnings
    assert (warning.line, warning.code, dict(warning.args)["languages"]) == (5, "template_without_language", "en, zh")


def test_reloading_takes_the_pack_whole_or_not_at_all(shop: Shop) -> None:
    folder = shop(rules=RULES.replace('reply = "thanks"', 'reply = "house_letter"'))
    write_template(folder, "ja", "house_letter")
    before = config.load(folder, env={})
    (folder / "rules.toml").write_text("[[rule]]\nid = 1\n")
    with pytest.raises(ConfigError):
        config.load_pack(before)
    assert before.rulebook.template_names() == {"house_letter"}
    (folder / "rules.toml").write_text(RULES.replace('reply = "thanks"', 'reply = "new_letter"'))
    write_template(folder, "ja", "new_letter")
    after = config.load_pack(before)
    assert after.rulebook.template_names() == {"new_letter"}
    assert after.templates.has("new_letter", "ja")
    assert after.accounts is before.accounts
    (folder / "channels").mkdir()
    (folder / "channels" / "own.toml").write_text("clock_h = 48\n")
    again = config.load_pack(after)
    assert next(channel for channel in again.channels if channel.name == "own").clock_h == 48
    assert {folder / "rules.toml", folder / "templates", folder / "channels"} <= set(again.pack_paths)


def test_a_shop_without_files_gets_the_shipped_pack() -> None:
    shipped = config.default_pack_dir()
    assert (shipped / "rules.toml").is_file()
    assert (shipped / "templates" / "ja").is_dir()
    settings = config.bare()
    assert settings.accounts == ()
    assert settings.rulebook.template_names()


# --- small parts ----------------------------------------------------------------------------------------------------


def test_the_schema_knows_every_key_of_the_example() -> None:
    schema = json.loads(json.dumps(config.json_schema()))
    account = schema["$defs"]["AccountTable"]["properties"]
    data = tomllib.loads(GOOD)
    assert set(data["account"][0]) <= set(account)
    assert schema["additionalProperties"] is False
    assert schema["properties"].keys() >= data.keys()


def test_order_fields_are_those_that_order_files_are_read_by() -> None:
    assert set(ORDER_FIELDS) == set(FIELDS)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((host, True) for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]")),
        *((host, False) for host in ("localhost.example.jp", "10.0.0.1", "0.0.0.0", "127.0.0.1.example.jp")),
    ],
)
def test_only_this_machine_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_the_journal_s_place_becomes_absolute() -> None:
    folder = Path("/etc/responder")
    assert state_url("sqlite:///state/r.db", folder) == "sqlite:////etc/responder/state/r.db"
    assert state_url("sqlite:////var/lib/r.db?timeout=5", folder) == "sqlite:////var/lib/r.db?timeout=5"
    assert state_url("postgresql://u@db/r", folder) == "postgresql+psycopg://u@db/r"
    assert state_url("sqlite:///:memory:", folder) is None
    assert state_url("nonsense", folder) is None


VALUES = st.recursive(
    st.one_of(
        st.none().map(lambda _: dt.date(2026, 1, 1)),
        st.booleans(),
        st.integers(-5, 70_000),
        st.floats(),
        st.sampled_from(
            ["", "x", "none", "csv", "sql", "localhost", "sqlite://", "a@b.example", "7d", "\x00", "xoauth2"]
        ),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(KEYS, VALUES, max_size=6), st.dictionaries(KEYS, VALUES, max_size=6))
def test_no_data_breaks_the_checks(top: dict[str, object], account: dict[str, object]) -> None:
    data = {**tomllib.loads(GOOD), **top}
    data["account"] = [{**tomllib.loads(GOOD)["account"][0], **account}]
    source = Source(Path("responder.toml"), data, {})
    file, found = validate(source)
    more, _ = check(source)
    assert file is not None or found
    assert all(isinstance(value, str) for one in (*found, *more) for _, value in one.args)
