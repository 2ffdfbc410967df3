"""The site that `mkdocs build` has made: it needs nobody else. BBIPC_TEST_SITE names its folder."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

SITE = Path(os.environ.get("BBIPC_TEST_SITE", ""))
ROOT = Path(__file__).parent.parent.parent
LOADING = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src", "video": "src", "object": "data"}
NOT_LOADED = {"canonical", "next", "prev", "alternate"}
"""Relations of a <link> that names a page."""

needs_site = pytest.mark.skipif("BBIPC_TEST_SITE" not in os.environ, reason="BBIPC_TEST_SITE names no site")


class Loads(HTMLParser):
    """What a browser loads by itself with a page, and the classes of its elements."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.places: list[str] = []
        self.classes: set[str] = set()
        self.text = ""
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        self.classes |= set(found.get("class", "").split())
        if tag in LOADING and not (tag == "link" and set(found.get("rel", "").split()) & NOT_LOADED):
            self.places.append(found.get(LOADING[tag], ""))

    def handle_data(self, data: str) -> None:
        self.text += data


@needs_site
def test_nothing_comes_from_another_host() -> None:
    """No script, style, font or picture; nor a diagram that the theme would fetch a script for."""
    pages = sorted(SITE.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        loads = Loads(page)
        assert [place for place in loads.places if re.match(r"(\w+:)?//", place)] == [], page
        assert "mermaid" not in loads.classes, page
    for style in SITE.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", style.read_text()), style


@needs_site
def test_the_home_page_has_what_one_came_for() -> None:
    """How to install it, a result, a picture; and the reference begins with the one call."""
    home = Loads(SITE / "index.html")
    assert "pip install" in home.text
    assert "pictures/overview.svg" in home.places
    assert "says valid" in home.text
    reference = (SITE / "reference-python" / "index.html").read_text()
    assert re.findall(r'<h3 id="(bbipc[\w.]*)"', reference)[0] == "bbipc.verify"


@pytest.mark.parametrize("name", ["overview", "request"])
def test_pictures_show_what_their_source_says(name: str) -> None:
    folder = ROOT / "docs" / "pictures"
    picture = (folder / f"{name}.svg").read_text().replace("&#45;", "-")
    for label in re.findall(r'label="([^"]*)"', (folder / f"{name}.dot").read_text()):
        for line in label.split("\\n"):
            assert f"{line.strip()}</text>" in picture, line
