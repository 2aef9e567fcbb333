"""Request targets that no customer of the shop asks for: probes for secrets, attack payloads, and what no browser can
send.

Such a request proves intent by itself, whatever its sender's rhythm. Only the target is judged here; whether the
shop answered it is the caller's to weigh, since a shop may well have a ``/wp-login.php`` of its own.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.events.requests import ODD_TARGET

HARMLESS, PROBE, ATTACK = 0, 1, 2

# Parts of paths that belong to no shop's public pages; searched without case.
_PROBES = (
    "/.env", "/.git/", "/.svn/", "/.aws/", "/.ssh/", "/.htpasswd", "/.htaccess", "/.ds_store", "/.vscode/",
    "/wp-config", "/wp-login.php", "/xmlrpc.php", "/wp-admin/setup-config", "/phpmyadmin", "/pma/", "/myadmin/",
    "/adminer", "/phpinfo", "/server-status", "/actuator/", "/solr/admin", "/jenkins/", "/manager/html",
    "/cgi-bin/", "/boaform/", "/hnap1", "/vendor/phpunit", "/eval-stdin.php", "/config.json.bak", "/backup.sql",
    "/dump.sql", "/db.sql", "/id_rsa", "/etc/passwd", "/shell.php", "/owa/auth", "/telescope/requests",
    "/debug/default/view", "/.well-known/../", "/sftp-config.json", "/nice%20ports",
)  # fmt: skip

# Payloads: injection, traversal, remote inclusion, template and JNDI lookups; in plain and percent-encoded form.
_ATTACKS = (
    "../../", "..%2f..%2f", "%2e%2e%2f", "..%5c", "union+select", "union%20select", "union+all+select",
    "union%20all%20select", "' or '1'='1", "%27%20or%20", "%27+or+", "'+or+", "sleep(", "sleep%28", "benchmark(",
    "waitfor+delay", "waitfor%20delay", "information_schema", "<script", "%3cscript", "%3csvg", "onerror%3d",
    "onerror=", "javascript:alert", "${jndi:", "%24%7bjndi", "{{7*7}}", "php://input", "php://filter", "file:///",
    "cmd.exe", "/bin/sh", "%00", ";wget+", ";wget%20", "$(curl", "passthru(", "base64_decode(", "xp_cmdshell",
)  # fmt: skip


def judge_targets(targets: pl.Series) -> NDArray[np.int8]:
    """Danger of each request target: 0 harmless, 1 a probe for secrets or known holes, 2 an attack payload.

    Parameters
    ----------
    targets : str [n], paths with queries as logged; null is harmless. `ODD_TARGET` is a probe.

    >>> judge_targets(pl.Series(["/product/7", "/.env", "/p?id=1%20union%20select%201", "(abnormal)"])).tolist()
    [0, 1, 2, 1]
    """
    lowered = targets.fill_null("").str.to_lowercase()
    frame = pl.DataFrame({"target": lowered}).select(
        pl.when(pl.col("target").str.contains_any(list(_ATTACKS)))
        .then(ATTACK)
        .when(pl.col("target").str.contains_any(list(_PROBES)) | (pl.col("target") == ODD_TARGET))
        .then(PROBE)
        .otherwise(HARMLESS)
        .cast(pl.Int8)
        .alias("danger")
    )
    danger: NDArray[np.int8] = frame["danger"].to_numpy()
    return danger
