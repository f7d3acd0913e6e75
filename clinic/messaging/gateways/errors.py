"""How a delivery can go wrong. Neither error carries an address or a word of the message."""


class GatewayError(Exception):
    """The message has not gone out, and will not by itself.

    ``permanent``: asking again is useless. ``dead_address``: the address itself is the reason,
    so it must not be written to again (``by_owner``: because the person said so to the carrier).
    ``carrier_away``: it never came to this message, and the next one would fare no better.
    ``retry_after``: seconds the carrier asked us to wait before we come back.
    """

    def __init__(
        self,
        *,
        permanent: bool,
        code: str,
        text: str,
        dead_address: bool = False,
        by_owner: bool = False,
        carrier_away: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {text}")
        self.permanent, self.code, self.text = permanent, code, text
        self.dead_address, self.by_owner = dead_address, by_owner
        self.carrier_away = carrier_away
        self.retry_after = retry_after


class OutcomeUnknown(Exception):
    """The line broke after the message was handed over: it may or may not arrive."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
