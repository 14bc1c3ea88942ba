"""A headless Chromium that reads a page and says what it measured of it."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from html import unescape
from pathlib import Path
from typing import Any

from tests.tools import tool

_MEASURE = """
<script>
const box = (e) => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
const shared = (a, b, i) => Math.min(a[i + 2], b[i + 2]) - Math.max(a[i], b[i]);
const over = (a, b) => shared(a, b, 0) > 1 && shared(a, b, 1) > 1;
const pairs = (list, name) => {
  const found = [];
  for (let i = 0; i < list.length; i++) for (let j = i + 1; j < list.length; j++)
    if (over(box(list[i]), box(list[j]))) found.push(name(list[i]) + " / " + name(list[j]));
  return found;
};
const words = (e) => e.textContent.trim().slice(0, 60);
const articles = [...document.querySelectorAll("article")];
const measured = {
  panels: articles.length,
  over_panels: pairs(articles, (e) => words(e.querySelector("h4"))),
  over_texts: articles.flatMap((a) => pairs([...a.querySelectorAll("svg text, h4, table, .numbers b")], words)
    .map((found) => words(a.querySelector("h4")) + ": " + found)),
  cut: articles.filter((a) => a.scrollWidth > a.clientWidth + 1).map((a) => words(a.querySelector("h4"))),
  outside: [...document.querySelectorAll("svg text")].filter((t) => {
    const [outer, inner] = [box(t.closest("svg")), box(t)];
    return inner[0] < outer[0] - 2 || inner[2] > outer[2] + 2 || inner[1] < outer[1] - 2 || inner[3] > outer[3] + 2;
  }).map(words),
  smallest: Math.min(...[...document.querySelectorAll("svg text")].map((t) => t.getBoundingClientRect().height)),
  empty: articles.filter((a) => !a.querySelector("svg, table, .numbers, .nothing")).map((a) => words(a)),
  bare: [...document.querySelectorAll("article svg")].filter((s) => !s.querySelector("path, image")).length,
};
const out = document.createElement("pre"); out.id = "measured"; out.textContent = JSON.stringify(measured);
document.body.append(out);
</script>
"""


def measure(page: Path, width: int) -> dict[str, Any]:
    """Of a window that wide: what overlaps, what is cut off, what is empty."""
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work, "page.html")
        copy.write_text(page.read_text(encoding="utf-8").replace("</body>", _MEASURE + "</body>"), encoding="utf-8")
        dom = _chromium(Path(work, "profile"), f"--window-size={width},1200", "--dump-dom", copy.as_uri())
    found = re.search(r'<pre id="measured">(.*?)</pre>', dom, re.DOTALL)
    assert found, dom[-2000:]
    measured: dict[str, Any] = json.loads(unescape(found[1]))
    return measured


def _chromium(profile: Path, *arguments: str) -> str:
    quiet = ("quic", "background-networking", "component-update", "sync", "gpu")
    switches = [f"--disable-{what}" for what in quiet]
    command = [
        tool("chromium"),
        "--headless",
        "--no-sandbox",
        "--no-first-run",
        f"--user-data-dir={profile}",
        *switches,
    ]
    done = subprocess.run([*command, *arguments], capture_output=True, check=True, text=True, timeout=100)
    return done.stdout
