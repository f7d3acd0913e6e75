"""The mark on a sentence that a patient may read, where no door is near. Pure: no Django.

Rules that decide know no language. Their sentences stay English and carry this mark, so that the
catalogue of translations has them; the door that shows one puts it into the reader's language.
"""


def gettext_noop(text: str) -> str:
    """The text as it stands."""
    return text
