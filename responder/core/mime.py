"""Bytes of a mail to a Message: headers, the text people see, what of it is new.

Own and small instead of the standard library's parser: that one recurses per nested part (10,000 levels end in
RecursionError), raises on some malformed headers and costs more than everything else here together. What it leaves
behind is checked by capping sizes, nesting, parts and headers: beyond a cap a problem is named and reading stops,
never slow, never an exception but MessageError for what is no mail at all.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from responder.core import html
from responder.core.addresses import clean, clean_lines, ids_in, parse_mailboxes
from responder.core.charsets import decode, decode_words, header_text, unbase64
from responder.core.language import guess
from responder.core.newtext import split
from responder.errors import MessageError
from responder.model import Address, Attachment, Language, Message

MAX_MAIL = 30_000_000
MAX_TEXT = 1_000_000
MAX_HEADERS = 1_000
MAX_HEADER_BYTES = 256_000
MAX_DEPTH = 50
MAX_PARTS = 500
MAX_IDS = 100
MAX_SUBJECT = 1_000

# One field: its name, and its value over all folded lines. A line that starts with an encoded word continues the one
# above, though the program forgot to indent it.
_FIELD = re.compile(rb"([A-Za-z0-9][!-9;-~]{0,200})[ \t]*:[ \t]*([^\n]*(?:\n(?:[ \t]|=\?)[^\n]*)*)(?:\n|\Z)")
_JUNK_LINE = re.compile(rb"[^\n]*(?:\n|\Z)")
_MBOX_LINE = re.compile(rb">?From [^\n]*\n")
_FOLD = re.compile(r"\r?\n[ \t]*")
_PARAM_NAME = re.compile(r";\s*([!-'*+\-./0-9A-Z^_`a-z{|}~]{1,80})\s*=\s*")
_QUOTED_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE_VALUE = re.compile(r'[^;"]*')
_SECTION = re.compile(r"(.{1,70}?)(?:\*(\d{1,3}))?(\*)?")
_GUESSED_BOUNDARY = re.compile(rb"(?:\A|\n)--([^\s][^\n]{0,100}?)[ \t]*\r?\ncontent-", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_ONLY_HTML = re.compile(
    r"html.{0,80}(?:mail|message|client|viewer|browser|メール|ソフト|表示|対応|邮件|郵件)"
    r"|(?:mail|message|client|メール|邮件|郵件).{0,80}html",
    re.IGNORECASE | re.DOTALL,
)
_BASE64_BLOCK = re.compile(rb"[A-Za-z0-9+/=\s]*")
_HTML_LIKE = re.compile(r"\s*<(?:!doctype|html|head|body|meta)\b", re.IGNORECASE)

_ATTACHED_TEXT = frozenset({"text/calendar", "text/csv", "text/vcard", "text/x-vcard", "text/directory", "text/xml"})
_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status", "message/disposition-notification"})
_ENCLOSED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"})
_TELLING = ("from", "to", "date", "subject", "message-id", "in-reply-to", "references")


def read(raw: bytes, *, size_bytes: int | None = None, default_language: Language = "ja") -> Message:
    """The mail as a value.

    `raw` may be only the first bytes of a mail of `size_bytes`; `truncated` is a problem only if the text itself was
    cut. `form` stays empty. The language is that of the new text, else of the subject, else `default_language`.

    Raises:
        MessageError: there is no header at all.
    """
    size_bytes = len(raw) if size_bytes is None else size_bytes
    problems: list[str] = []
    if len(raw) > MAX_MAIL:
        raw = raw[:MAX_MAIL]
        problems.append("too_big")
    is_cut = size_bytes > len(raw)
    fields, body_at = _fields(raw, problems)
    if not fields:
        raise MessageError("no header")
    headers = _decoded(fields)
    reading = _Reading(raw, problems)
    reading.walk(_part_of(fields, body_at, len(raw)), depth=0)
    text, quoted_below = reading.finish(is_cut=is_cut)
    parts = split(text)
    new_text = parts.new
    quoted = "\n\n".join(each for each in (parts.quoted, quoted_below) if each)

    sender = _sender(fields, problems)
    reply_to = _addresses(fields, b"reply-to", problems, "bad_reply_to")
    subject = clean(headers["subject"][0])[:MAX_SUBJECT] if "subject" in headers else ""
    message_id = _only_id(_first(fields, b"message-id"))
    date = _date(headers.get("date", ("",))[0])
    is_reply = subject[:4].casefold().startswith(("re:", "re：", "fw", "回复", "回覆", "答复"))
    shown = new_text or ("" if is_reply else subject) or text[:500] or subject
    return Message(
        message_id=message_id,
        in_reply_to=ids_in(_first(fields, b"in-reply-to"))[:MAX_IDS],
        references=_references(_first(fields, b"references")),
        sender=sender,
        reply_to=reply_to,
        to=_addresses(fields, b"to"),
        cc=_addresses(fields, b"cc"),
        return_path=_return_path(fields),
        subject=subject,
        date=date,
        headers=headers,
        text=text,
        new_text=new_text,
        quoted_text=quoted,
        signature=parts.signature,
        attachments=tuple(reading.attachments),
        content_sha256=_content_hash(headers, text),
        size_bytes=size_bytes,
        language=guess(shown, default_language),
        problems=tuple(dict.fromkeys(problems)),
    )


def header_block(raw: bytes) -> Mapping[str, tuple[str, ...]]:
    """Only the headers: lower-case names to decoded, unfolded values, topmost first. Cheap; nothing raises."""
    return _decoded(_fields(raw, [])[0])


def combine(messages: Sequence[Message]) -> Message:
    """Several unanswered mails of one case, oldest first, as one: the newest's headers, all new texts.

    Raises:
        ValueError: there is no mail.
    """
    if not messages:
        raise ValueError("nothing to combine")
    newest = messages[-1]
    if len(messages) == 1:
        return newest
    new_text = _paragraphs(message.new_text for message in messages)
    form: dict[str, str] = {}
    for message in messages:
        form.update({label: value for label, value in message.form.items() if value})
    return replace(
        newest,
        new_text=new_text[-MAX_TEXT:],
        text=_paragraphs(message.text for message in messages)[-MAX_TEXT:],
        attachments=tuple(attachment for message in messages for attachment in message.attachments),
        language=newest.language if newest.new_text.strip() else guess(new_text, newest.language),
        problems=tuple(dict.fromkeys(problem for message in messages for problem in message.problems)),
        form=form,
    )


def _paragraphs(texts: Iterable[str]) -> str:
    return "\n\n".join(text for text in texts if text.strip())


# --- headers ---------------------------------------------------------------------------------------------------------

Fields = list[tuple[bytes, bytes]]  # lower-case name, raw value with its folds


def _fields(raw: bytes, problems: list[str], begin: int = 0, end: int | None = None) -> tuple[Fields, int]:
    """The header fields from `begin` on and where the body begins."""
    end = len(raw) if end is None else end
    at = begin
    if begin == 0:
        at += 3 if raw.startswith(b"\xef\xbb\xbf") else 0
        while raw[at : at + 1] in (b"\r", b"\n", b" ", b"\t"):
            at += 1
        if found := _MBOX_LINE.match(raw, at):
            at = found.end()
    limit = min(end, at + MAX_HEADER_BYTES)
    fields: Fields = []
    junk = 0
    while at < limit:
        found = _FIELD.match(raw, at, limit)
        if found:
            if len(fields) < MAX_HEADERS:
                fields.append((found.group(1).lower(), found.group(2)))
            else:
                problems.append("too_many_headers")
            at = found.end()
            continue
        line = _JUNK_LINE.match(raw, at, limit)
        line_end = line.end() if line else limit
        if not raw[at:line_end].strip(b"\r\n"):
            return fields, line_end
        junk += 1
        if junk > 20 or not _FIELD.match(raw, line_end, limit):  # the blank line is missing: this is the body
            problems.append("broken_header")
            return fields, at
        at = line_end
    if limit < end:
        problems.append("too_many_headers")
        after = raw.find(b"\n\n", limit, end)
        after = raw.find(b"\r\n\r\n", limit, end) + 2 if after == -1 else after
        return fields, after + 2 if after > limit else end
    return fields, end


def _decoded(fields: Fields) -> dict[str, tuple[str, ...]]:
    """Names to values as people read them."""
    headers: dict[str, tuple[str, ...]] = {}
    for name, raw in fields:
        key = name.decode("ascii")
        value = raw.strip().decode("ascii") if raw.isascii() and b"\x1b" not in raw else header_text(raw.strip())
        if "\n" in value:
            value = _FOLD.sub(" ", value)
        if "=?" in value and key != "authentication-results":  # What it means must not depend on a sender's encoding.
            value = decode_words(value)
        if not (value.isascii() and value.isprintable()):
            value = clean(value)
        headers[key] = (*headers[key], value) if key in headers else (value,)
    return headers


def _values(fields: Fields, name: bytes) -> list[str]:
    """The values of a field, unfolded, their encoded words still in place."""
    return [_FOLD.sub(" ", header_text(raw.strip())) for key, raw in fields if key == name]


def _first(fields: Fields, name: bytes) -> str:
    return next(iter(_values(fields, name)), "")


def _sender(fields: Fields, problems: list[str]) -> Address | None:
    """Who the mail says it is from, or None with a problem unless that is exactly one mailbox without defects."""
    values = _values(fields, b"from")
    if len(values) != 1:
        problems.append("two_from" if values else "no_from")
    found = {}
    for value in values[:5]:
        addresses, defects = parse_mailboxes(value)
        if defects or len(addresses) != 1:
            problems.append("bad_from")
            return None
        found[addresses[0].key] = addresses[0]
    return next(iter(found.values())) if len(found) == 1 else None


def _addresses(fields: Fields, name: bytes, problems: list[str] | None = None, code: str = "") -> tuple[Address, ...]:
    found: list[Address] = []
    for value in _values(fields, name)[:20]:
        addresses, defects = parse_mailboxes(value)
        found.extend(addresses)
        if defects and problems is not None:
            problems.append(code)
    return tuple(found)


def _return_path(fields: Fields) -> str | None:
    """The topmost Return-Path: "" for the null path, None where there is none."""
    values = _values(fields, b"return-path")
    if not values:
        return None
    addresses, _ = parse_mailboxes(values[0])
    return addresses[0].mail if addresses else clean(values[0]).strip("<> ")


def _only_id(value: str) -> str | None:
    ids = ids_in(value)
    return ids[0] if len(ids) == 1 and ids[0] == value.strip() else None


def _references(value: str) -> tuple[str, ...]:
    """The first and the newest ids of a thread."""
    ids = ids_in(value)
    return ids if len(ids) <= MAX_IDS else (ids[0], *ids[1 - MAX_IDS :])


def _date(value: str) -> datetime | None:
    if not value or len(value) > 200:
        return None
    try:
        date = parsedate_to_datetime(value)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _content_hash(headers: Mapping[str, tuple[str, ...]], text: str) -> str:
    """Equal for the same mail delivered twice. Of the text its first 8,192 characters: a mail fetched in part and
    one fetched whole are the same mail."""
    parts = [headers.get(name, ("",))[0] for name in ("from", "date", "subject", "message-id")]
    return hashlib.sha256("\0".join([*parts, text[:8192]]).encode("utf-8", "replace")).hexdigest()


# --- parts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """One MIME part; its body is `raw[begin:end]` of the mail."""

    content_type: str
    params: Mapping[str, str]
    disposition: str
    name: str
    encoding: str
    begin: int
    end: int


def _part_of(fields: Fields, begin: int, end: int, default_type: str = "text/plain") -> _Part:
    content_type, params = _parameters(_first(fields, b"content-type")[:8000])
    disposition, more = _parameters(_first(fields, b"content-disposition")[:8000])
    encoding = _first(fields, b"content-transfer-encoding").split(";")[0].strip().strip('"').lower()
    name = clean(more.get("filename") or params.get("name") or "").replace("\\", "/").rpartition("/")[2][:200]
    if "/" not in content_type:
        content_type = "text/plain" if content_type in ("text", "plain") else default_type
    return _Part(content_type, params, disposition, name, encoding, begin, end)


def _parameters(value: str) -> tuple[str, dict[str, str]]:
    """The lower-case value of a structured header and its parameters, continued and encoded ones put together
    (RFC 2231) and, as many programs write them, encoded words read."""
    main = value.partition(";")[0].strip().lower()
    plain: dict[str, str] = {}
    sections: dict[str, list[tuple[int, bool, str]]] = {}
    at = value.find(";")
    while at != -1 and len(plain) + len(sections) < 100:
        named = _PARAM_NAME.match(value, at)
        if not named:
            at = value.find(";", at + 1)
            continue
        quoted = _QUOTED_VALUE.match(value, named.end())
        bare = None if quoted else _BARE_VALUE.match(value, named.end())
        text = re.sub(r"\\(.)", r"\1", quoted.group(1)) if quoted else bare.group().strip() if bare else ""
        section = _SECTION.fullmatch(named.group(1).lower())
        if section and (section.group(2) or section.group(3)):
            entry = (int(section.group(2) or 0), bool(section.group(3)), text)
            sections.setdefault(section.group(1), []).append(entry)
        else:
            plain.setdefault(named.group(1).lower(), decode_words(text))
        at = value.find(";", quoted.end() if quoted else named.end())
    for key, found in sections.items():
        plain[key] = _joined_sections(sorted(found))
    return main, plain


def _joined_sections(sections: list[tuple[int, bool, str]]) -> str:
    charset = ""
    data = b""
    for number, (_, is_encoded, text) in enumerate(sections):
        if is_encoded and number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if is_encoded else text.encode("utf-8", "replace")
    return decode(data, charset)[0]


@dataclass(slots=True)
class _Reading:
    """What is gathered on the way through the parts of one mail."""

    raw: bytes
    problems: list[str]
    texts: list[str] = field(default_factory=list)
    spare: list[str] = field(default_factory=list)  # text in files: the mail's text only if there is no other
    quoted: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    parts: int = 0
    ends_in_text: bool = False

    def walk(self, part: _Part, depth: int, *, wants_text: bool = True) -> None:
        """Reads one part and what is in it."""
        self.parts += 1
        if self.parts > MAX_PARTS:
            self.problems.append("too_many_parts")
        elif depth > MAX_DEPTH:
            self.problems.append("too_deep")
        elif part.content_type.startswith("multipart/"):
            self._multipart(part, depth, wants_text)
        else:
            self._leaf(part, wants_text)

    def finish(self, *, is_cut: bool) -> tuple[str, str]:
        """The visible text and what is quoted in parts of its own."""
        if not any(text.strip() for text in self.texts):
            self.texts = self.spare[:1]
        text = "\n".join(self.texts).strip("\n")
        if len(text) > MAX_TEXT:
            text = text[:MAX_TEXT]
            self.problems.append("text_too_long")
        if is_cut and (self.ends_in_text or not text):
            self.problems.append("truncated")
        return text, "\n\n".join(self.quoted)[:MAX_TEXT]

    def _multipart(self, part: _Part, depth: int, wants_text: bool) -> None:
        children = self._children(part)
        kind = part.content_type.removeprefix("multipart/")
        if kind == "encrypted":
            self.problems.append("encrypted")
        if not children:
            self._leaf(replace(part, content_type="text/plain"), wants_text)
        elif kind == "alternative" and wants_text:
            self._alternative(children, depth)
        else:
            for number, child in enumerate(children):
                is_text = wants_text and (kind not in ("related", "signed") or number == 0)
                self.walk(child, depth + 1, wants_text=is_text)

    def _alternative(self, children: list[_Part], depth: int) -> None:
        """One of several forms of the same text: plain if it says anything, else the richest."""
        plain = [child for child in children if child.content_type == "text/plain"]
        rich = [child for child in reversed(children) if child.content_type != "text/plain"]
        chosen: _Part | None = None
        before = len(self.texts)
        ends_in_text = False
        for candidate in (*plain, *rich):
            if candidate.content_type not in ("text/plain", "text/html") and "multipart/" not in candidate.content_type:
                continue
            del self.texts[before:]
            self.walk(candidate, depth + 1)
            chosen = candidate
            ends_in_text = self.ends_in_text and candidate is children[-1]
            said = "\n".join(self.texts[before:]).strip()
            if said and not (rich and len(said) < 300 and candidate in plain and _ONLY_HTML.search(said)):
                break
        for child in children:
            if child is not chosen and child not in plain and child.content_type != "text/html":
                self.walk(child, depth + 1, wants_text=False)
        self.ends_in_text = ends_in_text

    def _children(self, part: _Part) -> list[_Part]:
        boundary = part.params.get("boundary", "").strip()[:200].encode("utf-8", "replace")
        spans = _spans(self.raw, boundary, part.begin, part.end, MAX_PARTS) if boundary else []
        if not spans and (
            guessed := _GUESSED_BOUNDARY.search(self.raw, part.begin, min(part.end, part.begin + 20_000))
        ):
            spans = _spans(self.raw, guessed.group(1), part.begin, part.end, MAX_PARTS)
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        children = []
        for begin, end in spans:
            fields, body_at = _fields(self.raw, [], begin, end)
            children.append(_part_of(fields, body_at, end, default))
        return children

    def _leaf(self, part: _Part, wants_text: bool) -> None:
        kind = part.content_type
        self.ends_in_text = False
        if kind in _REPORTS or kind in _ENCLOSED:
            self._enclosed(part)
            return
        is_text = kind.startswith("text/") and kind not in _ATTACHED_TEXT
        if not is_text or part.disposition == "attachment" or (part.name and self.texts) or not wants_text:
            if kind in ("application/pkcs7-mime", "application/x-pkcs7-mime") and "signed" not in part.params.get(
                "smime-type", ""
            ):
                self.problems.append("encrypted")
            if is_text and wants_text and not self.spare and part.name:
                self.spare.append(self._text(part))
            if is_text and not part.name and part.disposition != "attachment":
                return  # a form of the text that was not chosen
            self.attachments.append(Attachment(part.name, kind[:100], self._size(part)))
            return
        self.ends_in_text = part.end == len(self.raw)
        if sum(map(len, self.texts)) <= MAX_TEXT:
            self.texts.append(self._text(part))

    def _text(self, part: _Part) -> str:
        """The visible text of a text part."""
        data = self._payload(part, 3 * MAX_TEXT)
        is_html = part.content_type in ("text/html", "text/enriched", "text/richtext")
        charset = part.params.get("charset", "")
        if is_html and not charset and (meta := _META_CHARSET.search(data, 0, 4_000)):
            charset = meta.group(1).decode("ascii", "replace")
        text, problems = decode(data, charset)
        self.problems.extend(problems)
        if len(text) > MAX_TEXT:
            text = text[:MAX_TEXT]
            self.problems.append("text_too_long")
        text = clean_lines(text)
        if is_html or _HTML_LIKE.match(text):
            text, more = html.to_text(text)
            self.problems.extend(more)
            return text
        if part.params.get("format", "").lower() == "flowed":
            return _unflowed(text, delete_space=part.params.get("delsp", "").lower() == "yes")
        return text

    def _payload(self, part: _Part, cap: int) -> bytes:
        """The part's bytes without their transfer encoding, at most about `cap`."""
        raw = self.raw
        if part.encoding == "base64":
            body = raw[part.begin : min(part.end, part.begin + cap * 2)]
            return self._base64(body)[:cap]
        if part.encoding == "quoted-printable":
            return binascii.a2b_qp(raw[part.begin : min(part.end, part.begin + cap * 3)])[:cap]
        return raw[part.begin : min(part.end, part.begin + cap)]

    def _base64(self, body: bytes) -> bytes:
        found = _BASE64_BLOCK.match(body)
        end = found.end() if found else 0
        if end >= len(body):
            return unbase64(body)
        lines = body[:end].split(b"\n")
        whole = lines[:-1]  # where foreign signs begin, the line is none of base64's
        first = whole[0].strip() if whole else b""
        if not first or (len(first) % 4 and len(first) < 60):
            self.problems.append("wrong_encoding")
            return body
        text = unbase64(b"\n".join(whole))
        return text + b"\n" + body[sum(len(line) + 1 for line in whole) :]

    def _size(self, part: _Part) -> int:
        length = part.end - part.begin
        if part.encoding != "base64":
            return length
        tail = self.raw[max(part.end - 80, part.begin) : part.end]
        newlines = 2 if b"\r\n" in tail else 1
        return max((length - length // 77 * newlines) * 3 // 4 - tail.count(b"="), 0)

    def _enclosed(self, part: _Part) -> None:
        """A forwarded mail or a report: an attachment, of which the telling lines are kept as quoted text."""
        body = self._payload(part, 200_000)
        if part.content_type in _REPORTS:
            self.quoted.append(clean_lines(decode(body, "us-ascii")[0])[:10_000].strip())
            self.attachments.append(Attachment(part.name, part.content_type, self._size(part)))
            return
        headers = _decoded(_fields(body, [])[0])
        lines = [f"{name.capitalize()}: {headers[name][0][:1000]}" for name in _TELLING if name in headers]
        self.quoted.append("\n".join(lines))
        name = part.name or headers.get("subject", ("",))[0][:200]
        self.attachments.append(Attachment(name, part.content_type, self._size(part)))


def _spans(raw: bytes, boundary: bytes, begin: int, end: int, most: int) -> list[tuple[int, int]]:
    """Begin and end of each part between the boundary's lines (RFC 2046 5.1.1); a missing last one is no fault."""
    mark = b"--" + boundary
    spans: list[tuple[int, int]] = []
    opened = -1
    at = begin if raw.startswith(mark, begin) else raw.find(b"\n" + mark, begin, end) + 1
    while begin <= at < end and (at > 0 or begin == 0):
        line_end = raw.find(b"\n", at, end)
        line_end = end if line_end == -1 else line_end
        rest = raw[at + len(mark) : min(line_end, at + len(mark) + 80)].strip()
        if rest in (b"", b"--"):
            if opened != -1:
                spans.append((opened, max(at - (2 if raw[at - 2 : at - 1] == b"\r" else 1), opened)))
            opened = min(line_end + 1, end)
            if rest == b"--":
                return spans
            if len(spans) >= most:
                return spans
        found = raw.find(b"\n" + mark, max(line_end - 1, at), end)
        if found == -1:
            break
        at = found + 1
    if opened != -1:
        spans.append((opened, end))
    return spans


def _unflowed(text: str, *, delete_space: bool) -> str:
    """Text of `format=flowed` (RFC 3676) with its paragraphs in one line each, quotation marks kept."""
    out: list[str] = []
    paragraph: list[str] = []
    depth = 0
    for line in text.split("\n"):
        marks = len(line) - len(line.lstrip(">"))
        line = line[marks:]
        line = line[1:] if line.startswith(" ") else line
        if paragraph and marks != depth:
            out.append(_quoted_line("".join(paragraph), depth))
            paragraph = []
        depth = marks
        if line == "-- ":
            if paragraph:
                out.append(_quoted_line("".join(paragraph), depth))
                paragraph = []
            out.append(_quoted_line(line, depth))
        elif line.endswith(" "):
            paragraph.append(line[:-1] if delete_space else line)
        else:
            paragraph.append(line)
            out.append(_quoted_line("".join(paragraph), depth))
            paragraph = []
    if paragraph:
        out.append(_quoted_line("".join(paragraph), depth))
    return "\n".join(out)


def _quoted_line(line: str, depth: int) -> str:
    return f"{'>' * depth} {line}" if depth else line
