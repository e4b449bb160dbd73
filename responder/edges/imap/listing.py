"""The list of an account's mailboxes, in whatever spelling the server has them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from imapclient.imap_utf7 import decode as decode_utf7
from imapclient.imap_utf7 import encode as encode_utf7
from imapclient.response_parser import parse_response

from responder.edges.imap.answers import as_text
from responder.edges.imap.values import Folder
from responder.edges.imap.wire import Wire
from responder.errors import CommandRefused

_SPECIAL_USE = frozenset({"\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash", "\\Important"})


def list_folders(wire: Wire, capabilities: Collection[str]) -> tuple[Folder, ...]:
    """All mailboxes in the server's order; one whose line cannot be read is left out."""
    prefix = _personal_prefix(wire) if "NAMESPACE" in capabilities else ""
    try:
        if not {"SPECIAL-USE", "LIST-EXTENDED"} <= set(capabilities):
            raise CommandRefused("LIST")
        wire.ask("LIST", '""', '"*"', "RETURN", "(SPECIAL-USE)", command="LIST")
    except CommandRefused:
        wire.ask("LIST", '""', '"*"')
    found: dict[str, Folder] = {}
    for line in wire.took("LIST"):
        folder = _folder(wire, line, prefix) if line != b"" else None
        if folder is not None:
            found.setdefault(folder.name, folder)
    return tuple(found.values())


def _folder(wire: Wire, line: Any, prefix: str) -> Folder | None:
    try:
        flags, separator, raw = parse_response([line])
        marks = frozenset(as_text(flag).casefold() for flag in flags)
    except Exception:  # imapclient's parser raises what it likes; one odd mailbox must not hide the others
        return None
    spelled = raw if isinstance(raw, bytes) else b"NIL" if raw is None else str(raw).encode("ascii")
    try:
        name = decode_utf7(spelled) if spelled.isascii() else spelled.decode("utf-8")
    except ValueError:
        name = spelled.decode("latin-1")
    if encode_utf7(name) != spelled:
        wire.raw_names[name] = spelled
    return Folder(
        name="INBOX" if name.upper() == "INBOX" else name,
        special_use=frozenset(use for use in _SPECIAL_USE if use.casefold() in marks),
        selectable=not marks & {"\\noselect", "\\nonexistent"},
        separator=as_text(separator) if separator is not None else "",
        prefix=prefix,
    )


def _personal_prefix(wire: Wire) -> str:
    """What the names of personal mailboxes begin with (RFC 2342), or nothing if the server does not tell."""
    try:
        wire.ask("NAMESPACE")
    except CommandRefused:
        return ""
    try:
        personal = parse_response(wire.took("NAMESPACE"))[0]
        return str(decode_utf7(personal[0][0]))
    except Exception:  # imapclient's parser raises what it likes, and no prefix is a good guess
        return ""
