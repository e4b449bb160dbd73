"""What is told by its form and not by words: links, mail addresses, phone numbers, postal addresses, emoji.

Patterns meet the text in NFKC, so that full-width digits hide nothing; each gives the words as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from urllib.parse import urlsplit

_TOP_LEVEL = "com|net|org|jp|cn|tw|hk|info|biz|shop|store|site|online|example|io|uk|de|fr|kr|asia|xyz|app|dev"
_LINK = re.compile(
    rf"https?://[^\s<>「」『』（）【】、。]+|(?<![\w@./-])(?:www\.|(?:[a-z0-9-]+\.)+(?:{_TOP_LEVEL})/)[^\s<>「」『』（）【】、。]*"
    rf"|(?<![\w@./-])(?:[a-z0-9][a-z0-9-]*\.)+(?:{_TOP_LEVEL})(?![\w.@-])",
    re.IGNORECASE,
)
_MAIL = re.compile(
    r"[\w.+-]{1,64}\s?(?:@|\[at\]|\(at\)|\{at\}|<at>|★|☆|■|●)\s?(?:[a-z0-9-]+\s?(?:\.|\[dot\]|\(dot\))\s?)+[a-z]{2,}",
    re.IGNORECASE,
)
# A Japanese number in its groups, one without groups, an international one, one that says what it is.
_PHONE = re.compile(
    r"(?<![\d-])0\d{1,4}[. ()-]{1,2}\d{1,4}[. ()-]{1,2}\d{3,4}(?![\d-])"
    r"|(?<![\d-])0[5789]0\d{8}(?!\d)|(?<![\d-])0120\d{6}(?!\d)"
    r"|(?<![\w+])\+\d{1,3}[. ()-]{0,2}\d[\d. ()-]{6,16}\d"
    r"|(?<![\d-])\(?[2-9]\d{2}\)?[-. ]\d{3}[-. ]\d{4}(?![\d-])"
    r"|(?:tel|phone|fax|mobile|call us (?:at|on)|電話番号|電話|お電話|携帯|电话|手机|電話號碼)"
    r"[^\n\d]{0,12}[\d(][\d. ()-]{7,16}\d",
    re.IGNORECASE,
)
_POSTAL = re.compile(
    r"〒\s?\d{3}-?\d{4}|(?:都|道|府|県)[^\s、。]{1,12}[市区郡町村][^\s、。]{0,20}\d+(?:丁目|番|-\d)"
    r"|\b\d{1,5}\s+(?:[A-Z][\w'.]*\s+){1,4}(?:street|st\.|avenue|ave\.|road|rd\.|lane|drive|blvd)\b"
    r"|[市区區县縣][^\s，。]{1,12}[路街道]\s?\d+\s?[号號]",
    re.IGNORECASE,
)
_EMOJI = re.compile(
    "[\U0001f300-\U0001faff\U0001f1e6-\U0001f1ff\u2600-\u2604\u2614\u2615\u263a\u2639\u2728\u2764\u2705\u274c\u2b50\u26a0]"
)
# Digits that belong to a date, a post code or an amount are no phone number.
_NO_PHONE = re.compile(r"20\d\d[-./年]\d{1,2}[-./月]\d{1,2}")


def _phones(text: str) -> Iterator[str]:
    for match in _PHONE.finditer(_NO_PHONE.sub(lambda m: "\n" * len(m[0]), text)):
        digits = sum(c.isdigit() for c in match[0])
        if 9 <= digits <= 15:
            yield match[0].strip()


def _all(pattern: re.Pattern[str]) -> Callable[[str], Iterator[str]]:
    return lambda text: (match[0].strip() for match in pattern.finditer(text))


MARKS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "mail_addresses": _all(_MAIL),
    "phone": _phones,
    "postal_address": _all(_POSTAL),
    "emoji": _all(_EMOJI),
}


def foreign_links(text: str, hosts: Collection[str]) -> Iterator[str]:
    """The links in a text that lead elsewhere than to one of the hosts (`amazon.co.jp` covers `www.amazon.co.jp`).

    A link to an allowed host must be `https`.
    """
    for match in _LINK.finditer(_MAIL.sub(" ", text)):
        link = match[0].rstrip(".,;:!?)'\"")
        address = link if "://" in link else f"https://{link}"
        try:
            parts = urlsplit(address)
            host = (parts.hostname or "").lower()
        except ValueError:
            yield link
            continue
        allowed = any(host == known or host.endswith(f".{known}") for known in hosts)
        if not allowed or parts.scheme.lower() != "https" or parts.username is not None:
            yield link
