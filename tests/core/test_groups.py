"""Mail that the shop's own group passed on is its writer's; nobody else's list is."""

from __future__ import annotations

from typing import Any

import pytest

from responder.core.groups import passed_on
from responder.core.guards import gate
from responder.model import Address, Message
from tests.builders import SHOP, make_message

GROUP = {
    "precedence": ("list",),
    "mailing-list": (f"list {SHOP.address}; contact shop+owners@minato-zakka.example",),
    "list-id": ("<shop.minato-zakka.example>",),
    "list-post": (f"<https://groups.example/shop/post>, <mailto:{SHOP.address}>",),
    "list-unsubscribe": ("<https://groups.example/shop/leave>",),
    "x-google-group-id": ("123456789",),
}
PASS = "mx.google.com; dkim=pass header.d=mail.example; dmarc=pass header.from=mail.example"
FAIL = "mx.google.com; dmarc=fail header.from=mail.example"


def via_group(**headers: str) -> Message:
    return make_message(
        "注文をキャンセルしてください。",
        sender=Address("'田中 花子' via Shop", SHOP.address),
        reply_to=(Address("田中 花子", "hanako@mail.example"),),
        headers={**GROUP, "x-original-sender": ("hanako@mail.example",)} | {k: (v,) for k, v in headers.items()},
    )


def test_a_group_that_writes_itself_into_from_hides_no_buyer() -> None:
    message, trusted = passed_on(via_group(), SHOP, trusted=None)
    assert message.sender == Address("田中 花子", "hanako@mail.example")
    assert (message.reply_to, trusted) == ((), None)
    assert gate(message, SHOP, is_channel=False) is None


def test_the_shop_s_own_list_is_no_newsletter() -> None:
    plain = make_message("注文をキャンセルしてください。", headers=GROUP)
    assert gate(plain, SHOP, is_channel=False) is not None
    message, trusted = passed_on(plain, SHOP, trusted=True)
    assert (message.sender, trusted) == (plain.sender, True)
    assert gate(message, SHOP, is_channel=False) is None


@pytest.mark.parametrize(
    ("outer", "told", "expected"),
    [
        (True, PASS, True),
        (True, FAIL, False),
        (True, "mx.evil.example; dmarc=pass header.from=mail.example", False),
        (True, None, None),
        (None, PASS, None),
        (False, PASS, False),
    ],
)
def test_what_the_group_s_server_says_counts_if_the_group_itself_is_vouched_for(
    outer: bool | None, told: str | None, expected: bool | None
) -> None:
    headers = {} if told is None else {"x-original-authentication-results": told}
    assert passed_on(via_group(**headers), SHOP, trusted=outer)[1] is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {**GROUP, "list-id": ("<news.other.example>",), "list-post": ("<mailto:news@other.example>",),
                     "mailing-list": ("list news@other.example",)}},
        {"sender": Address("", SHOP.address), "headers": {}},
        {"sender": Address("", SHOP.address), "headers": {"x-original-sender": (SHOP.address,)}},
        {"sender": Address("", SHOP.address), "headers": {"x-original-sender": ("a@x.example, b@y.example",)}},
        {"headers": {"x-original-sender": ("else@mail.example",)}},
    ],
)  # fmt: skip
def test_any_other_mail_stays_as_it_is(changes: dict[str, Any]) -> None:
    message = make_message("x", **changes)
    assert passed_on(message, SHOP, trusted=None) == (message, None)


def test_a_reply_to_elsewhere_stays_one_behind_a_group() -> None:
    message = via_group()
    elsewhere = make_message(
        "x", sender=message.sender, headers=message.headers, reply_to=(Address("", "x@y.example"),)
    )
    assert passed_on(elsewhere, SHOP, trusted=None)[0].reply_to == (Address("", "x@y.example"),)
