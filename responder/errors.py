"""Every error class of responder, on one page.

The shell asks one question of an error: try later, stop, or ask a person? The class is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass


class ResponderError(Exception):
    """Root of all errors that responder raises on purpose."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing in a file that the shop must edit.

    `file` is the path as the user knows it; `line` is 1-based, 0 where a line makes no sense; `key` is dotted
    (`account[0].imap.tls`, `rule[3].when.asks`); `rule` is the rule's id where the mistake lies in a rule.
    `code` names the text in `data/messages`, `args` fill it; `suggestion` is the nearest right word, or None.
    """

    file: str
    line: int
    key: str
    code: str
    args: tuple[tuple[str, str], ...] = ()
    suggestion: str | None = None
    rule: str | None = None


class ConfigError(ResponderError):
    """The shop must edit a file. Carries every mistake found, not only the first."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(f"{m.file}:{m.line}: {m.key}: {m.code}" for m in mistakes))


class MessageError(ResponderError):
    """This mail cannot be read: hold it, go on with the next."""


class TemporaryError(ResponderError):
    """Nothing happened; the same step may be tried later."""


class ConnectionLost(TemporaryError):
    """The server went away or never answered in time; reconnect and scan again."""


class OrdersUnavailable(TemporaryError):
    """The order source gives no answer now; the last good data stays in use where there is any."""


class PermanentError(ResponderError):
    """Trying the same again cannot help; a person must change something."""


class LoginRefused(PermanentError):
    """The server refused the credentials (IMAP NO to LOGIN, SMTP 535)."""


class CertificateRefused(PermanentError):
    """The server's certificate does not verify, or TLS was asked for and not offered."""


class FolderMissing(PermanentError):
    """A mailbox that the account needs is not there, or several could be it.

    `role` is drafts, sent, trash or a watched name; `candidates` are the mailboxes that could be meant.
    """

    def __init__(self, role: str, candidates: tuple[str, ...] = ()) -> None:
        self.role = role
        self.candidates = candidates
        super().__init__(f"mailbox for {role}: {', '.join(candidates) or 'none found'}")


class CommandRefused(PermanentError):
    """The server answered NO or BAD to one IMAP command; the connection itself is well.

    `code` is the response code without brackets (`OVERQUOTA`, `TRYCREATE`), upper case, or an empty string.
    """

    def __init__(self, command: str, code: str = "", text: str = "") -> None:
        self.command = command
        self.code = code
        self.text = text
        super().__init__(f"{command}: [{code}] {text}" if code else f"{command}: {text}")


class UncertainError(ResponderError):
    """It may have happened; a person decides."""
