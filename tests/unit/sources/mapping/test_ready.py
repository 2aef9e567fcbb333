"""The mappings that come with the product, over files in the shape of the exports they are for."""

from __future__ import annotations

from pathlib import Path

from floorwalker.events.event import Event
from floorwalker.sources.feeds.files import FilesFeed
from floorwalker.sources.mapping import load_mapping

NOW = 1_760_000_000_000_000

SHOPIFY_ORDERS = """\
Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,\
Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,\
Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Billing Name,Billing Street,Billing Address1,\
Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Address1,Shipping City,\
Shipping Zip,Shipping Country,Notes,Cancelled at,Payment Method,Refunded Amount,Vendor,Id,Source,Lineitem discount,Phone
#1001,jane@example.com,paid,2025-09-01 10:00:05 +0200,fulfilled,2025-09-02 09:00:00 +0200,yes,EUR,40.00,5.00,0.00,\
35.00,WELCOME10,10.00,Standard,2025-09-01 10:00:00 +0200,2,Mug,15.00,18.00,MUG-1,true,Jane Roe,"1 High Street, Flat 2",\
1 High Street,Berlin,'10115,BE,DE,+49 30 555 0100,Jane Roe,1 High Street,Berlin,'10115,DE,"Two lines,
of a note",,Cards,0.00,Acme,5500001,web,0.00,
#1001,jane@example.com,,,,,,,,,,,,,,2025-09-01 10:00:00 +0200,1,Plate,10.00,,PLATE-7,true,,,,,,,,,,,,,,,,,,Acme,,,0.00,
#1002,rex@example.com,refunded,2025-09-03 11:00:00 +0200,unfulfilled,,no,JPY,3000,0,0,3000,,0.00,Standard,\
2025-09-03 11:00:00 +0200,1,Bowl,3000,,BOWL-2,true,Rex Poe,,2 Low Road,Kyoto,600-8001,,JP,,Rex Poe,2 Low Road,Kyoto,\
600-8001,JP,,2025-09-04 08:00:00 +0200,Cards,3000,Acme,5500002,iphone,0.00,
"""

SHOPIFY_CUSTOMERS = """\
Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,\
Default Address City,Default Address Province Code,Default Address Country Code,Default Address Zip,Phone,Total Spent
77001,Jane,Roe,jane@example.com,yes,,1 High Street,Berlin,BE,DE,10115,,35.00
77002,Rex,Poe,rex@example.com,no,,2 Low Road,Kyoto,,JP,600-8001,+81 75 555 0100,0.00
"""

WOO_ORDERS = """\
order_id,order_number,order_date,paid_date,status,order_total,discount_total,refunded_total,order_currency,\
payment_method,transaction_id,customer_ip_address,customer_user_agent,shipping_method,customer_id,billing_first_name,\
billing_last_name,billing_address_1,billing_city,billing_postcode,billing_country,billing_email,billing_phone,\
shipping_address_1,shipping_country,item_sku,item_quantity,coupon_items
91,A-91,2025-09-01 10:00:00,2025-09-01 10:01:00,completed,25.50,5.00,0,GBP,card,tx-1,203.0.113.9,UA,Flat rate,12,Jane,\
Roe,1 High Street,Leeds,LS1 1AA,GB,jane@example.com,0113 496 0000,1 High Street,GB,MUG-1,2,code:SAVE5|amount:5.00
91,A-91,2025-09-01 10:00:00,2025-09-01 10:01:00,completed,25.50,5.00,0,GBP,card,tx-1,203.0.113.9,UA,Flat rate,12,Jane,\
Roe,1 High Street,Leeds,LS1 1AA,GB,jane@example.com,0113 496 0000,1 High Street,GB,PLATE-7,1,code:SAVE5|amount:5.00
92,A-92,2025-09-02 12:00:00,,cancelled,9.99,0,9.99,GBP,card,,203.0.113.10,UA,Flat rate,0,Rex,Poe,2 Low Road,York,\
YO1 7HH,GB,rex@example.com,,2 Low Road,GB,BOWL-2,1,
"""

WOO_CUSTOMERS = """\
customer_id,username,user_pass,email,date_registered,billing_first_name,billing_last_name,billing_address_1,\
billing_postcode,billing_city,billing_country,billing_phone
12,jane,$P$Bhashhashhash,jane@example.com,2025-01-05 08:00:00,Jane,Roe,1 High Street,LS1 1AA,Leeds,GB,0113 496 0000
13,rex,$P$Bhashhashhash,rex@example.com,0000-00-00 00:00:00,Rex,Poe,2 Low Road,YO1 7HH,York,GB,
"""


def read(folder: Path, text: str, mapping: str) -> tuple[dict[str, Event], list[str]]:
    path = folder / "export.csv"
    path.write_text(text)
    feed = FilesFeed([path], clock=lambda: NOW, mapping=load_mapping(mapping))
    deliveries = list(feed.read())
    events = {event.id: event for one in deliveries for event in one.events}
    return events, [refused.reason for one in deliveries for refused in one.refused]


def test_shopify_orders(tmp_path: Path) -> None:
    events, refused = read(tmp_path, SHOPIFY_ORDERS, "shopify_orders")
    assert refused == []
    assert set(events) == {
        "order-5500001", "payment_captured-5500001", "order_shipped-5500001",
        "order-5500002", "payment_captured-5500002", "order_cancelled-5500002", "refund_issued-5500002",
    }  # fmt: skip
    order = events["order-5500001"]
    assert (order.order, order.amount_minor, order.currency, order.discount_minor) == ("#1001", 3500, "EUR", 1000)
    assert (order.coupons, order.account, order.channel) == (("WELCOME10",), "jane@example.com", "web")
    assert [(line.item, line.quantity, line.price_minor) for line in order.lines] == [
        ("MUG-1", 2, 1500), ("PLATE-7", 1, 1000)
    ]  # fmt: skip
    assert order.at == 1_756_713_600_000_000
    assert order.shipping_address is not None
    assert (order.shipping_address.city, order.shipping_address.country) == ("Berlin", "DE")
    other = events["refund_issued-5500002"]
    assert (other.amount_minor, other.currency, other.channel) == (3000, "JPY", "app")
    assert other.at == events["order_cancelled-5500002"].at


def test_shopify_customers(tmp_path: Path) -> None:
    events, refused = read(tmp_path, SHOPIFY_CUSTOMERS, "shopify_customers")
    assert refused == []
    jane, rex = sorted(events.values(), key=lambda event: event.account or "")
    assert (jane.type, jane.account, jane.email, jane.at) == ("contact_change", "77001", "jane@example.com", NOW)
    assert rex.phone == "+81 75 555 0100"
    assert rex.billing_address is not None
    assert rex.billing_address.name == "Rex Poe"


def test_woocommerce_orders(tmp_path: Path) -> None:
    events, refused = read(tmp_path, WOO_ORDERS, "woocommerce_orders")
    assert refused == []
    assert set(events) == {"order-91", "payment_captured-91", "order-92", "order_cancelled-92", "refund_issued-92"}
    order = events["order-91"]
    assert (order.order, order.amount_minor, order.discount_minor, order.account) == ("A-91", 2550, 500, "12")
    assert (order.coupons, order.ip, order.payment) == (("SAVE5",), "203.0.113.9", "tx-1")
    assert [(line.item, line.quantity) for line in order.lines] == [("MUG-1", 2), ("PLATE-7", 1)]
    assert order.billing_address is not None
    assert order.billing_address.name == "Jane Roe"
    guest = events["order-92"]
    assert guest.account is None
    assert events["refund_issued-92"].amount_minor == 999


def test_woocommerce_customers_leave_password_hashes_where_they_are(tmp_path: Path) -> None:
    events, refused = read(tmp_path, WOO_CUSTOMERS, "woocommerce_customers")
    (jane,) = events.values()
    assert (jane.type, jane.account, jane.email) == ("sign_up", "12", "jane@example.com")
    assert "hash" not in repr(jane)
    assert len(refused) == 1
    assert refused[0].startswith("at:")
