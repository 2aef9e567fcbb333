"""Text into HTML, SVG and script data: everything that came from a log passes through here."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping
from typing import Any

import msgspec

from floorwalker.scan.phrases import printable

_UNSAFE_IN_SCRIPTS: Mapping[str, str] = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def escape(text: object, limit: int | None = None) -> str:
    r"""A text as HTML, safe between tags and inside quoted attributes; control characters are written out.

    >>> escape("<b title='x'>&\x00")
    '&lt;b title=&#x27;x&#x27;&gt;&amp;\\x00'
    """
    return html.escape(printable(str(text), limit), quote=True)


def script_json(value: Any) -> str:
    """A value as JSON that cannot end the script element it stands in, nor open a comment or another one in it.

    The three characters that HTML's tokeniser looks at are written as escapes, which JSON reads back as themselves.

    >>> script_json({"agent": "</script><!--"})
    '{"agent":"\\\\u003c/script\\\\u003e\\\\u003c!--"}'
    """
    text = msgspec.json.encode(value).decode()
    for character, safe in _UNSAFE_IN_SCRIPTS.items():
        text = text.replace(character, safe)
    return text


def content_hash(text: str) -> str:
    """The source expression by which a content security policy lets exactly this inline text run.

    >>> content_hash("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def section(anchor: str, title: str, body: str, lead: str = "") -> str:
    """A titled part of the page; `title`, `body` and `lead` are HTML."""
    intro = f'<p class="lead">{lead}</p>' if lead else ""
    heading = f'<h2 id="{anchor}-title">{title}</h2>'
    return f'<section id="{anchor}" aria-labelledby="{anchor}-title">{heading}{intro}{body}</section>'


def table(heads: list[tuple[str, str]], rows: list[list[str]], *, caption: str, kind: str = "") -> str:
    """A plain table in a scrolling frame; heads are (title, class) and cells are HTML.

    The heads are repeated in `data-label`, because a narrow screen shows each row as a card.
    """
    top = "".join(f'<th scope="col" class="{style}">{title}</th>' for title, style in heads)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{style}" data-label="{title}">{cell}</td>'
            for (title, style), cell in zip(heads, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="frame" tabindex="0" role="region" aria-label="{caption}"><table class="{kind}">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )
