"""Choosing the special mailboxes from a server's list."""

from __future__ import annotations

import pytest

from responder.edges.imap import Folder, locate, spell
from responder.errors import FolderMissing


def folders(*names: str, separator: str = "/", **uses: str) -> tuple[Folder, ...]:
    """Plain folders, and `uses` as name=attribute."""
    plain = [Folder(name, separator=separator) for name in ("INBOX", *names)]
    return (*plain, *(Folder(name, frozenset({use}), separator=separator) for name, use in uses.items()))


def test_special_use_comes_before_names() -> None:
    located = locate(folders("Drafts", "Sent", 下書き="\\Drafts", 送信済み="\\Sent"), {})
    assert (located.drafts, located.sent, located.trash) == ("下書き", "送信済み", None)


def test_what_is_configured_comes_first() -> None:
    located = locate(folders("Mine", 下書き="\\Drafts"), {"drafts": "Mine", "sent": ""})
    assert (located.drafts, located.sent) == ("Mine", None)


@pytest.mark.parametrize(
    ("drafts", "sent", "trash"),
    [
        ("Drafts", "Sent Items", "Deleted Items"),
        ("下書き", "送信済みアイテム", "ごみ箱"),
        ("草稿箱", "已发送", "已删除"),
        ("INBOX/Drafts", "INBOX/Sent", "INBOX/Trash"),
        ("[Gmail]/下書き", "[Gmail]/送信済みメール", "[Gmail]/ゴミ箱"),
        ("entwürfe", "GESENDETE OBJEKTE", "Papierkorb"),
    ],
)
def test_known_names_are_found_near_the_top(drafts: str, sent: str, trash: str) -> None:
    located = locate(folders(drafts, sent, trash, "Archive/2020/Drafts", "Kunden/Sent"), {})
    assert (located.drafts, located.sent, located.trash) == (drafts, sent, trash)


def test_gmail_keeps_all_mail() -> None:
    listed = (*folders(), *folders(**{"[Gmail]/Drafts": "\\Drafts", "[Gmail]/すべてのメール": "\\All"}))
    assert locate(listed, {}).all_mail == "[Gmail]/すべてのメール"


def test_two_candidates_are_told_and_not_guessed() -> None:
    with pytest.raises(FolderMissing) as caught:
        locate(folders("Drafts", "Sent", "Sent Items"), {})
    assert (caught.value.role, caught.value.candidates) == ("sent", ("Sent", "Sent Items"))
    located = locate(folders("Drafts", "Sent", "Sent Items"), {"sent": "Sent Items"})
    assert located.sent == "Sent Items"


def test_an_account_without_drafts_is_told() -> None:
    with pytest.raises(FolderMissing) as caught:
        locate(folders("Sent", "notes"), {})
    assert (caught.value.role, caught.value.candidates) == ("drafts", ())


def test_a_configured_folder_that_is_not_there_is_told_with_what_is() -> None:
    with pytest.raises(FolderMissing) as caught:
        locate(folders("Drafts"), {"drafts": "下書き"})
    assert caught.value.candidates == ("Drafts",)


def test_mere_nodes_of_the_tree_are_no_mailboxes() -> None:
    with pytest.raises(FolderMissing):
        locate((Folder("Drafts", selectable=False),), {})


def test_configured_names_are_spelled_as_the_server_wants_them() -> None:
    below = folders("INBOX.Drafts", "INBOX.Team.Mine", separator=".")
    assert locate(below, {"drafts": "Team/Mine"}).drafts == "INBOX.Team.Mine"


@pytest.mark.parametrize(
    ("listed", "name", "spelled"),
    [
        (folders("Drafts"), "Responder/在庫切れ", "Responder/在庫切れ"),
        (folders("Drafts", separator="."), "Responder/在庫切れ", "Responder.在庫切れ"),
        (folders("INBOX.Drafts", separator="."), "Responder/在庫切れ", "INBOX.Responder.在庫切れ"),
        (folders("INBOX.Drafts", separator="."), "INBOX.Approved", "INBOX.Approved"),
        (folders("INBOX.Drafts", "Approved", separator="."), "Approved", "Approved"),
        (folders(separator="."), "Approved", "Approved"),
        (folders("Drafts", separator=""), "a/b", "a/b"),
        (folders("INBOX/Drafts"), "inbox", "inbox"),
        ((), "Approved", "Approved"),
        ((Folder("INBOX", separator=".", prefix="INBOX."),), "Responder/x", "INBOX.Responder.x"),
        ((Folder("INBOX", separator=".", prefix="INBOX."),), "INBOX/Approved", "INBOX.Approved"),
    ],
)
def test_names_are_spelled_for_the_server(listed: tuple[Folder, ...], name: str, spelled: str) -> None:
    assert spell(name, listed) == spelled
