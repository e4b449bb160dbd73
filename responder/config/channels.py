"""The channels in use: the product's files, with the shop's own `channels/` laid over them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from responder.config import source
from responder.config.pack import data_dir
from responder.core import positions
from responder.core.channels import Channel, channel_from
from responder.errors import ConfigError, Mistake


def read_channels(directory: Path | None = None) -> tuple[Channel, ...]:
    """The product's channels; a file of the shop's with the same name changes the keys it gives, any other adds one.

    Raises: ConfigError with every mistake in the files.
    """
    paths = sorted((data_dir() / "channels").glob("*.toml"))
    return channels_of([*paths, *(sorted((directory / "channels").glob("*.toml")) if directory is not None else ())])


def channels_of(paths: Iterable[Path]) -> tuple[Channel, ...]:
    """The channels of those files. Files of the same `name` are laid over each other key by key, the later on top.

    Raises: ConfigError with every mistake in them.
    """
    tables: dict[str, dict[str, Any]] = {}
    given: dict[str, dict[str, source.Source]] = {}
    mistakes: list[Mistake] = []
    for path in paths:
        try:
            read = source.read(path)
        except ConfigError as exc:
            mistakes += exc.mistakes
            continue
        name = str(read.data.get("name", path.stem))
        tables[name] = {**tables.get(name, {}), **read.data, "name": name}
        given.setdefault(name, {}).update(dict.fromkeys(("", *read.data), read))
    channels = []
    for name, table in tables.items():
        try:
            channels.append(channel_from(table, _Places(given[name])))
        except ConfigError as exc:
            mistakes += exc.mistakes
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return tuple(channels)


class _Places:
    """File and line of a dotted key: that of the file which gave it last."""

    def __init__(self, given: dict[str, source.Source]) -> None:
        self._given = given

    def __call__(self, key: str) -> tuple[str, int]:
        path = positions.path_of(key)
        read = self._given.get(str(path[0]) if path else "", self._given[""])
        return read.where(key)
