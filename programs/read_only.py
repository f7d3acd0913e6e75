"""Turns a page into one that can be read and not used. Pure: no Django, no clock.

Scripts, hidden fields and what a script would load are left out; links lead nowhere; buttons and
fields are switched off; forms go nowhere. Everything that is there to be read stays as it is.
"""

from html import escape
from html.parser import HTMLParser

_WITHOUT = {"script"}
# What is left out together with its attributes; these have no end tag.
_LINKS_KEPT = {"stylesheet", "icon"}
_OFF = {"button", "input", "select", "textarea"}
_LEADS = {"href", "action", "formaction", "ping", "target", "download", "method", "accesskey"}


class _Rewriter(HTMLParser):
    def __init__(self, head: str, top: str) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._head, self._top = head, top
        self._inside = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs, "")
        if tag == "body" and not self._inside:
            self.out.append(self._top)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _WITHOUT:
            self._start(tag, attrs, "/")

    def _start(self, tag: str, attrs: list[tuple[str, str | None]], close: str) -> None:
        if tag in _WITHOUT:
            self._inside += 1
        if self._inside or _is_left_out(tag, dict(attrs)):
            return
        kept = [(name, value) for name, value in attrs if _is_kept(tag, name)]
        if tag in _OFF:
            kept.append(("disabled", None))
        said = "".join(
            f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in kept
        )
        self.out.append(f"<{tag}{said}{close}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _WITHOUT:
            self._inside = max(0, self._inside - 1)
            return
        if self._inside:
            return
        if tag == "head":
            self.out.append(self._head)
        self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._say(data)

    def handle_entityref(self, name: str) -> None:
        self._say(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._say(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self._say(f"<!{decl}>")

    def _say(self, words: str) -> None:
        if not self._inside:
            self.out.append(words)


def _is_left_out(tag: str, attrs: dict[str, str | None]) -> bool:
    if tag == "link":
        return attrs.get("rel") not in _LINKS_KEPT
    return tag == "input" and attrs.get("type") == "hidden"


def _is_kept(tag: str, name: str) -> bool:
    if name.startswith(("on", "data-", "hx-")) or (name in _LEADS and tag != "link"):
        # Where a picture points inside itself is no link.
        return tag in ("use", "pattern") and name == "href"
    return name not in ("disabled", "autofocus")


def read_only(page: str, *, head: str = "", top: str = "") -> str:
    """The HTML document ``page`` without anything that does something; ``head`` is put at the end
    of its head, ``top`` at the beginning of its body."""
    rewriter = _Rewriter(head, top)
    rewriter.feed(page)
    rewriter.close()
    return "".join(rewriter.out)
