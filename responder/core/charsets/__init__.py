"""Bytes of a mail to text: what the label says where that can be true, else what the bytes themselves say.

Japanese and Chinese mail is mislabelled in a few well-known ways: the label names the small standard while the bytes
use the vendor's larger set (NEC row 13 in ISO-2022-JP, windows-31j called shift_jis, GBK called gb2312), there is no
label at all, or a program copied the label of another mail. Labels are tried first; a detector of our own comes last,
because detectors guess short Japanese wrongly. Nothing here raises.
"""

from __future__ import annotations

from responder.core.charsets.encoded import decode_words, header_text, unbase64
from responder.core.charsets.labels import codec_for, decode

__all__ = ["codec_for", "decode", "decode_words", "header_text", "unbase64"]
