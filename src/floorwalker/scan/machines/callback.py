"""Callbacks: payment and logistics services that report to the shop."""

from __future__ import annotations

import polars as pl

from floorwalker.scan.machines._base import Signature, finding, is_browser, share

TITLE = "callback"
ORDER = 40
UNNAMED: pl.Expr | None = share("callback_requests") >= 0.95

SIGNATURES: tuple[Signature, ...] = (
    Signature("paypal ipn", "PayPal IPN"),
    Signature("paypal/auhd", "PayPal webhooks"),
    Signature("stripe/1.0", "Stripe webhooks"),
    Signature("adyen httpclient", "Adyen notifications"),
    Signature("mollie http client", "Mollie"),
    Signature("shopify-captain-hook", "Shopify webhooks"),
    Signature("razorpay-webhook", "Razorpay"),
    Signature("gocardless-webhook", "GoCardless"),
    Signature("klarna", "Klarna", "", r"(?i)klarna[ /-]"),
    Signature("svix-webhooks", "Svix webhooks"),
    Signature("github-hookshot", "GitHub webhooks"),
    Signature("sendgrid event api", "SendGrid events"),
    Signature("recurly webhooks", "Recurly"),
    Signature("trustly/", "Trustly"),
    Signature("zendesk webhook", "Zendesk"),
)


def judge(case: pl.DataFrame) -> pl.DataFrame:
    """Rows whose requests go to callback routes and nowhere else, without a browser's user agent.

    Such a service is never blocked, whatever its address: a payment that cannot be reported is a lost order.
    Somebody who guesses at callback addresses also asks elsewhere, or writes a browser into the user agent.
    """
    calls = share("callback_requests")
    named = (pl.col("signature") != "") & (calls >= 0.5)
    by_route = (calls >= 0.95) & ~is_browser().fill_null(False)
    name = pl.when(named).then(pl.col("signature")).otherwise(pl.lit("payment or logistics callback"))
    evidence = (
        pl.when(named)
        .then(pl.format("names itself {} and calls the shop's callback routes", "signature"))
        .otherwise(pl.lit("calls the shop's callback routes and nothing else"))
    )
    verdict = pl.when(named).then(pl.lit("declared")).otherwise(pl.lit("behaviour"))
    return case.filter(named | by_route).select(finding(name, verdict, evidence))
