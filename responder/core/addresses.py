"""Mailboxes as RFC 5322 3.4 writes them, read strictly: in doubt a defect is named, never a guess made.

An own parser, because whoever answers a mail must not be led to another address than the one staff see
(`alice@x(<bob@y>`, two mailboxes in one, encoded words inside an address). One pass over the text, nothing raises.
"""

from __future__ import annotations

import re
from functools import lru_cache

from responder.core import charsets
from responder.model import Address

MAX_VALUE = 65_536
MAX_MAILBOXES = 200
MAX_NAME = 200

# Line breaks first, so that what they separated stays apart; then everything that is invisible or turns text round:
# C0, C1, soft hyphen, zero-width, bidi, line separators, invisible operators, BOM, interlinear, tags, surrogates.
_BREAKS = re.compile(r"[ \t]*(?:\r\n?|[\n\v\f\x1c-\x1e\x85\u2028\u2029])[ \t]*|\t")
_FORMAT = (
    "\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f\ud800-\udfff"
)
_UNSEEN = re.compile(f"[\x00-\x1f{_FORMAT}]")
_UNSEEN_IN_TEXT = re.compile(f"[\x00-\x08\x0b-\x1f{_FORMAT}]")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ID = re.compile(r"<[!-;=?-~]{1,250}>")

_PLAIN = r"(?P<space>[ \t]+)|(?P<literal>\[[^\[\]\\]{0,255}\])|(?P<atom>[^\s()<>\[\]:;@\\,.\"]+)|(?P<special>.)"
_TOKEN = re.compile(
    r'(?P<word>=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]{0,2000}\?=)|(?P<quoted>"(?:[^"\\]|\\.)*")|' + _PLAIN, re.DOTALL
)
_TOKEN_UNQUOTED = re.compile(_PLAIN, re.DOTALL)  # once a quote was found open: trying it again would be quadratic
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# Dots may stand anywhere: Japanese phone providers gave out `name..@` and `.name@` for years.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
# What nearly all mail says; anything else takes the long way.
_SIMPLE = re.compile(
    r'[ \t]*(?:"([^"\\]{0,500})"|([^"<>@,;:()\[\]\\.]{0,500}))[ \t]*'
    r"<([A-Za-z0-9!#$%&'*+/?^_`{|}~.-]{1,64})@([A-Za-z0-9.-]{1,253})>[ \t]*"
    r"|([A-Za-z0-9!#$%&'*+/?^_`{|}~.-]{1,64})@([A-Za-z0-9.-]{1,253})"
)
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")

Token = tuple[str, str]


def clean(text: str) -> str:
    """One line of visible text: line breaks and tabs become a space, invisible and direction marks go."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return _UNSEEN.sub("", _BREAKS.sub(" ", text)).strip()


def clean_lines(text: str) -> str:
    """The text without invisible and direction marks, its lines ended by `\\n`; tabs stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _UNSEEN_IN_TEXT.sub("", text)


def well_formed_id(value: str) -> bool:
    """True for a Message-ID that may be copied into a header or an IMAP search."""
    return _ID.fullmatch(value) is not None


def ids_in(value: str) -> tuple[str, ...]:
    """Every well-formed id of an In-Reply-To, References or Message-ID value, in order, each once."""
    return tuple(dict.fromkeys(_ID.findall(value)))


def parse_mailboxes(value: str) -> tuple[tuple[Address, ...], tuple[str, ...]]:
    """The mailboxes of an address header and the names of its defects.

    `value` is unfolded and still holds its encoded words (RFC 2047); they are read in display names only. A value
    without defects is exactly a comma-separated list of mailboxes. With defects, the addresses are what could be
    read and good for showing, not for deciding.
    """
    simple = _SIMPLE.fullmatch(value)
    if simple and not _CONTROL.search(value):
        quoted, plain, local, domain, bare_local, bare_domain = simple.groups()
        if written := ascii_domain(domain or bare_domain):
            return (Address(_name(quoted or plain or ""), f"{local or bare_local}@{written}"),), ()
    defects: list[str] = []
    if len(value) > MAX_VALUE:
        value = value[:MAX_VALUE]
        defects.append("too_long")
    if _CONTROL.search(value):
        value = _CONTROL.sub("", value)
        defects.append("control_character")
    found: list[Address] = []
    for entry in _entries(_tokens(value, defects), defects):
        address = _mailbox(entry, defects)
        if address is not None:
            found.append(address)
        if len(found) >= MAX_MAILBOXES:
            defects.append("too_many")
            break
    return tuple(found), tuple(dict.fromkeys(defects))


@lru_cache(maxsize=500)
def ascii_domain(domain: str) -> str | None:
    """The domain in lower-case A-labels (RFC 5890), or None where it is none or holds a letter nobody sees."""
    if not 0 < len(domain) <= 253 or (not domain.isascii() and _UNSEEN.search(domain)):
        return None
    labels = []
    for label in domain.split("."):
        if not label.isascii():
            try:
                label = label.encode("idna").decode("ascii")
            except (UnicodeError, IndexError):
                return None
        if not _LABEL.fullmatch(label):
            return None
        labels.append(label.lower())
    return ".".join(labels)


def _tokens(value: str, defects: list[str]) -> list[Token]:
    """The value cut into tokens; a comment, however nested, is one token."""
    tokens: list[Token] = []
    pattern = _TOKEN
    position, end = 0, len(value)
    while position < end:
        found = pattern.match(value, position)
        if found is None:  # cannot be: `special` takes anything
            break
        position = found.end()
        if found.group() == "(":
            begin, position, closed = found.end(), *_comment_end(value, found.end())
            tokens.append(("comment", value[begin : position - closed]))
            if not closed:
                defects.append("open_comment")
        elif found.group() == '"':
            pattern = _TOKEN_UNQUOTED
            defects.append("open_quote")
        else:
            tokens.append((str(found.lastgroup), found.group()))
    return tokens


def _comment_end(value: str, position: int) -> tuple[int, bool]:
    """Where the comment that began before `position` ends, and whether it is closed at all."""
    depth = 1
    while position < len(value):
        match value[position]:
            case "\\":
                position += 1
            case "(":
                depth += 1
            case ")":
                depth -= 1
        position += 1
        if not depth:
            return position, True
    return len(value), False


def _entries(tokens: list[Token], defects: list[str]) -> list[list[Token]]:
    """The tokens of each mailbox. Groups are opened up and named as a defect."""
    entries: list[list[Token]] = [[]]
    in_angle = False
    for token in tokens:
        match token:
            case ("special", "<" | ">" as bracket):
                in_angle = bracket == "<"
                entries[-1].append(token)
            case ("special", ",") if not in_angle:
                entries.append([])
            case ("special", ":") if not in_angle:
                defects.append("group")
                entries[-1] = []
            case ("special", ";") if not in_angle:
                defects.append("group")
                entries.append([])
            case _:
                entries[-1].append(token)
    filled = [entry for entry in entries if any(kind not in ("space", "comment") for kind, _ in entry)]
    if "group" not in defects and len(filled) < len(entries) and tokens:
        defects.append("empty_entry" if filled else "no_address")
    return filled


def _mailbox(entry: list[Token], defects: list[str]) -> Address | None:
    """One mailbox: `name <addr>`, `addr` or `addr (name)`."""
    opens = [at for at, token in enumerate(entry) if token == ("special", "<")]
    if not opens:
        comments = [text for kind, text in entry if kind == "comment"]
        mail = _addr_spec(entry, defects)
        return None if mail is None else Address(_name(comments[0]) if comments else "", mail)
    begin = opens[-1]
    closes = [at for at, token in enumerate(entry) if token == ("special", ">")]
    if len(opens) != 1 or len(closes) != 1 or closes[0] < begin:
        defects.append("brackets")
        return None
    if any(kind not in ("space", "comment") for kind, _ in entry[closes[0] + 1 :]):
        defects.append("text_after_address")
    mail = _addr_spec(entry[begin + 1 : closes[0]], defects)
    if mail is None:
        return None
    phrase = "".join(_unquoted(text) if kind == "quoted" else text for kind, text in entry[:begin] if kind != "comment")
    if ("special", "@") in entry[:begin] and phrase.strip().casefold() != mail.casefold():
        defects.append("two_addresses")
    return Address(_name(phrase), mail)


def _addr_spec(tokens: list[Token], defects: list[str]) -> str | None:
    """The addr-spec in its one canonical spelling, or None with a defect."""
    solid = [at for at, (kind, _) in enumerate(tokens) if kind not in ("space", "comment")]
    tokens = tokens[solid[0] : solid[-1] + 1] if solid else []
    if tokens and tokens[0] == ("special", "@") and ("special", ":") in tokens:
        defects.append("route")
        tokens = tokens[tokens.index(("special", ":")) + 1 :]
    ats = tokens.count(("special", "@"))
    if ats != 1:
        defects.append("two_at" if ats else "no_address")
        return None
    middle = tokens.index(("special", "@"))
    kinds = {kind for kind, _ in tokens}
    if kinds & {"space", "comment"}:
        defects.append("space_in_address")
        return None
    local = _local_part(tokens[:middle], defects)
    domain = _domain(tokens[middle + 1 :], defects)
    return f"{local}@{domain}" if local and domain else None


def _local_part(tokens: list[Token], defects: list[str]) -> str | None:
    match tokens:
        case [("quoted", text)]:
            plain = _unquoted(text)
            if _LOCAL.fullmatch(plain):
                return plain
            defects.append("quoted_local")
            return None
    text = "".join(text for _, text in tokens)
    if any(kind == "word" for kind, _ in tokens) or "=?" in text:
        defects.append("encoded_address")
        return None
    if not _LOCAL.fullmatch(text):
        defects.append("bad_local" if text.isascii() else "non_ascii_local")
        return None
    return text


def _domain(tokens: list[Token], defects: list[str]) -> str | None:
    match tokens:
        case [("literal", _)]:
            defects.append("domain_literal")
            return None
    domain = ascii_domain("".join(text for _, text in tokens))
    if domain is None or any(kind not in ("atom", "special") for kind, _ in tokens):
        defects.append("bad_domain")
        return None
    return domain


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(r"\1", text[1:-1])


def _name(text: str) -> str:
    """A display name as people read it."""
    name = clean(charsets.decode_words(text))
    if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
        name = name[1:-1].strip()
    return name[:MAX_NAME]
