"""The header lines of order exports, as the marketplaces and shop systems write them."""

from __future__ import annotations

from collections.abc import Mapping

_LINES = {
    "rakuten": (
        "注文番号|ステータス|サブステータスID|サブステータス|注文日時|注文日|注文時間|キャンセル期限日|"
        "注文確認日時|注文確定日時|発送指示日時|発送完了報告日時|支払方法名|クレジットカード支払い方法|"
        "クレジットカード支払い回数|配送方法|配送区分|注文種別|複数送付先フラグ|送付先一致フラグ|離島フラグ|"
        "楽天確認中フラグ|警告表示タイプ|楽天会員フラグ|購入履歴修正有無フラグ|商品合計金額|消費税合計|"
        "送料合計|代引料合計|請求金額|合計金額|ポイント利用額|クーポン利用総額|店舗発行クーポン利用額|"
        "楽天発行クーポン利用額|注文者郵便番号1|注文者郵便番号2|注文者住所都道府県|注文者住所郡市区|"
        "注文者住所それ以降の住所|注文者姓|注文者名|注文者姓カナ|注文者名カナ|注文者電話番号1|"
        "注文者電話番号2|注文者電話番号3|注文者メールアドレス|注文者性別|申込番号|申込お届け回数|送付先ID|"
        "送付先送料|送付先代引料|送付先消費税合計|送付先商品合計金額|送付先合計金額|のし|送付先郵便番号1|"
        "送付先郵便番号2|送付先住所都道府県|送付先住所郡市区|送付先住所それ以降の住所|送付先姓|送付先名|"
        "送付先姓カナ|送付先名カナ|送付先電話番号1|送付先電話番号2|送付先電話番号3|商品明細ID|商品ID|商品名|"
        "商品番号|商品管理番号|単価|個数|送料込別|税込別|代引手数料込別|項目・選択肢|ポイント倍率|納期情報|"
        "在庫タイプ|ラッピングタイトル1|ラッピング名1|ラッピング料金1|ラッピング税込別1|ラッピング種類1|"
        "ラッピングタイトル2|ラッピング名2|ラッピング料金2|ラッピング税込別2|ラッピング種類2|お届け時間帯|"
        "お届け日指定|担当者|ひとことメモ|ギフト配送希望|コメント|利用端末|メールキャリアコード|"
        "あす楽希望フラグ|医薬品受注フラグ|楽天スーパーDEAL商品受注フラグ|メンバーシッププログラム受注タイプ"
    ),
    "rakuten_old": (
        "受注番号|受注ステータス|カード決済ステータス|入金日|配送日|お届け時間帯|お届け日指定|担当者|"
        "ひとことメモ|メール差込文(お客様へのメッセージ)|初期購入合計金額|利用端末|メールキャリアコード|"
        "ギフトチェック（0:なし/1:あり）|コメント|注文日時|複数送付先フラグ|警告表示フラグ|楽天会員フラグ|"
        "合計|消費税(-99999=無効値)|送料(-99999=無効値)|代引料(-99999=無効値)|請求金額(-99999=無効値)|"
        "合計金額(-99999=無効値)|同梱ID|同梱ステータス|同梱商品合計金額|同梱送料合計|同梱代引料合計|"
        "同梱消費税合計|同梱請求金額|同梱合計金額|同梱楽天バンク決済振替手数料|同梱ポイント利用合計|"
        "メールフラグ|注文日|注文時間|モバイルキャリア決済番号|購入履歴修正可否タイプ|"
        "購入履歴修正アイコンフラグ|購入履歴修正催促メールフラグ|送付先一致フラグ|ポイント利用有無|"
        "注文者郵便番号１|注文者郵便番号２|注文者住所：都道府県|注文者住所：都市区|注文者住所：町以降|"
        "注文者名字|注文者名前|注文者名字フリガナ|注文者名前フリガナ|注文者電話番号１|注文者電話番号２|"
        "注文者電話番号３|メールアドレス|注文者性別|注文者誕生日|決済方法|クレジットカード種類|"
        "クレジットカード番号|クレジットカード名義人|クレジットカード有効期限|クレジットカード分割選択|"
        "クレジットカード分割備考|配送方法|配送区分|ポイント利用額|ポイント利用条件|ポイントステータス|"
        "楽天バンク決済ステータス|楽天バンク振替手数料負担区分|楽天バンク決済手数料|送付先送料|送付先代引料|"
        "送付先消費税|お荷物伝票番号|送付先商品合計金額|のし|送付先郵便番号１|送付先郵便番号２|送付先名字|"
        "送付先名前|送付先電話番号１|商品ID|商品名|商品番号|商品URL|単価|個数|送料込別|税込別|"
        "代引手数料込別|項目・選択肢|ポイント倍率|ポイントタイプ|レコードナンバー|納期情報|在庫タイプ|"
        "あす楽希望|クーポン利用額|店舗発行クーポン利用額|楽天発行クーポン利用額|同梱注文クーポン利用額|"
        "配送会社|薬事フラグ|楽天スーパーDEAL|メンバーシッププログラム"
    ),
    "rakuten_shipping": ("注文番号|送付先ID|発送明細ID|お荷物伝票番号|配送会社|発送日"),
    "yahoo": (
        "OrderId|ParentOrderId|DeviceType|IsAffiliate|FspLicenseCode|FspLicenseName|OrderTime|"
        "OrderTimeUnixEpoch|UsePointType|OrderStatus|StoreStatus|Referer|EntryPoint|Clink|SuspectMessage|"
        "IsItemCoupon|IsShippingCoupon|ShipName|ShipFirstName|ShipLastName|ShipAddress1|ShipAddress2|"
        "ShipCity|ShipPrefecture|ShipZipCode|ShipNameKana|ShipFirstNameKana|ShipLastNameKana|"
        "ShipAddress1Kana|ShipAddress2Kana|ShipCityKana|ShipPrefectureKana|ShipSection1Field|"
        "ShipSection1Value|ShipSection2Field|ShipSection2Value|ShipPhoneNumber|ShipEmgPhoneNumber|"
        "ShipMethod|ShipMethodName|ShipRequestDate|ShipRequestTime|ShipNotes|ArriveType|ShipInvoiceNumber1|"
        "ShipInvoiceNumber2|ShipUrl|ShipDate|GiftWrapType|GiftWrapPaperType|GiftWrapName|NeedBillSlip|"
        "NeedDetailedSlip|NeedReceipt|Option1Field|Option1Value|Option2Field|Option2Value|GiftWrapMessage|"
        "BillName|BillFirstName|BillLastName|BillAddress1|BillAddress2|BillCity|BillPrefecture|BillZipCode|"
        "BillNameKana|BillFirstNameKana|BillLastNameKana|BillAddress1Kana|BillAddress2Kana|BillCityKana|"
        "BillPrefectureKana|BillSection1Field|BillSection1Value|BillSection2Field|BillSection2Value|"
        "BillPhoneNumber|BillEmgPhoneNumber|BillMailAddress|PayMethod|PayMethodName|PayKind|CardPayCount|"
        "CardPayType|SettleStatus|SettleId|PayNo|PayNoIssueDate|PayDate|BuyerComments|AgeConfirm|"
        "QuantityDetail|ShipCharge|PayCharge|GiftWrapCharge|Discount|UsePoint|GetPoint|Total|TotalPrice|"
        "ShippingCouponDiscount|ItemCouponDiscount|TotalMallCouponDiscount|Id"
    ),
    "yahoo_items": (
        "OrderId|LineId|Quantity|ItemId|SubCode|Title|ItemOptionName|ItemOptionValue|SubCodeOption|"
        "InscriptionName|InscriptionValue|UnitPrice|UnitGetPoint|LineSubTotal|LineGetPoint|PointFspCode|"
        "Condition|CouponId|CouponDiscount|OriginalPrice|IsGetPointFix|GetPointFixDate|ReleaseDate|"
        "GetPointType|Jan|ProductId|Id"
    ),
    "yahoo_shipping": (
        "OrderId|ShipMethod|ShipCompanyCode|ShipInvoiceNumber1|ShipInvoiceNumber2|"
        "ShipInvoiceNumberEmptyReason|ShipDate|ShipStatus|StoreStatus"
    ),
    "shopify": (
        "Name|Email|Financial Status|Paid at|Fulfillment Status|Fulfilled at|Accepts Marketing|Currency|"
        "Subtotal|Shipping|Taxes|Total|Discount Code|Discount Amount|Shipping Method|Created at|"
        "Lineitem quantity|Lineitem name|Lineitem price|Lineitem compare at price|Lineitem sku|"
        "Lineitem requires shipping|Lineitem taxable|Lineitem fulfillment status|Billing Name|"
        "Billing Street|Billing Address1|Billing Address2|Billing Company|Billing City|Billing Zip|"
        "Billing Province|Billing Country|Billing Phone|Shipping Name|Shipping Street|Shipping Address1|"
        "Shipping Address2|Shipping Company|Shipping City|Shipping Zip|Shipping Province|Shipping Country|"
        "Shipping Phone|Notes|Note Attributes|Cancelled at|Payment Method|Payment Reference|Refunded Amount|"
        "Vendor|Outstanding Balance|Employee|Location|Device ID|Id|Tags|Risk Level|Source|Lineitem discount|"
        "Tax 1 Name|Tax 1 Value|Tax 2 Name|Tax 2 Value|Phone|Receipt Number|Duties|Billing Province Name|"
        "Shipping Province Name|Payment ID|Payment Terms Name|Next Payment Due At|Payment References"
    ),
    "ebay": (
        "Sales Record Number|Order Number|Buyer Username|Buyer Name|Buyer Email|Buyer Note|Buyer Address 1|"
        "Buyer Address 2|Buyer City|Buyer State|Buyer Zip|Buyer Country|Buyer Tax Identifier Name|"
        "Buyer Tax Identifier Value|Ship To Name|Ship To Phone|Ship To Address 1|Ship To Address 2|"
        "Ship To City|Ship To State|Ship To Zip|Ship To Country|Item Number|Item Title|Custom Label|"
        "Sold Via Promoted Listings|Quantity|Sold For|Shipping And Handling|Item Location|Item Zip Code|"
        "Item Country|eBay Collect And Remit Tax Rate|eBay Collect And Remit Tax Type|eBay Reference Name|"
        "eBay Reference Value|Tax Status|Seller Collected Tax|eBay Collected Tax|"
        "Electronic Waste Recycling Fee|Mattress Recycling Fee|Battery Recycling Fee|"
        "White Goods Disposal Tax|Tire Recycling Fee|Additional Fee|eBay Collected Charges|Total Price|"
        "eBay Collected Tax Included in Total|Payment Method|Sale Date|Paid On Date|Ship By Date|"
        "Minimum Estimated Delivery Date|Maximum Estimated Delivery Date|Shipped On Date|Feedback Left|"
        "Feedback Received|My Item Note|PayPal Transaction ID|Shipping Service|Tracking Number|"
        "Transaction ID|Variation Details|Global Shipping Program|Global Shipping Reference ID|"
        "Click And Collect|Click And Collect Reference Number|eBay Plus|Authenticity Verification Program|"
        "Authenticity Verification Status|eBay Vault Program|Vault Fulfillment Type|"
        "eBay Fulfillment Program|Tax City|Tax State|Tax Zip|Tax Country"
    ),
    "ebay_de": (
        "Verkaufsprotokollnummer|Bestellnummer|Nutzername des Käufers|Name des Käufers|E-Mail des Käufers|"
        "Artikelnummer|Angebotstitel|Bestandseinheit|Anzahl|Verkauft für|Verpackung und Versand|"
        "Inklusive MwSt.-Satz|Gesamtbetrag|Zahlungsmethode|Verkauft am|Zahlungsdatum|Verschickt am - Datum|"
        "Sendungsverfolgungsnummer"
    ),
    "amazon_unshipped": (
        "order-id|order-item-id|purchase-date|payments-date|reporting-date|promise-date|days-past-promise|"
        "buyer-email|buyer-name|buyer-phone-number|sku|product-name|quantity-purchased|quantity-shipped|"
        "quantity-to-ship|ship-service-level|recipient-name|ship-address-1|ship-address-2|ship-address-3|"
        "ship-city|ship-state|ship-postal-code|ship-country|payment-method|cod-collectible-amount|"
        "already-paid|payment-method-fee|scheduled-delivery-start-date|scheduled-delivery-end-date|"
        "points-granted|is-prime|is-buyer-requested-cancellation|buyer-requested-cancel-reason"
    ),
    "amazon_orders": (
        "order-id|order-item-id|purchase-date|payments-date|buyer-email|buyer-name|buyer-phone-number|sku|"
        "product-name|quantity-purchased|currency|item-price|item-tax|shipping-price|shipping-tax|"
        "ship-service-level|recipient-name|ship-address-1|ship-address-2|ship-address-3|ship-city|"
        "ship-state|ship-postal-code|ship-country|ship-phone-number|item-promotion-discount|"
        "item-promotion-id|ship-promotion-discount|ship-promotion-id|delivery-start-date|delivery-end-date|"
        "delivery-time-zone|delivery-Instructions|sales-channel|earliest-ship-date|latest-ship-date|"
        "earliest-delivery-date|latest-delivery-date|is-business-order|purchase-order-number|"
        "price-designation|is-prime|is-buyer-requested-cancellation"
    ),
    "amazon_all": (
        "amazon-order-id|merchant-order-id|purchase-date|last-updated-date|order-status|fulfillment-channel|"
        "sales-channel|order-channel|url|ship-service-level|product-name|sku|asin|item-status|quantity|"
        "currency|item-price|item-tax|shipping-price|shipping-tax|gift-wrap-price|gift-wrap-tax|"
        "item-promotion-discount|ship-promotion-discount|ship-city|ship-state|ship-postal-code|ship-country|"
        "promotion-ids|is-business-order|purchase-order-number|price-designation"
    ),
    "amazon_shipments": (
        "amazon-order-id|merchant-order-id|shipment-id|shipment-item-id|amazon-order-item-id|"
        "merchant-order-item-id|purchase-date|payments-date|shipment-date|reporting-date|buyer-email|"
        "buyer-name|buyer-phone-number|sku|product-name|quantity-shipped|currency|item-price|item-tax|"
        "shipping-price|ship-service-level|recipient-name|ship-address-1|ship-city|ship-state|"
        "ship-postal-code|ship-country|carrier|tracking-number|estimated-arrival-date|fulfillment-center-id|"
        "fulfillment-channel|sales-channel"
    ),
    "base": (
        "注文ID|注文日時|氏(請求先)|名(請求先)|郵便番号(請求先)|都道府県(請求先)|住所(請求先)|住所2(請求先)|"
        "電話番号(請求先)|メールアドレス(請求先)|氏(配送先)|名(配送先)|郵便番号(配送先)|都道府県(配送先)|"
        "住所(配送先)|住所2(配送先)|電話番号(配送先)|備考|商品名|バリエーション|価格|税率|数量|合計金額|"
        "送料|支払い方法|代引き手数料|発送状況|商品ID|種類ID|購入元|配送日|配送時間帯|注文メモ|調整金額"
    ),
    "makeshop": (
        "日付|注文時間|注文番号|処理状況|会社名|部署名|注文者|注文者(振り仮名)|メールアドレス|商品名|"
        "独自商品コード|数量|決済方法|合計金額"
    ),
    "eccube4": (
        "注文ID|注文番号|会員ID|お名前(姓)|お名前(名)|お名前(セイ)|お名前(メイ)|会社名|郵便番号|"
        "都道府県(ID)|都道府県(名称)|住所1|住所2|メールアドレス|TEL|性別(ID)|性別(名称)|職業(ID)|職業(名称)|"
        "誕生日|ショップ用メモ欄|小計|値引き|送料|税金|合計|支払合計|対応状況(ID)|対応状況(名称)|"
        "支払方法(ID)|支払方法(名称)|受注日|入金日|注文詳細ID|商品ID|商品規格ID|商品名|商品コード|規格名1|"
        "規格名2|規格分類名1|規格分類名2|価格|個数|税率|税率ルール(ID)|明細区分(ID)|明細区分(名称)|出荷ID|"
        "配送先_お名前(姓)|配送先_お名前(名)|配送先_お名前(セイ)|配送先_お名前(メイ)|配送先_会社名|"
        "配送先_郵便番号|配送先_都道府県(ID)|配送先_都道府県(名称)|配送先_住所1|配送先_住所2|配送先_TEL|"
        "配送業者(ID)|配送業者(名称)|お届け時間ID|お届け時間(名称)|お届け希望日|発送日|出荷伝票番号|"
        "配達用メモ|出荷メール送信日"
    ),
    "eccube2": (
        "注文ID|会員ID|お名前(姓)|お名前(名)|お名前(セイ)|お名前(メイ)|会社名|郵便番号1|郵便番号2|"
        "都道府県(ID)|都道府県(名称)|住所1|住所2|メールアドレス|TEL1|TEL2|TEL3|FAX1|FAX2|FAX3|性別(ID)|"
        "性別(名称)|職業(ID)|職業(名称)|誕生日|ショップ用メモ欄|小計|値引き|送料|税金|合計|支払合計|"
        "対応状況(ID)|対応状況(名称)|支払方法(ID)|支払方法(名称)|受注日|入金日|発送日|注文詳細ID|商品ID|"
        "商品規格ID|商品名|商品コード|規格名1|規格名2|規格分類名1|規格分類名2|価格|個数|税率|税率ルール(ID)"
    ),
    "colorme": (
        "売上ID|受注日|PC・携帯区分|購入者 顧客ID|購入者 名前|購入者 郵便番号|購入者 都道府県|購入者 住所|"
        "購入者 メールアドレス|購入者 電話番号|購入者 携帯番号|決済方法|送料合計|メッセージカード手数料合計|"
        "割引名称|割引金額|入金状態|発送状態|購入商品 商品ID|購入商品 型番|購入商品 商品名|"
        "購入商品 販売価格(消費税込)|購入商品 販売個数|購入商品 小計|配送先ID|配送先 名前|配送先 フリガナ|"
        "配送先 郵便番号|配送先 都道府県名|配送先 住所|配送先 電話番号|配送希望日|配送希望時間|配送先 備考"
    ),
    "next_engine": (
        "店舗伝票番号|受注日|受注郵便番号|受注住所１|受注住所２|受注名|受注名カナ|受注電話番号|"
        "受注メールアドレス|発送郵便番号|発送先住所１|発送先住所２|発送先名|発送先カナ|発送電話番号|"
        "支払方法|発送方法|商品計|税金|発送料|手数料|ポイント|その他費用|合計金額|ギフトフラグ|時間帯指定|"
        "日付指定|作業者欄|備考|商品名|商品コード|商品価格|受注数量|商品オプション|出荷済フラグ|顧客区分|"
        "顧客コード|消費税率（%）"
    ),
    "aupay": (
        "controlType|orderId|orderDetailId|orderDate|sellMethodSegment|releaseDate|siteAndDevice|"
        "itemManagementId|itemCode|lotnumber|itemName|itemOption|shippingDayDispText|shippingTimelimitDate|"
        "mailAddress|ordererName|ordererKana|ordererZipCode|ordererAddress|ordererPhoneNumber1|"
        "ordererPhoneNumber2|nickname|senderName|senderKana|senderZipCode|senderAddress|senderPhoneNumber1|"
        "senderPhoneNumber2|orderOption|settlementName|userComment|memo|orderStatus|contactStatus|"
        "contactDate|authorizationStatus|authorizationDate|paymentStatus|paymentDate|shipStatus|shipDate|"
        "printStatus|printDate|cancelStatus|cancelReason|cancelComment|itemPrice|beforeDiscount|discount|"
        "unit|totalItemPrice|taxType|postagePrice|chargePrice|totalPrice|couponTotalPrice|usePoint|"
        "usePointCancel|useAuPointPrice|useAuPoint|useAuPointCancel|requestPrice|totalGiftPoint|"
        "pointFixedDate|pointFixedStatus|settleStatus|pgResult|pgResponseCode|pgResponseDetail|pgOrderId|"
        "pgRequestPrice|authoriTimelimitDate|couponType|couponKey|cardJadgement|deliveryName|"
        "deliveryMethodId|deliveryId|deliveryRequestDay|deliveryRequestTime|shippingDate|shippingCarrier|"
        "shippingNumber|rawMailAddress"
    ),
    "plain": (
        "order_id|channel|status|buyer_name|buyer_mail|payment|total|currency|ordered_at|ship_by|shipped_at|"
        "carrier|tracking_no|eta|items|note"
    ),
}
HEADERS: Mapping[str, tuple[str, ...]] = {name: tuple(line.split("|")) for name, line in _LINES.items()}
