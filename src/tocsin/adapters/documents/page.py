"""A page for a browser that needs nothing else: no script, no font, no picture from elsewhere; every text is escaped.

Plots are inline SVG with a title and a description that say in words what they show; tables have captions and headed rows; colours
keep their contrast in light and dark, and never say anything alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root{color-scheme:light dark;--a:#6b7280;--b:#1d4ed8;--ink:#111827;--paper:#fff;--line:#d1d5db;--warn:#9f1239}
@media (prefers-color-scheme:dark){:root{--a:#9ca3af;--b:#93c5fd;--ink:#f3f4f6;--paper:#111827;--line:#4b5563;--warn:#fda4af}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:72rem;margin:0 auto;padding:1rem}
table{border-collapse:collapse;margin:.5rem 0 1rem;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}
caption{text-align:left;font-weight:600;padding:.25rem 0}
th,td{padding:.2rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;overflow-wrap:anywhere}
td.n{text-align:right;white-space:nowrap}th[scope=row]{min-width:7rem}
.beyond{color:var(--warn);font-weight:600}
figure{margin:1rem 0 .25rem}figcaption,summary{font-size:.875rem}summary{cursor:pointer}
svg{max-width:100%;height:auto}svg text{fill:var(--ink);font:11px system-ui,sans-serif}
.a{fill:var(--a)}.b{fill:var(--b)}line{stroke:var(--ink)}.rule{stroke:var(--line)}
.plot path{fill:none;stroke-width:2}.l0{stroke:var(--b)}.l1{stroke:var(--ink);stroke-dasharray:6 4}.l2{stroke:var(--a);stroke-dasharray:2 3}
.l3{stroke:var(--warn);stroke-dasharray:10 4}.plot .band{fill-opacity:.15}
.f0{fill:var(--b)}.f1{fill:var(--ink)}.f2{fill:var(--a)}.f3{fill:var(--warn)}
.plot .mark{fill:var(--warn);stroke:var(--paper)}
"""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
HEIGHT, BAR = 120, 14
LABEL_MAX = 18


def text(value: object) -> str:
    """The value as text of a page: markup in it is shown, and characters that hide or turn text are written out."""
    kept = "".join(
        c if unicodedata.category(c) not in _HIDDEN else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in str(value)
    )
    return escape(kept, quote=True)


def document(title: str, parts: Iterable[str]) -> str:
    """The page."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{text(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<style>{STYLE}</style>\n</head>\n'
    )
    return f"{head}<body>\n<main>\n<h1>{text(title)}</h1>\n" + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"


def heading(words: str, level: int = 2) -> str:
    """A heading."""
    return f"<h{level}>{text(words)}</h{level}>"


def paragraph(words: str) -> str:
    """A paragraph."""
    return f"<p>{text(words)}</p>"


def warning(words: str) -> str:
    """A paragraph that is set apart."""
    return f'<p class="beyond">{text(words)}</p>'


def figure(picture: str, words: str) -> str:
    """A picture that was made here, with its caption."""
    return f"<figure>{picture}<figcaption>{text(words)}</figcaption></figure>"


def folded(words: str, body: str) -> str:
    """What is shown when somebody asks for it."""
    return f"<details><summary>{text(words)}</summary>{body}</details>"


def items(lines: Sequence[str]) -> str:
    """A list; nothing for none."""
    return "<ul>" + "".join(f"<li>{text(line)}</li>" for line in lines) + "</ul>" if lines else ""


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int] = ()) -> str:
    """A table; the first cell heads its row, and the columns at these places are numbers."""
    body = "".join(
        f'<tr><th scope="row">{text(first)}</th>'
        + "".join(f"<td{_class(place, cell, numbers)}>{text(cell)}</td>" for place, cell in enumerate(rest, start=1))
        + "</tr>\n"
        for first, *rest in rows
    )
    head = "".join(f'<th scope="col">{text(column)}</th>' for column in columns)
    return f"<table><caption>{text(caption)}</caption><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>"


def _class(place: int, cell: object, numbers: Sequence[int]) -> str:
    if str(cell).startswith("beyond"):
        return ' class="beyond"'
    return ' class="n"' if place in numbers else ""


def bars(
    title: str, labels: Sequence[str], first: Sequence[float], second: Sequence[float], names: Sequence[str]
) -> str:
    """Two shares for each label, side by side."""
    top = max([*first, *second, 1e-9])
    width = max(1, len(labels)) * (2 * BAR + 10) + 20
    told = "; ".join(f"{la} {a:.1%} and {b:.1%}" for la, a, b in zip(labels, first, second, strict=True))
    parts = [
        f'<svg role="img" viewBox="0 0 {width} {HEIGHT + 80}" width="{width}" height="{HEIGHT + 80}">',
        f"<title>{text(title)}</title><desc>{text(f'Shares, {names[0]} and {names[1]}: {told}')}</desc>",
        f'<line class="rule" x1="0" x2="{width}" y1="{HEIGHT}" y2="{HEIGHT}"/>',
    ]
    for place, (label, *shares) in enumerate(zip(labels, first, second, strict=True)):
        x = 10 + place * (2 * BAR + 10)
        for at, (share, kind) in enumerate(zip(shares, "ab", strict=True)):
            tall = share / top * (HEIGHT - 10)
            parts.append(
                f'<rect class="{kind}" x="{x + at * BAR}" y="{HEIGHT - tall:.1f}" width="{BAR}" height="{tall:.1f}"/>'
            )
        short = label if len(label) <= LABEL_MAX else label[: LABEL_MAX - 1] + "…"
        parts.append(
            f'<text x="{x + BAR}" y="{HEIGHT + 12}" transform="rotate(40 {x + BAR} {HEIGHT + 12})">{text(short)}</text>'
        )
    return "".join([*parts, "</svg>"])
