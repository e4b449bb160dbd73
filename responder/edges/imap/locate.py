"""Which mailbox is Drafts, Sent, Trash: a pure choice from the server's list.

Never guesses: two mailboxes that could be meant are an error which names both.
"""

from __future__ import annotations

import functools
import importlib.resources
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import tomli

from responder.edges.imap.values import Folder
from responder.errors import FolderMissing

Role = Literal["drafts", "sent", "trash", "all_mail"]
_NEAR_THE_TOP = frozenset({"inbox", "[gmail]", "[google mail]"})


@dataclass(frozen=True, slots=True)
class Located:
    """The special mailboxes of an account by their names on the server; None where the account has none.

    `all_mail` is Gmail's archive of everything.
    """

    drafts: str
    sent: str | None = None
    trash: str | None = None
    all_mail: str | None = None


def locate(folders: Sequence[Folder], configured: Mapping[str, str]) -> Located:
    """The special mailboxes: what is configured, else by SPECIAL-USE (RFC 6154), else by known names.

    `configured` maps a role (`drafts`, `sent`, `trash`) to a mailbox name; empty names count as not configured.

    Raises: FolderMissing for a configured mailbox that is not there, for a role that several mailboxes could have,
    and for an account without Drafts.
    """
    drafts = _find("drafts", folders, configured)
    if drafts is None:
        raise FolderMissing("drafts")
    return Located(
        drafts=drafts,
        sent=_find("sent", folders, configured),
        trash=_find("trash", folders, configured),
        all_mail=_find("all_mail", folders, configured),
    )


def spell(name: str, folders: Sequence[Folder]) -> str:
    """A mailbox name as this server wants it, from the name staff write: `Responder/在庫切れ`.

    `/` becomes the server's separator, and where personal mailboxes live below a prefix (`INBOX.` at Courier and
    cPanel), so does this. A name the server already lists is returned as it is.
    """
    if name.upper() == "INBOX" or any(name == folder.name for folder in folders):
        return name
    separator = next((folder.separator for folder in folders if folder.separator), "")
    prefix = next((folder.prefix for folder in folders if folder.prefix), "") or _common_prefix(folders, separator)
    spelled = name.replace("/", separator) if separator else name
    return spelled if spelled.casefold().startswith(prefix.casefold()) else prefix + spelled


def _common_prefix(folders: Sequence[Folder], separator: str) -> str:
    """`INBOX.` if everything else lies below INBOX: a server without NAMESPACE tells its prefix only so."""
    others = [folder.name for folder in folders if folder.name.upper() != "INBOX"]
    prefix = f"INBOX{separator}"
    return prefix if separator and others and all(name.upper().startswith(prefix) for name in others) else ""


def _find(role: Role, folders: Sequence[Folder], configured: Mapping[str, str]) -> str | None:
    selectable = [folder for folder in folders if folder.selectable]
    attribute, names = _known()[role]
    by_use = tuple(folder.name for folder in selectable if attribute in folder.special_use)
    by_name = tuple(folder.name for folder in selectable if _last_part(folder) in names)
    wanted = configured.get(role, "")
    if wanted:
        spelled = spell(wanted, folders)
        for folder in selectable:
            if folder.name in (wanted, spelled):
                return folder.name
        raise FolderMissing(role, by_use or by_name)
    candidates = by_use or by_name
    if len(candidates) > 1:
        raise FolderMissing(role, candidates)
    return candidates[0] if candidates else None


def _last_part(folder: Folder) -> str:
    """The part of a name that may tell its role, or an empty string for one that lies too deep."""
    above, separator, last = folder.name.rpartition(folder.separator) if folder.separator else ("", "", folder.name)
    return "" if separator and above.casefold() not in _NEAR_THE_TOP else _folded(last)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


@functools.cache
def _known() -> Mapping[str, tuple[str, frozenset[str]]]:
    text = importlib.resources.files("responder.data").joinpath("folders.toml").read_text(encoding="utf-8")
    return {
        role: (str(entry["special_use"]), frozenset(_folded(name) for name in entry["names"]))
        for role, entry in tomli.loads(text).items()
    }
