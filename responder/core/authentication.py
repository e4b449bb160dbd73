"""Whether the receiving server vouches for the address in From (RFC 8601), for mails that ask for order data.

Believed is one field only: the topmost Authentication-Results of the configured authserv-id; what stands below it
came with the mail. Comments, quoted strings and whatever a sender may smuggle into a value decide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from responder.model import Message

MICROSOFT_365 = "microsoft365"
_MOST_CHARS = 32_000
_MOST_RESULTS = 100


@dataclass(frozen=True, slots=True)
class Result:
    """One method's result; `properties` by `type.name` (`header.d`), lower case, the first of each name."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()

    def property(self, name: str) -> str:
        """The value of a property, or an empty string."""
        return next((value for key, value in self.properties if key == name), "")


@dataclass(frozen=True, slots=True)
class Results:
    """One Authentication-Results field. `authserv_id` is empty where the server left it out (Microsoft 365)."""

    authserv_id: str
    results: tuple[Result, ...]


def is_aligned(message: Message, authserv_id: str) -> bool:
    """True if the server `authserv_id` says that the mail passed and that what passed belongs to the From domain.

    Microsoft 365 writes no authserv-id: with `authserv_id` "microsoft365" (or its host name below
    protection.outlook.com) its topmost field counts, since it renames the fields that came with the mail.
    """
    if message.sender is None or "two_from" in message.problems:
        return False
    domain = _domain(message.sender.mail)
    field = _trusted_field(message.headers.get("authentication-results", ()), authserv_id)
    if field is None or not domain:
        return False
    dmarc = [result for result in field.results if result.method == "dmarc"]
    if any(result.result == "fail" for result in dmarc):
        return False
    if any(result.result == "pass" for result in dmarc):
        named = [_domain(result.property("header.from")) for result in dmarc if result.result == "pass"]
        return all(name in ("", domain) for name in named)
    return any(_vouches(result, domain) for result in field.results)


def parse(value: str) -> Results | None:
    """The field's results, or None if it cannot be read to its end.

    Stands what servers really write: no authserv-id, `action=none` without a property type, odd spacing. `value`
    must be unfolded but not decoded: an encoded word has no business in this field.
    """
    if len(value) > _MOST_CHARS or "=?" in value:
        return None
    groups = _groups(value)
    if groups is None or not groups[0]:
        return None
    authserv_id = ""
    if not groups[0][0].is_pair:
        authserv_id = groups[0][0].name.casefold()
        groups = groups[1:]
    found: list[Result] = []
    for words in groups[:_MOST_RESULTS]:
        if not words or (len(words) == 1 and words[0].name.casefold() == "none"):
            continue
        if not words[0].is_pair:
            return None
        properties = tuple((word.name.casefold(), word.value) for word in words[1:] if word.is_pair)
        method = words[0].name.partition("/")[0].casefold()
        found.append(Result(method, words[0].value.casefold(), properties))
    return Results(authserv_id, tuple(found))


def _trusted_field(values: tuple[str, ...], authserv_id: str) -> Results | None:
    wanted = authserv_id.strip().casefold()
    microsoft = wanted == MICROSOFT_365 or wanted.endswith("protection.outlook.com")
    for index, value in enumerate(values):
        results = parse(value)
        if results is None:
            # Unreadable: whoever's it is, nothing below the topmost field of our server may be taken for it.
            if wanted in value[:1_000].casefold():
                return None
            continue
        if results.authserv_id == wanted or (microsoft and index == 0 and not results.authserv_id):
            return results
    return None


def _vouches(result: Result, domain: str) -> bool:
    """True for a pass whose domain is the From domain or one above it (its owner signs for all below)."""
    if result.result != "pass":
        return False
    match result.method:
        case "dkim":
            signer = _domain(result.property("header.d")) or _domain(result.property("header.i"))
        case "spf":
            signer = _domain(result.property("smtp.mailfrom"))
        case _:
            return False
    return "." in signer and (domain == signer or domain.endswith("." + signer))


def _domain(value: str) -> str:
    """The domain of an address or a bare domain, in lower-case A-labels; empty if it is none."""
    domain = value.rpartition("@")[2].strip("<>. ").lower()
    if domain.isascii():
        return domain if not domain or all(char.isalnum() or char in ".-_" for char in domain) else ""
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


@dataclass(slots=True)
class _Word:
    """A run of characters without space; `is_pair` once an equals sign outside quotes was met."""

    name: str = ""
    value: str = ""
    is_pair: bool = False
    was_quoted: bool = False

    def add(self, text: str) -> None:
        if self.is_pair:
            self.value += text
        else:
            self.name += text

    @property
    def is_empty(self) -> bool:
        return not (self.name or self.value or self.is_pair or self.was_quoted)


def _groups(value: str) -> list[list[_Word]] | None:
    """The words between semicolons, without comments; None if a comment or a quoted string never ends."""
    groups: list[list[_Word]] = [[]]
    word = _Word()
    at, end = 0, len(value)
    while at < end:
        char = value[at]
        at += 1
        if char == "(":
            at = _behind_comment(value, at)
            if at < 0:
                return None
            char = " "
        if char == '"':
            text, at = _quoted(value, at)
            if at < 0:
                return None
            word.was_quoted = True
            word.add(text)
        elif char == ")":
            return None
        elif char == ";":
            _close(groups[-1], word)
            word = _Word()
            groups.append([])
        elif char.isspace():
            _close(groups[-1], word)
            word = _Word()
        elif char == "=" and not word.is_pair:
            word.is_pair = True
        else:
            word.add(char)
    _close(groups[-1], word)
    return groups


def _close(words: list[_Word], word: _Word) -> None:
    """Puts a finished word into its group; `dkim = pass` in three pieces becomes one pair."""
    if word.is_empty:
        return
    last = words[-1] if words else None
    if last is not None and last.is_pair and not last.value and not last.was_quoted and not word.is_pair:
        last.value = word.name
    elif last is not None and not last.is_pair and word.is_pair and not word.name:
        last.is_pair, last.value = True, word.value
    else:
        words.append(word)


def _behind_comment(value: str, at: int) -> int:
    depth = 1
    while at < len(value):
        char = value[at]
        if char == "\\":
            at += 1
        elif char in "()":
            depth += 1 if char == "(" else -1
        at += 1
        if depth == 0:
            return at
    return -1


def _quoted(value: str, at: int) -> tuple[str, int]:
    text: list[str] = []
    while at < len(value):
        if value[at] == '"':
            return "".join(text), at + 1
        if value[at] == "\\":
            at += 1
        text.append(value[at : at + 1])
        at += 1
    return "", -1
