"""What an IMAP server tells about its mailboxes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folder:
    """One mailbox of the list. `special_use` holds RFC 6154 attributes as `\\Drafts`, `\\Sent`; `selectable` is
    False for a mere node of the tree. `separator` is empty on a server without hierarchy; `prefix` is what every
    personal mailbox but INBOX begins with (RFC 2342), where the server tells."""

    name: str
    special_use: frozenset[str] = frozenset()
    selectable: bool = True
    separator: str = "/"
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Selected:
    """A mailbox at the moment it was opened. `highestmodseq` is None without CONDSTORE (RFC 7162);
    `keywords_allowed` tells whether new keywords stay (`\\*` in PERMANENTFLAGS)."""

    mailbox: str
    readonly: bool
    uidvalidity: int
    uidnext: int
    exists: int
    highestmodseq: int | None
    keywords_allowed: bool
    permanent_flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Status:
    """A mailbox seen from outside; two equal values mean that nothing arrived, left or was read in between.

    With CONDSTORE (`highestmodseq` not None) equality means that no flag changed either.
    """

    uidvalidity: int
    uidnext: int
    messages: int
    unseen: int
    highestmodseq: int | None
