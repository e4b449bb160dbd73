"""The mails named on the command line: files, folders, mbox, standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from responder.config import Settings
    from responder.model import Message


def mails_in(paths: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every mail in the given files and folders, in order; a folder's by name."""
    for path in paths:
        if path == "-":
            yield from mails_of("-", sys.stdin.buffer.read())
            continue
        place = Path(path)
        if place.is_dir():
            for file in sorted(f for f in place.rglob("*") if f.is_file() and not f.name.startswith(".")):
                if file.suffix in (".eml", ".mbox") or file.parent.name in ("cur", "new"):
                    yield from mails_of(str(file), file.read_bytes())
        elif place.is_file():
            yield from mails_of(path, place.read_bytes())
        else:
            raise click.BadParameter(f"{path}: no such file or folder", param_hint="FILE|DIR")


def messages_in(paths: tuple[str, ...], settings: Settings) -> Iterator[Message]:
    """The mails in files and folders, read as the daemon reads them; what cannot be read is left out."""
    from responder.core.mime import read
    from responder.errors import MessageError
    from responder.flows.understanding import unpack

    for _name, raw in mails_in(paths):
        try:
            yield unpack(read(raw), settings).message
        except MessageError:
            continue


def mails_of(name: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    """One mail, or each mail of an mbox (RFC 4155)."""
    if not raw.startswith(b"From "):
        yield name, raw
        return
    normal = b"\n" + raw.replace(b"\r\n", b"\n")
    for number, part in enumerate(normal.split(b"\nFrom ")[1:], 1):
        body = part.partition(b"\n")[2].replace(b"\n>From ", b"\nFrom ")
        yield f"{name}#{number}", body
