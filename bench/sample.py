"""`python -m bench.sample DIR`: a shop's folder with the journal of a made-up month, to look at its report.

python -m bench.sample /tmp/shop && responder report --config /tmp/shop --now 2026-11-30T20:00+09:00 --out /tmp/shop
"""

from __future__ import annotations

import random
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from responder.core.rewording import key_of
from responder.edges.journal import Journal
from responder.edges.journal.tables import case, cursor, draft, event, mail, perk, rewording

ZONE = ZoneInfo("Asia/Tokyo")
BEGINS, ENDS = datetime(2026, 11, 1, 9, tzinfo=ZONE), datetime(2026, 11, 30, 20, tzinfo=ZONE)
CHANNELS = {"own": 9, "amazon": 5, "rakuten": 6, "yahoo": 3, "ebay": 1}
TEMPLATES = {
    "where_is_order_shipped": 30, "where_is_order_unshipped": 18, "cancel_before_ship": 22, "cancel_after_ship": 9,
    "return_refund": 8, "invoice_receipt": 10, "damaged_wrong": 7, "address_change_before": 6, "order_question": 5,
}  # fmt: skip
ARTICLES = [
    ("MUG-01", "波佐見焼マグカップ 青 350ml"), ("TOWEL-3", "今治タオル 3枚組（ギフト箱入り）"), ("", "南部鉄器 急須 0.6L"),
    ("XSS", "<script>alert(1)</script>=HYPERLINK(\"x\") とても長い名前の商品でページの幅を試すためのもの"), ("BAG-9", "Canvas tote bag, natural"),
]  # fmt: skip
CHANGES = [
    (
        "where_is_order_shipped",
        "お届けまで今しばらくお待ちください。",
        "お届けまで今しばらくお待ちくださいますようお願いいたします。",
        9,
    ),
    ("cancel_before_ship", "またのご利用をお待ちしております。", "", 5),
    (
        "invoice_receipt",
        "領収書は⟨day⟩までにお送りします。",
        "領収書はマイページから今すぐダウンロードいただけます。",
        4,
    ),
    ("return_refund", "Please send us a photo of the item.", "A photo is not needed.", 3),
    ("return_refund", "", "080-1234-5678 田中花子 様のお宅へ", 1),
]


def write(folder: Path) -> None:
    """The shop's files and its journal."""
    folder.mkdir(parents=True, exist_ok=True)
    server = '{ host = "127.0.0.1", port = 1, tls = "none", username = "shop", password_env = "NONE" }'
    (folder / "responder.toml").write_text(
        '[shop]\nname = "みなと雑貨店"\nlanguage = "ja"\ntimezone = "Asia/Tokyo"\n'
        f'[[account]]\nname = "main"\naddress = "shop@minato-zakka.example"\nimap = {server}\n'
        '[[orders]]\ntype = "csv"\npath = "orders.csv"\n',
        encoding="utf-8",
    )
    lines = ["order_id,channel,status,buyer_name,buyer_mail,payment,total,currency,ordered_at,items"]
    for n in range(180):
        at = ENDS - timedelta(hours=n)
        status = "cancelled" if n % 60 == 7 else "paid"
        lines.append(f"249-0000000-{n:07},amazon,{status},客,a{n}@mail.example,card,980,JPY,{at.isoformat()},マグ")
    (folder / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    journal = Journal(f"sqlite:///{folder / 'state' / 'responder.db'}")
    journal.upgrade()
    with journal.durable() as tx:
        for table, rows in _rows(random.Random(7)).items():
            tx.execute(insert(table), rows)
    journal.close()


def _rows(chance: random.Random) -> dict[Any, list[dict[str, Any]]]:
    found: dict[Any, list[dict[str, Any]]] = {t: [] for t in (cursor, case, mail, draft, event, rewording, perk)}
    found[cursor].append(
        {"account": "main", "mailbox": "INBOX", "uidvalidity": 1, "last_uid": 999, "started_at": BEGINS}
    )
    for number in range(1, 171):
        _matter(found, chance, number)
    for number in range(300, 346):
        _notice(found, chance, number)
    found[perk].append({"account": "main", "order_key": "P1", "buyer": "b", "name": "free_shipping", "at": BEGINS})
    ids = [row["id"] for row in found[draft]]
    for n, (template, gone, came, buyers) in enumerate(CHANGES):
        for buyer in range(buyers):
            about = {"template": template, "buyer": f"b{buyer}", "at": BEGINS + timedelta(days=9 + buyer)}
            keys = {"gone_key": key_of(gone), "came_key": key_of(came), "gone": gone, "came": came}
            found[rewording].append({"draft_id": ids[n], **about, **keys})
    return found


def _matter(found: dict[Any, list[dict[str, Any]]], chance: random.Random, number: int) -> None:
    at = BEGINS + timedelta(minutes=chance.randrange(29 * 24 * 60))
    channel = chance.choices(list(CHANNELS), list(CHANNELS.values()))[0]
    template = chance.choices(list(TEMPLATES), list(TEMPLATES.values()))[0]
    action = chance.choices(["draft", "hold", "silence"], [7, 2, 2])[0]
    took = timedelta(hours=min(70, chance.lognormvariate(1.6, 1.2)))
    state = chance.choices(["filed", "sent_by_staff", "discarded", "stale", "drafted"], [78, 9, 7, 4, 3])[0]
    situation = "cancel_before_ship" if template == "cancel_before_ship" else "where_is_order"
    case_id = f"c{number}" if action != "silence" else None
    done = at + took
    answered = action == "draft" and state in ("filed", "sent_by_staff")
    if case_id:
        _case(found, case_id, channel, str(number), at, is_open=not answered and action != "hold")
    found[mail].append(
        {"id": number, "account": "main", "mailbox": "INBOX", "uidvalidity": 1, "uid": number, "arrived_at": at,
         "state": "decided", "action": action, "situation": situation, "channel": channel, "case_id": case_id,
         "answered": answered or action == "hold", "seen_at": at}
    )  # fmt: skip
    if action == "hold":
        detail = {"draft": None, "kept": "own", "at": done.isoformat()}
        _event(found, done, case_id, "sent_by_staff", detail)
    if action != "draft":
        return
    _draft(found, number, case_id, state, template, situation, channel, at, done, [number])
    detail = {"mail": number, "situation": situation, "draft": number}
    if situation == "cancel_before_ship":
        side = "shop" if channel == "amazon" else "buyer"
        sku, name = chance.choice(ARTICLES)
        goods = [[sku, name, chance.randint(1, 3)]]
        detail |= {"cancel": side, "on": channel, "status": chance.choice(["paid", "preparing"]), "items": goods}
    if chance.random() < 0.05:
        detail["angry"] = True
    _event(found, at, case_id, "mail_draft", detail)
    kind = {"filed": "approved", "sent_by_staff": "sent_by_staff"}.get(state)
    if kind:
        kept = chance.choices(["same", "edited", "own"], [7, 3, 0] if state == "filed" else [1, 3, 4])[0]
        _event(found, done, case_id, kind, {"draft": number, "kept": kept})


def _notice(found: dict[Any, list[dict[str, Any]]], chance: random.Random, number: int) -> None:
    matter = chance.choices(["sold_out", "restock", "delay", "checking"], [5, 4, 3, 2])[0]
    channel = chance.choices(list(CHANNELS), list(CHANNELS.values()))[0]
    at = BEGINS + timedelta(days=chance.choice([3, 3, 3, 12, 20]), hours=chance.randint(0, 8))
    done = at + timedelta(hours=chance.randint(1, 6))
    _case(found, f"o{number}", channel, str(number), at, is_open=False)
    _draft(found, number, f"o{number}", "filed", f"owe_{matter}", f"owe_{matter}", channel, at, done, [])
    sku, name = chance.choices(ARTICLES, [9, 5, 3, 2, 1])[0]
    causes = chance.choice([["double_sale"], ["inspection"], ["late_supply"], ["stock_error"], []])
    detail = {"owed": number, "matter": matter, "draft": number, "on": channel, "cancels": matter == "sold_out"}
    detail |= {"causes": causes, "items": [[sku, name, 1]], "ordered": (at - timedelta(days=1)).isoformat()}
    _event(found, at, f"o{number}", "owed_written", detail)
    _event(found, done, f"o{number}", "approved", {"draft": number, "kept": chance.choice(["same", "same", "edited"])})


def _case(found: Any, case_id: str, channel: str, order: str, at: datetime, *, is_open: bool) -> None:
    found[case].append(
        {"id": case_id, "account": "main", "state": "open" if is_open else "closed", "buyer": f"{case_id}@mail.example",
         "channel": channel, "order_id": order, "language": "ja", "opened_at": at, "deadline_at": at + timedelta(days=1)}
    )  # fmt: skip


def _draft(
    found: Any, number: int, case_id: str | None, state: str, template: str, situation: str, channel: str,
    at: datetime, done: datetime, answers: list[int],
) -> None:  # fmt: skip
    found[draft].append(
        {"id": number, "case_id": case_id, "account": "main", "state": state, "message_id": f"<{number}@x.example>",
         "raw": b"", "template": template, "situation": situation, "order_id": str(number), "channel": channel,
         "facts": {}, "sender": "", "recipient_name": "", "recipient": "", "references": [], "answers": answers,
         "told": [], "created_at": at, "sent_at": done if state == "filed" else None,
         "ended_at": None if state == "drafted" else done}
    )  # fmt: skip


def _event(found: Any, at: datetime, case_id: str | None, kind: str, detail: dict[str, Any]) -> None:
    found[event].append({"at": at, "account": "main", "case_id": case_id, "kind": kind, "detail": detail})


if __name__ == "__main__":
    write(Path(sys.argv[1]))
