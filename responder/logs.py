"""How responder logs: a readable line on a terminal, one JSON object a line elsewhere. Ids, codes, numbers; no text of
buyers, no addresses, no secrets at any level."""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _details(record: logging.LogRecord) -> dict[str, object]:
    return {
        name: value
        for name, value in vars(record).items()
        if name not in _STANDARD and isinstance(value, (str, int, float, bool, list, tuple, type(None)))
    }


class JsonLine(logging.Formatter):
    """One record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")}
        line |= {"level": record.levelname.lower(), "action": record.getMessage()}
        details = {name: value for name, value in _details(record).items() if name != "action"}
        if record.exc_info and record.exc_info[0] is not None:
            details["error"] = record.exc_info[0].__name__
        return json.dumps(line | details, ensure_ascii=False, default=str)


class HumanLine(logging.Formatter):
    """One record as one line for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        details = " ".join(
            f"{name}={value}" for name, value in _details(record).items() if name != "action" and value is not None
        )
        mark = "" if record.levelno < logging.WARNING else f"{record.levelname}: "
        text = record.getMessage().replace("_", " ").replace("\n", " ")
        return f"{at} {mark}{text}  {details}".rstrip()


def trace(exc: BaseException) -> str:
    """Where an error came from: files, lines and classes. Its message is left out, since it may quote a mail."""
    lines: list[str] = []
    seen: set[int] = set()
    error: BaseException | None = exc
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
        lines.append(" <- ".join([type(error).__name__, *reversed(frames)]))
        error = error.__cause__ or error.__context__
    return "\n".join(lines)


def install_traces() -> None:
    """Errors nobody caught, in whatever thread, are shown without their messages."""

    def show(exc: BaseException | None) -> None:
        if exc is not None:
            sys.stderr.write(f"responder: internal error\n{trace(exc)}\n")

    sys.excepthook = lambda _kind, exc, _trace: show(exc)
    threading.excepthook = lambda args: show(args.exc_value)


def set_up(*, stream: TextIO | None = None, as_json: bool | None = None, verbose: bool = False) -> None:
    """Send responder's log to `stream` (standard error). `as_json` None: JSON unless the stream is a terminal."""
    target = stream if stream is not None else sys.stderr
    wants_json = not target.isatty() if as_json is None else as_json
    out = logging.StreamHandler(target)
    out.setFormatter(JsonLine() if wants_json else HumanLine())
    logger = logging.getLogger("responder")
    logger.handlers[:] = [out]
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    logger.propagate = False
    # What the libraries say of their own accord may quote what they handle: it goes nowhere.
    logging.getLogger().addHandler(logging.NullHandler())
