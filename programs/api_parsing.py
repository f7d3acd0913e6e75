"""Reading what an app sent: nothing in it may end in anything but an answer in words."""

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

UNREADABLE = "This is not JSON that can be read."


class CarefulJSONParser(JSONParser):
    """JSON without what Python reads but no database keeps: half characters, endless nesting."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping | None = None
    ) -> Any:
        try:
            body = super().parse(stream, media_type=media_type, parser_context=parser_context)
            json.dumps(body, ensure_ascii=False).encode()
        except (RecursionError, UnicodeEncodeError) as error:
            raise ParseError(UNREADABLE) from error
        return body
