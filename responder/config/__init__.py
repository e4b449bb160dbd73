"""The shop's files, read once and checked whole: responder.toml, rules.toml and templates become one frozen Settings.

Every mistake is told at once, with file, line, key and the nearest right word. Nothing is half-applied: a reload
gives a new complete value or raises, and the caller keeps what it had.
"""

from responder.config.file import json_schema
from responder.config.load import bare, check_secrets, config_file, load, load_pack, one_file
from responder.config.pack import default_pack_dir
from responder.config.settings import AccountSettings, OrdersSettings, ParcelStopSettings, Relay, Settings, ShopSettings

__all__ = [
    "AccountSettings",
    "OrdersSettings",
    "ParcelStopSettings",
    "Relay",
    "Settings",
    "ShopSettings",
    "bare",
    "check_secrets",
    "config_file",
    "default_pack_dir",
    "json_schema",
    "load",
    "load_pack",
    "one_file",
]
