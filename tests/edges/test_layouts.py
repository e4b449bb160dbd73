"""Every layout of order exports: invented rows over the headers as the marketplaces write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.config.layouts import load_layouts, shipped_layouts
from responder.edges.orders.cells import Reading, status_words
from responder.edges.orders.layouts import recognise
from responder.edges.orders.table import Table, read_table
from responder.errors import ConfigError
from responder.model import Item, Order
from tests.edges.export_headers import HEADERS

TOKYO = ZoneInfo("Asia/Tokyo")
READING = Reading(TOKYO, words=status_words(), layouts=shipped_layouts(), currency="JPY")


def sheet(
    headers: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    *,
    delimiter: str = ",",
    before: Sequence[str] = (),
    after: Sequence[str] = (),
    encoding: str = "utf-8",
    quoted: bool = True,
) -> bytes:
    """An export's bytes: rows are given by header, what they leave out is empty."""
    unknown = {name for row in rows for name in row} - {*headers}
    assert not unknown, unknown
    out = io.StringIO()
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    writer = csv.writer(
        out, delimiter=delimiter, lineterminator="\r\n", quoting=quoting, quotechar='"' if quoted else None
    )
    writer.writerow(headers)
    for row in rows:
        writer.writerow([row.get(name, "") for name in headers])
    return "\r\n".join((*before, out.getvalue() + "".join(line + "\r\n" for line in after))).encode(encoding)


def read(raw: bytes, reading: Reading = READING) -> Table:
    return read_table(lambda: io.BytesIO(raw), reading, name="export.csv", as_of=None)


@dataclass(frozen=True)
class Export:
    """One export with what must come out of it: fields of its orders by order id."""

    layout: str
    headers: str
    rows: Sequence[Mapping[str, str]]
    orders: Mapping[str, Mapping[str, Any]]
    encoding: str = "cp932"
    delimiter: str = ","
    before: Sequence[str] = ()
    after: Sequence[str] = ()
    quoted: bool = True
    mistakes: Sequence[tuple[int, str, str]] = field(default=())

    def __str__(self) -> str:
        return self.layout


def at(text: str, zone: str = "Asia/Tokyo") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


EXPORTS = [
    Export(
        "rakuten",
        "rakuten",
        [
            {
                "注文番号": "123456-20261118-0000000001",
                "ステータス": "300",
                "注文日時": "2026-11-18 10:05:22",
                "キャンセル期限日": "2026-11-20",
                "支払方法名": "クレジットカード",
                "請求金額": "5480",
                "合計金額": "5980",
                "注文者姓": "田中",
                "注文者名": "花子",
                "注文者メールアドレス": "abc@pc.fw.rakuten.ne.jp",
                "商品名": "【送料無料】マグ|青; 大",
                "商品管理番号": "mug-b",
                "商品番号": "M-1",
                "個数": "2",
                "のし": "なし",
            },
            {
                "注文番号": "123456-20261118-0000000001",
                "ステータス": "300",
                "注文日時": "2026-11-18 10:05:22",
                "支払方法名": "クレジットカード",
                "請求金額": "5480",
                "商品名": "皿 x3",
                "商品管理番号": "sara",
                "個数": "1",
            },
            {
                "注文番号": "123456-20261118-0000000002",
                "ステータス": "発送済",
                "発送完了報告日時": "2026-11-19 09:00:00",
            },
            {"注文番号": "123456-20261118-0000000003", "ステータス": "800", "請求金額": "-9999"},
            {"注文番号": "123456-20261118-0000000004", "ステータス": "900"},
            {"注文番号": "123456-20261118-0000000005", "ステータス": "400"},
            {"注文番号": "123456-20261118-0000000006", "ステータス": "350"},
        ],
        {
            "123456-20261118-0000000001": {
                "status": "preparing",
                "status_word": "300",
                "channel": "rakuten",
                "ordered_at": at("2026-11-18T10:05:22"),
                "cancel_deadline": at("2026-11-20T00:00"),
                "buyer_name": "田中 花子",
                "buyer_mail": "abc@pc.fw.rakuten.ne.jp",
                "payment": "クレジットカード",
                "total": Decimal(5480),
                "currency": "JPY",
                "items": (Item("【送料無料】マグ|青; 大", "mug-b", 2), Item("皿 x3", "sara", 1)),
                "cancel_asked": False,
                "problems": (),
            },
            "123456-20261118-0000000002": {"status": "shipped", "shipped_at": at("2026-11-19T09:00")},
            "123456-20261118-0000000003": {"status": "preparing", "cancel_asked": True, "total": None, "problems": ()},
            "123456-20261118-0000000004": {"status": "cancelled"},
            "123456-20261118-0000000005": {"status": "unknown", "status_word": "400", "problems": ()},
            "123456-20261118-0000000006": {"status": "unknown", "problems": ("unknown_status",)},
        },
        mistakes=[(8, "ステータス", "unknown_status")],
    ),
    Export(
        "rakuten_shipping",
        "rakuten_shipping",
        [
            {
                "注文番号": "123456-20261118-0000000001",
                "お荷物伝票番号": "4000-1111-2222",
                "配送会社": "1001",
                "発送日": "2026-11-19",
            },
            {
                "注文番号": "123456-20261118-0000000001",
                "お荷物伝票番号": "400011113333",
                "配送会社": "1001",
                "発送日": "2026-11-20",
            },
            {"注文番号": "123456-20261118-0000000002"},
        ],
        {
            "123456-20261118-0000000001": {
                "tracking_no": "4000-1111-2222, 400011113333",
                "carrier": "1001",
                "status": "shipped",
                "shipped_at": at("2026-11-20T00:00"),
                "problems": (),
            },
            "123456-20261118-0000000002": {"status": "unknown", "status_word": "", "problems": ()},
        },
    ),
    Export(
        "rakuten_old",
        "rakuten_old",
        [
            {
                "受注番号": "123456-20181118-00000001",
                "受注ステータス": "発送前入金待ち",
                "注文日時": "2018-11-18 10:05:22",
                "注文者名字": "鈴木",
                "注文者名前": "一郎",
                "メールアドレス": "suzuki@mail.example",
                "決済方法": "銀行振込",
                "請求金額(-99999=無効値)": "-99999",
                "合計金額(-99999=無効値)": "3200",
                "商品名": "箸",
                "個数": "1",
                "クレジットカード番号": "4111111111111111",
                "配送日": "0000-00-00",
            },
            {
                "受注番号": "123456-20181118-00000002",
                "受注ステータス": "処理済",
                "配送日": "2018/11/20",
                "お荷物伝票番号": "123456789012",
                "配送会社": "1002",
                "請求金額(-99999=無効値)": "4000",
            },
        ],
        {
            "123456-20181118-00000001": {
                "status": "unpaid",
                "buyer_name": "鈴木 一郎",
                "total": None,
                "shipped_at": None,
                "payment": "銀行振込",
            },
            "123456-20181118-00000002": {
                "status": "shipped",
                "tracking_no": "123456789012",
                "total": Decimal(4000),
                "shipped_at": at("2018-11-20T00:00"),
            },
        },
    ),
    Export(
        "yahoo",
        "yahoo",
        [
            {
                "OrderId": "minato-10000001",
                "OrderTime": "2026/11/18 10:05",
                "OrderStatus": "2",
                "BillLastName": "田中",
                "BillFirstName": "花子",
                "BillMailAddress": "hanako@mail.example",
                "PayMethodName": "PayPay残高払い",
                "TotalPrice": "4980",
                "PayDate": "2026-11-18",
            },
            {
                "OrderId": "minato-10000002",
                "OrderStatus": "5",
                "ShipDate": "2026-11-19",
                "ShipInvoiceNumber1": "4000-1",
                "ShipInvoiceNumber2": "4000-2",
            },
            {"OrderId": "minato-10000003", "OrderStatus": "2", "ShipDate": "2026-11-19"},
            {"OrderId": "minato-10000004", "OrderStatus": "4"},
            {"OrderId": "minato-10000005", "OrderStatus": "3"},
        ],
        {
            "minato-10000001": {
                "status": "preparing",
                "channel": "yahoo",
                "buyer_name": "田中 花子",
                "buyer_mail": "hanako@mail.example",
                "payment": "PayPay残高払い",
                "total": Decimal(4980),
                "paid_at": at("2026-11-18T00:00"),
                "items": (),
            },
            "minato-10000002": {"status": "shipped", "tracking_no": "4000-1, 4000-2"},
            "minato-10000003": {"status": "unknown", "problems": ()},
            "minato-10000004": {"status": "cancelled"},
            "minato-10000005": {"status": "unknown", "status_word": "3", "problems": ()},
        },
    ),
    Export(
        "yahoo_items",
        "yahoo_items",
        [
            {
                "OrderId": "minato-10000001",
                "LineId": "1",
                "Quantity": "2",
                "ItemId": "mug",
                "SubCode": "mug-b",
                "Title": "マグ",
            },
            {"OrderId": "minato-10000001", "LineId": "2", "Quantity": "1", "ItemId": "sara", "Title": "皿"},
        ],
        {"minato-10000001": {"items": (Item("マグ", "mug-b", 2), Item("皿", "sara", 1)), "status_word": ""}},
    ),
    Export(
        "yahoo_shipping",
        "yahoo_shipping",
        [
            {
                "OrderId": "minato-10000001",
                "ShipCompanyCode": "1003",
                "ShipInvoiceNumber1": "1234",
                "ShipDate": "20261119",
            }
        ],
        {
            "minato-10000001": {
                "carrier": "1003",
                "tracking_no": "1234",
                "status": "shipped",
                "shipped_at": at("2026-11-19T00:00"),
            }
        },
    ),
    Export(
        "shopify",
        "shopify",
        [
            {
                "Name": "#1001",
                "Email": "ann@mail.example",
                "Financial Status": "paid",
                "Fulfillment Status": "unfulfilled",
                "Paid at": "2026-11-18 10:05:22 -0800",
                "Created at": "2026-11-18 10:05:20 -0800",
                "Currency": "USD",
                "Total": "25.00",
                "Billing Name": "Ann Lee",
                "Billing Zip": "'01234",
                "Payment Method": "Shopify Payments",
                "Lineitem name": "Mug - blue",
                "Lineitem sku": "MUG-B",
                "Lineitem quantity": "2",
            },
            {
                "Name": "#1001",
                "Email": "ann@mail.example",
                "Lineitem name": "Plate",
                "Lineitem sku": "PL",
                "Lineitem quantity": "1",
            },
            {
                "Name": "#1002",
                "Financial Status": "paid",
                "Fulfillment Status": "fulfilled",
                "Fulfilled at": "2026-11-19 09:00:00 +0900",
            },
            {
                "Name": "#1003",
                "Financial Status": "refunded",
                "Fulfillment Status": "unfulfilled",
                "Cancelled at": "2026-11-19 09:00:00 +0900",
            },
            {"Name": "#1004", "Financial Status": "pending", "Fulfillment Status": "unfulfilled"},
            {"Name": "#1005", "Financial Status": "paid", "Fulfillment Status": "on_hold"},
            {"Name": "#1006", "Financial Status": "voided", "Fulfillment Status": ""},
        ],
        {
            "#1001": {
                "status": "preparing",
                "channel": "shopify",
                "total": Decimal("25.00"),
                "currency": "USD",
                "paid_at": at("2026-11-19T03:05:22"),
                "items": (Item("Mug - blue", "MUG-B", 2), Item("Plate", "PL", 1)),
                "buyer_name": "Ann Lee",
            },
            "#1002": {"status": "shipped", "shipped_at": at("2026-11-19T09:00")},
            "#1003": {"status": "cancelled"},
            "#1004": {"status": "unpaid"},
            "#1005": {"status": "unknown", "problems": ()},
            "#1006": {"status": "cancelled"},
        },
        encoding="utf-8",
    ),
    Export(
        "ebay",
        "ebay",
        [
            {},
            {
                "Sales Record Number": "101",
                "Order Number": "12-34567-89012",
                "Buyer Name": "Jan Novak",
                "Buyer Email": "9ab@members.ebay.com",
                "Quantity": "3",
                "Total Price": "AU $3,000.00",
                "Sale Date": "Nov-18-26",
                "Paid On Date": "Nov-18-26",
                "Ship By Date": "Nov-23-26",
                "Payment Method": "eBay",
            },
            {
                "Sales Record Number": "101",
                "Order Number": "12-34567-89012",
                "Item Title": '12" plate',
                "Custom Label": "PL",
                "Quantity": "2",
            },
            {
                "Sales Record Number": "101",
                "Order Number": "12-34567-89012",
                "Item Title": "Bowl",
                "Item Number": "1234567890",
                "Quantity": "1",
            },
            {
                "Sales Record Number": "102",
                "Order Number": "12-34567-89013",
                "Item Title": "Cup",
                "Quantity": "1",
                "Total Price": "EUR 90,00",
                "Paid On Date": "Nov-18-26",
                "Shipped On Date": "Nov-19-26",
                "Tracking Number": "EE123456785JP",
            },
            {"Sales Record Number": "103", "Order Number": "12-34567-89014", "Total Price": "$25.00"},
        ],
        {
            "12-34567-89012": {
                "status": "preparing",
                "total": Decimal("3000.00"),
                "currency": "AUD",
                "items": (Item('12" plate', "PL", 2), Item("Bowl", "1234567890", 1)),
                "ship_by": at("2026-11-23T00:00"),
                "buyer_mail": "9ab@members.ebay.com",
                "problems": (),
            },
            "12-34567-89013": {
                "status": "shipped",
                "currency": "EUR",
                "total": Decimal("90.00"),
                "tracking_no": "EE123456785JP",
            },
            "12-34567-89014": {"status": "unknown", "total": Decimal("25.00"), "currency": "USD", "problems": ()},
        },
        encoding="utf-8-sig",
        before=["", "," * 80],
        after=["", '"3","record(s) downloaded,"', '"Seller ID : minato"'],
    ),
    Export(
        "ebay",
        "ebay_de",
        [
            {
                "Bestellnummer": "12-34567-89012",
                "Verkauft am": "10-Dez-25",
                "Zahlungsdatum": "10-Dez-25",
                "Gesamtbetrag": "116,99 €",
                "Name des Käufers": "Jörg",
            }
        ],
        {
            "12-34567-89012": {
                "status": "preparing",
                "total": Decimal("116.99"),
                "currency": "EUR",
                "ordered_at": at("2025-12-10T00:00"),
            }
        },
        encoding="utf-8",
        delimiter=";",
    ),
    Export(
        "amazon_unshipped",
        "amazon_unshipped",
        [
            {
                "order-id": "249-1234567-1234567",
                "order-item-id": "1",
                "purchase-date": "2026-11-18T01:05:22+00:00",
                "payments-date": "2026-11-18T01:05:22+00:00",
                "promise-date": "2026-11-21T14:59:59+00:00",
                "buyer-email": "abc@marketplace.amazon.co.jp",
                "buyer-name": "田中花子",
                "sku": "MUG",
                "product-name": '12" plate "blue"',
                "quantity-purchased": "2",
                "quantity-to-ship": "2",
                "is-buyer-requested-cancellation": "TRUE",
            },
            {
                "order-id": "S01-1234567-1234567",
                "purchase-date": "2026-11-18 01:05:22",
                "is-buyer-requested-cancellation": "FALSE",
            },
        ],
        {
            "249-1234567-1234567": {
                "status": "preparing",
                "status_word": "preparing",
                "channel": "amazon",
                "cancel_asked": True,
                "ship_by": at("2026-11-21T14:59:59", "UTC"),
                "items": (Item('12" plate "blue"', "MUG", 2),),
                "extra": {"order-item-id": "1", "quantity-to-ship": "2", "is-buyer-requested-cancellation": "TRUE"},
            },
            "S01-1234567-1234567": {"ordered_at": at("2026-11-18T01:05:22", "UTC"), "cancel_asked": False},
        },
        delimiter="\t",
        quoted=False,
    ),
    Export(
        "amazon_orders",
        "amazon_orders",
        [
            {
                "order-id": "249-1234567-1234567",
                "order-item-id": "1",
                "purchase-date": "2026-11-18T01:05:22+00:00",
                "buyer-email": "abc@marketplace.amazon.co.jp",
                "currency": "JPY",
                "item-price": "2000",
                "shipping-price": "400",
                "product-name": "マグ",
                "sku": "MUG",
                "quantity-purchased": "1",
            },
            {
                "order-id": "249-1234567-1234567",
                "order-item-id": "2",
                "currency": "JPY",
                "item-price": "1000",
                "product-name": "皿",
            },
            {
                "order-id": "249-1234567-1234568",
                "order-item-id": "3",
                "item-price": "1000",
                "item-promotion-discount": "-100",
            },
        ],
        {
            "249-1234567-1234567": {
                "status": "unknown",
                "status_word": "",
                "total": Decimal(3400),
                "currency": "JPY",
                "problems": (),
            },
            "249-1234567-1234568": {"total": None, "problems": ()},
        },
        delimiter="\t",
        quoted=False,
    ),
    Export(
        "amazon_all",
        "amazon_all",
        [
            {
                "amazon-order-id": "249-1234567-1234567",
                "order-status": "Shipped",
                "purchase-date": "2026-11-18T01:05:22+00:00",
                "item-price": "2000",
                "currency": "JPY",
            },
            {"amazon-order-id": "249-1234567-1234568", "order-status": "Cancelled"},
            {"amazon-order-id": "249-1234567-1234569", "order-status": "Unshipped"},
            {"amazon-order-id": "249-1234567-1234570", "order-status": "Shipped - Delivered to Buyer"},
            {"amazon-order-id": "249-1234567-1234571", "order-status": "Pending"},
        ],
        {
            "249-1234567-1234567": {"status": "shipped", "total": Decimal(2000)},
            "249-1234567-1234568": {"status": "cancelled"},
            "249-1234567-1234569": {"status": "preparing"},
            "249-1234567-1234570": {"status": "delivered"},
            "249-1234567-1234571": {"status": "unknown", "problems": ()},
        },
        encoding="utf-8",
        delimiter="\t",
        quoted=False,
    ),
    Export(
        "amazon_shipments",
        "amazon_shipments",
        [
            {
                "amazon-order-id": "249-1234567-1234567",
                "shipment-date": "2026-11-19T01:00:00+00:00",
                "carrier": "Yamato",
                "tracking-number": "400011112222",
            }
        ],
        {"249-1234567-1234567": {"status": "shipped", "carrier": "Yamato", "tracking_no": "400011112222"}},
        delimiter="\t",
        quoted=False,
    ),
    Export(
        "base",
        "base",
        [
            {
                "注文ID": "8F2C4A1B9D3E7F60",
                "注文日時": "2026-11-18 10:05:22",
                "氏(請求先)": "田中",
                "名(請求先)": "花子",
                "メールアドレス(請求先)": "hanako@mail.example",
                "商品名": "マグ",
                "バリエーション": "青",
                "数量": "1",
                "合計金額": "3200",
                "支払い方法": "クレジットカード決済",
                "発送状況": "未対応",
                "商品ID": "111",
            },
            {
                "注文ID": "8F2C4A1B9D3E7F60",
                "商品名": "商品オプション「名入れ」",
                "バリエーション": "HANAKO",
                "数量": "1",
            },
            {"注文ID": "8F2C4A1B9D3E7F61", "発送状況": "発送済み"},
            {"注文ID": "8F2C4A1B9D3E7F62", "発送状況": "入金待ち"},
            {"注文ID": "8F2C4A1B9D3E7F63", "発送状況": "キャンセル"},
        ],
        {
            "8F2C4A1B9D3E7F60": {
                "status": "preparing",
                "items": (Item("マグ 青", "111", 1),),
                "buyer_name": "田中 花子",
                "total": Decimal(3200),
                "channel": "own",
            },
            "8F2C4A1B9D3E7F61": {"status": "shipped"},
            "8F2C4A1B9D3E7F62": {"status": "unpaid"},
            "8F2C4A1B9D3E7F63": {"status": "cancelled"},
        },
    ),
    Export(
        "makeshop",
        "makeshop",
        [
            {
                "日付": "2026/11/8",
                "注文時間": "103309",
                "注文番号": "P123456789012345678",
                "処理状況": "未処理",
                "注文者": "山田太郎",
                "メールアドレス": "taro@mail.example",
            },
            {"日付": "2026/11/8", "注文時間": "93309", "注文番号": "P123456789012345679", "処理状況": "配送"},
            {"注文番号": "P123456789012345680", "処理状況": "返送"},
        ],
        {
            "P123456789012345678": {
                "status": "preparing",
                "ordered_at": at("2026-11-08T10:33:09"),
                "buyer_name": "山田太郎",
            },
            "P123456789012345679": {"status": "shipped", "ordered_at": at("2026-11-08T09:33:09"), "problems": ()},
            "P123456789012345680": {"status": "unknown", "problems": ()},
        },
    ),
    Export(
        "eccube",
        "eccube4",
        [
            {
                "注文ID": "55",
                "注文番号": "2026-0055",
                "お名前(姓)": "田中",
                "お名前(名)": "花子",
                "メールアドレス": "hanako@mail.example",
                "対応状況(ID)": "5",
                "対応状況(名称)": "発送済み",
                "支払方法(名称)": "代金引換",
                "支払合計": "3520.00",
                "受注日": "2026-11-18 10:05:22",
                "商品名": "マグ",
                "規格分類名1": "青",
                "商品コード": "mug-b",
                "個数": "1",
                "明細区分(ID)": "1",
                "明細区分(名称)": "商品",
                "発送日": "2026-11-19",
                "出荷伝票番号": "400011112222",
                "配送業者(名称)": "ヤマト運輸",
            },
            {"注文番号": "2026-0055", "商品名": "送料", "個数": "1", "明細区分(ID)": "2", "明細区分(名称)": "送料"},
        ],
        {
            "2026-0055": {
                "status": "shipped",
                "items": (Item("マグ 青", "mug-b", 1),),
                "total": Decimal("3520.00"),
                "tracking_no": "400011112222",
                "carrier": "ヤマト運輸",
                "buyer_name": "田中 花子",
            }
        },
    ),
    Export(
        "eccube",
        "eccube2",
        [
            {"注文ID": "55", "対応状況(ID)": "6", "対応状況(名称)": "入金済み", "お名前(姓)": "田中"},
            {"注文ID": "56", "対応状況(ID)": "1", "対応状況(名称)": "新規受付"},
        ],
        {"55": {"status": "paid", "buyer_name": "田中"}, "56": {"status": "preparing"}},
    ),
    Export(
        "colorme",
        "colorme",
        [
            {
                "売上ID": "12342345",
                "受注日": "2026/11/18",
                "購入者 名前": "田中花子",
                "購入者 メールアドレス": "hanako@mail.example",
                "入金状態": "入金済",
                "発送状態": "未発送",
                "決済方法": "コンビニ",
                "購入商品 商品名": "マグ",
                "購入商品 販売個数": "2",
            },
            {"売上ID": "12342346", "入金状態": "入金済", "発送状態": "発送済"},
            {"売上ID": "12342347", "入金状態": "未入金", "発送状態": "未発送"},
        ],
        {
            "12342345": {"status": "paid", "items": (Item("マグ", "", 2),), "payment": "コンビニ"},
            "12342346": {"status": "shipped"},
            "12342347": {"status": "unpaid"},
        },
    ),
    Export(
        "next_engine",
        "next_engine",
        [
            {
                "店舗伝票番号": "N-100",
                "受注日": "2026/11/18 10:05:22",
                "受注名": "田中花子",
                "受注メールアドレス": "hanako@mail.example",
                "合計金額": "3070",
                "発送方法": "佐川急便",
                "商品名": "マグ",
                "受注数量": "1",
            },
            {"店舗伝票番号": "N-101", "出荷済フラグ": "1"},
        ],
        {
            "N-100": {
                "status": "unknown",
                "status_word": "",
                "carrier": "佐川急便",
                "total": Decimal(3070),
                "problems": (),
            },
            "N-101": {"status": "shipped"},
        },
    ),
    Export(
        "aupay",
        "aupay",
        [
            {
                "orderId": "400000001",
                "orderDate": "2026/11/18 10:05",
                "ordererName": "田中花子",
                "mailAddress": "x1@order.wowma.jp",
                "settlementName": "クレジットカード",
                "orderStatus": "発送待ち",
                "shipStatus": "N",
                "cancelStatus": "N",
                "requestPrice": "4980",
                "itemName": "マグ",
                "itemOption": "青",
                "itemCode": "mug",
                "unit": "2",
                "shippingCarrier": "1",
            },
            {
                "orderId": "400000002",
                "orderStatus": "完了",
                "shipStatus": "Y",
                "cancelStatus": "N",
                "shippingNumber": "400011112222",
                "shippingDate": "2026/11/19",
            },
            {"orderId": "400000003", "orderStatus": "キャンセル", "cancelStatus": "Y"},
            {"orderId": "400000004", "orderStatus": "キャンセル受付中", "cancelStatus": "N"},
        ],
        {
            "400000001": {
                "status": "preparing",
                "items": (Item("マグ 青", "mug", 2),),
                "carrier": "",
                "total": Decimal(4980),
            },
            "400000002": {"status": "shipped", "tracking_no": "400011112222"},
            "400000003": {"status": "cancelled"},
            "400000004": {"status": "preparing", "cancel_asked": True},
        },
    ),
    Export(
        "plain",
        "plain",
        [{"order_id": "1042", "status": "発送済み", "total": "4,980", "items": "マグ x2; 皿", "note": "急ぎ"}],
        {"1042": {"status": "shipped", "items": (Item("マグ", "", 2), Item("皿", "", 1)), "extra": {"note": "急ぎ"}}},
    ),
]


@pytest.mark.parametrize("export", EXPORTS, ids=str)
def test_an_export_is_recognised_and_read(export: Export) -> None:
    raw = sheet(
        HEADERS[export.headers],
        export.rows,
        delimiter=export.delimiter,
        before=export.before,
        after=export.after,
        encoding=export.encoding,
        quoted=export.quoted,
    )
    table = read(raw)
    assert table.layout == export.layout
    assert [(m.line, m.key, m.code) for m in table.mistakes] == list(export.mistakes)
    assert sorted(order.order_id for order in table.orders.values()) == sorted(export.orders)
    for order in table.orders.values():
        wanted = export.orders[order.order_id]
        assert {name: getattr(order, name) for name in wanted} == dict(wanted), order.order_id


def test_every_layout_is_shown_by_an_export() -> None:
    assert {export.layout for export in EXPORTS} == {"plain", *(layout.name for layout in shipped_layouts())}


@pytest.mark.parametrize("export", EXPORTS, ids=str)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_encoding_delimiter_and_junk_are_found_out(export: Export, encoding: str) -> None:
    """Blank and comma lines before the header, headers in another width and case, a footer below."""
    headers = [
        widened(name) if index % 3 == 0 else f" {name.upper()} " for index, name in enumerate(HEADERS[export.headers])
    ]
    if encoding == "cp932" and export.headers == "ebay_de":
        pytest.skip("Shift_JIS has no ß")
    rows = [{headers[HEADERS[export.headers].index(k)]: v for k, v in row.items()} for row in export.rows]
    raw = sheet(
        headers,
        rows,
        delimiter=export.delimiter,
        before=["", export.delimiter * 5, ""],
        after=[export.delimiter * 3, "12 record(s) downloaded"],
        encoding=encoding if export.headers != "ebay_de" else "utf-8",
        quoted=export.quoted,
    )
    table = read(raw)
    assert table.layout == export.layout
    assert sorted(order.order_id for order in table.orders.values()) == sorted(export.orders)


def widened(text: str) -> str:
    """ASCII letters and digits in full width."""
    return "".join(chr(ord(char) + 0xFEE0) if char.isascii() and char.isalnum() else char for char in text)


def test_card_numbers_are_not_kept() -> None:
    export = next(one for one in EXPORTS if one.layout == "rakuten_old")
    table = read(sheet(HEADERS["rakuten_old"], export.rows, encoding="cp932"))
    assert all("4111" not in value for order in table.orders.values() for value in order.extra.values())


def test_cells_that_contradict_only_where_they_must_agree() -> None:
    rows = [
        {"注文番号": "P1", "処理状況": "未処理", "合計金額": "100"},
        {"注文番号": "P1", "処理状況": "未処理", "合計金額": "200"},
    ]
    (order,) = read(sheet(["注文番号", "処理状況", "合計金額"], rows)).orders.values()
    assert (order.total, order.problems) == (None, ()), "a price a row is no price of the order"
    rows[1]["処理状況"] = "配送"
    (order,) = read(sheet(["注文番号", "処理状況", "合計金額"], rows)).orders.values()
    assert order.problems == ("rows_disagree",)
    assert [(doubt.file, doubt.line, doubt.key) for doubt in order.doubts] == [("export.csv", 3, "処理状況")]


def test_an_amount_in_another_currency_than_the_mall_s_is_a_mix_up() -> None:
    rows = [{"注文番号": "1-20261118-1", "ステータス": "300", "注文日時": "2026-11-18", "請求金額": "$25.00"}]
    table = read(sheet(["注文番号", "ステータス", "注文日時", "請求金額"], rows))
    assert [(m.line, m.key, m.code, dict(m.args)["found"]) for m in table.mistakes] == [
        (2, "請求金額", "currency_mixed", "JPY")
    ]


def test_rounded_numbers_are_named_and_never_guessed() -> None:
    table = read(b"order_id,tracking_no\n1,4.00012E+11\n2.49E+16,1\n3,1\n")
    assert [(m.line, m.key, m.code) for m in table.mistakes] == [
        (2, "tracking_no", "number_rounded"),
        (3, "order_id", "order_number_rounded"),
    ]
    assert {order.order_id: (order.tracking_no, order.problems) for order in table.orders.values()} == {
        "1": ("", ("number_rounded",)),
        "3": ("1", ()),
    }


def test_a_stray_quotation_mark_holds_its_order_and_no_other() -> None:
    table = read(b'order_id,status,items\n1,paid,a\n2,paid,"5" plate"\n3,paid,c\n')
    assert [(m.line, m.code) for m in table.mistakes] == [(3, "row_broken")]
    assert {order.order_id: order.problems for order in table.orders.values()} == {
        "1": (),
        "2": ("row_broken",),
        "3": (),
    }


def test_spreadsheet_marks_headers_within_and_footers_are_no_cells() -> None:
    table = read(
        'order_id,status,memo\n="0012",paid,\n\'0013,paid,\norder_id,status,memo\n14,paid,\n合計,,3\n件数 3,,\n'.encode()
    )
    assert [order.order_id for order in table.orders.values()] == ["0012", "0013", "14"]
    assert table.mistakes == ()


def test_rows_without_a_number_and_orders_apart_belong_together() -> None:
    table = read(b"Name,Financial Status,Lineitem name\n#1,paid,a\n#2,paid,b\n#1,,c\n,,d\n")
    assert {o.order_id: [item.name for item in o.items] for o in table.orders.values()} == {
        "#1": ["a", "c", "d"],
        "#2": ["b"],
    }


# --- the shop's own word --------------------------------------------------------------------------------------------


def test_the_shop_s_columns_and_words_go_before_the_layout() -> None:
    reading = Reading(
        TOKYO,
        columns={"ship_by": "お届け日指定", "order_id": "管理番号"},
        words=status_words(),
        own_words=status_words({"300": "out_of_stock"}),
        layouts=shipped_layouts(),
    )
    rows = [{"注文番号": "1-20261118-1", "ステータス": "300", "注文日時": "2026-11-18", "お届け日指定": "2026-11-25"}]
    table = read(sheet(["注文番号", "ステータス", "注文日時", "お届け日指定"], rows), reading)
    (order,) = table.orders.values()
    assert (order.status, order.ship_by, table.mistakes) == ("out_of_stock", at("2026-11-25T00:00"), ())


def test_a_shop_s_layout_file_adds_and_replaces(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(
        'name = "ours"\ntitle = "販売管理"\nknown_by = [["伝票No", "得意先"]]\ncolumns = { order_id = "伝票No", buyer_name = "得意先" }\n'
        '[[status]]\ncolumn = "区分"\nwords = { A = "shipped" }\n',
        encoding="utf-8",
    )
    layouts = load_layouts(tmp_path)
    assert {"ours", "rakuten"} <= {layout.name for layout in layouts}
    reading = Reading(TOKYO, words=status_words(), layouts=layouts)
    (order,) = read("伝票No,得意先,区分\nX-1,田中商店,A\n".encode(), reading).orders.values()
    assert (order.order_id, order.buyer_name, order.status) == ("X-1", "田中商店", "shipped")


@pytest.mark.parametrize(
    ("text", "line", "key", "code", "suggestion"),
    [
        (
            'name = "x"\ntitle = "x"\nknown_by = [["a"]]\nknwon = 1\n[columns]\norder_id = "a"\n',
            4,
            "knwon",
            "unknown_key",
            "known_by",
        ),
        (
            'name = "x"\ntitle = "x"\nknown_by = [["a"]]\n[columns]\norder_id = "a"\nbuyer_mial = "b"\n',
            6,
            "columns.buyer_mial",
            "unknown_order_field",
            "buyer_mail",
        ),
        ('name = "x"\ntitle = "x"\nknown_by = [["a"]]\n[columns]\nstatus = "a"\n', 4, "columns", "missing_key", None),
        (
            'name = "x"\ntitle = "x"\nknown_by = [["a"]]\n[columns]\norder_id = "a"\n[[status]]\ncolumn = "b"\nwords = { A = "shiped" }\n',
            8,
            "status[0].words.A",
            "bad_choice",
            "shipped",
        ),
        ("name =", 1, "", "toml_syntax", None),
    ],
)
def test_mistakes_in_a_layout_are_named(
    tmp_path: Path, text: str, line: int, key: str, code: str, suggestion: str | None
) -> None:
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as found:
        load_layouts(tmp_path)
    (mistake,) = found.value.mistakes
    assert (mistake.line, mistake.key, mistake.code, mistake.suggestion) == (line, key, code, suggestion)


# --- anything at all ------------------------------------------------------------------------------------------------

RAWS = [
    sheet(
        HEADERS[e.headers],
        e.rows,
        delimiter=e.delimiter,
        before=e.before,
        after=e.after,
        encoding=e.encoding,
        quoted=e.quoted,
    )
    for e in EXPORTS
]
SPLICES = [
    b'"',
    b",",
    b"\t",
    b"\r\n",
    b"\n",
    b"\0",
    b"\xff",
    b"\x82",
    "発".encode(),
    b"9" * 40,
    b'="1"',
    b"'",
    b"E+11",
    b"-9999",
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(RAWS),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(SPLICES), st.integers(0, 60)), max_size=6),
    st.floats(0, 1),
)
def test_whatever_is_done_to_an_export_nothing_else_is_raised(
    raw: bytes, cuts: list[tuple[float, bytes, int]], end: float
) -> None:
    for where, splice, gone in cuts:
        place = int(where * len(raw))
        raw = raw[:place] + splice + raw[place + gone :]
    if end < 0.5:
        raw = raw[: int(2 * end * len(raw))]
    try:
        table = read(raw)
    except ConfigError:
        return
    for order in table.orders.values():
        assert isinstance(order, Order)
        assert order.order_id


def test_headers_of_other_files_are_no_orders() -> None:
    for header in (["name", "price"], ["商品名", "在庫"], ["id"], [], [""], ["order"]):
        assert recognise(header, READING) is None
