"""The walk through the parts of a mail: which of them are its text, which are attachments, what is quoted whole."""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from responder.core import html
from responder.core.addresses import clean, clean_lines
from responder.core.charsets import decode, unbase64
from responder.core.mime.fields import Fields, decoded, fields_of, first
from responder.core.mime.structure import parameters, spans, unflowed
from responder.model import Attachment

MAX_TEXT = 1_000_000
MAX_DEPTH = 50
MAX_PARTS = 500

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


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME part; its body is `raw[begin:end]` of the mail."""

    content_type: str
    params: Mapping[str, str]
    disposition: str
    name: str
    encoding: str
    begin: int
    end: int


def part_of(fields: Fields, begin: int, end: int, default_type: str = "text/plain") -> Part:
    content_type, params = parameters(first(fields, b"content-type")[:8000])
    disposition, more = parameters(first(fields, b"content-disposition")[:8000])
    encoding = first(fields, b"content-transfer-encoding").split(";")[0].strip().strip('"').lower()
    name = clean(more.get("filename") or params.get("name") or "").replace("\\", "/").rpartition("/")[2][:200]
    if "/" not in content_type:
        content_type = "text/plain" if content_type in ("text", "plain") else default_type
    return Part(content_type, params, disposition, name, encoding, begin, end)


@dataclass(slots=True)
class Reading:
    """What is gathered on the way through the parts of one mail."""

    raw: bytes
    problems: list[str]
    texts: list[str] = field(default_factory=list)
    spare: list[str] = field(default_factory=list)  # text in files: the mail's text only if there is no other
    quoted: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    parts: int = 0
    ends_in_text: bool = False

    def walk(self, part: Part, depth: int, *, wants_text: bool = True) -> None:
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

    def _multipart(self, part: Part, depth: int, wants_text: bool) -> None:
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

    def _alternative(self, children: list[Part], depth: int) -> None:
        """One of several forms of the same text: plain if it says anything, else the richest."""
        plain = [child for child in children if child.content_type == "text/plain"]
        rich = [child for child in reversed(children) if child.content_type != "text/plain"]
        walked: list[Part] = []
        before = len(self.texts)
        ends_in_text = False
        for candidate in (*plain, *rich):
            if candidate.content_type not in ("text/plain", "text/html") and "multipart/" not in candidate.content_type:
                continue
            del self.texts[before:]
            self.walk(candidate, depth + 1)
            walked.append(candidate)
            ends_in_text = self.ends_in_text and candidate is children[-1]
            said = "\n".join(self.texts[before:]).strip()
            if said and not (rich and len(said) < 300 and candidate in plain and _ONLY_HTML.search(said)):
                break
        for child in children:
            if child not in walked and child not in plain and child.content_type != "text/html":
                self.walk(child, depth + 1, wants_text=False)
        self.ends_in_text = ends_in_text

    def _children(self, part: Part) -> list[Part]:
        raw, begin, end = self.raw, part.begin, part.end
        boundary = part.params.get("boundary", "").strip()[:200].encode("utf-8", "replace")
        found = spans(raw, boundary, begin, end, MAX_PARTS) if boundary else []
        if not found and (guessed := _GUESSED_BOUNDARY.search(raw, begin, min(end, begin + 20_000))):
            found = spans(raw, guessed.group(1), begin, end, MAX_PARTS)
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        children = []
        for begin, end in found:
            fields, body_at = fields_of(self.raw, [], begin, end)
            children.append(part_of(fields, body_at, end, default))
        return children

    def _leaf(self, part: Part, wants_text: bool) -> None:
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

    def _text(self, part: Part) -> str:
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
            return unflowed(text, delete_space=part.params.get("delsp", "").lower() == "yes")
        return text

    def _payload(self, part: Part, cap: int) -> bytes:
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

    def _size(self, part: Part) -> int:
        length = part.end - part.begin
        if part.encoding != "base64":
            return length
        tail = self.raw[max(part.end - 80, part.begin) : part.end]
        newlines = 2 if b"\r\n" in tail else 1
        return max((length - length // 77 * newlines) * 3 // 4 - tail.count(b"="), 0)

    def _enclosed(self, part: Part) -> None:
        """A forwarded mail or a report: an attachment, of which the telling lines are kept as quoted text."""
        body = self._payload(part, 200_000)
        if part.content_type in _REPORTS:
            self.quoted.append(clean_lines(decode(body, "us-ascii")[0])[:10_000].strip())
            self.attachments.append(Attachment(part.name, part.content_type, self._size(part)))
            return
        headers = decoded(fields_of(body, [])[0])
        lines = [f"{name.capitalize()}: {headers[name][0][:1000]}" for name in _TELLING if name in headers]
        self.quoted.append("\n".join(lines))
        name = part.name or headers.get("subject", ("",))[0][:200]
        self.attachments.append(Attachment(name, part.content_type, self._size(part)))
