"""The mail that every side sends: what the product puts on the wire, with other names in it."""

import dataclasses
import json
from pathlib import Path

FROM = "reminders@practice.example"


@dataclasses.dataclass(frozen=True)
class Mail:
    """One mail as the product sent it, with the address and the id that are its own."""

    address: str
    reference: str
    content: bytes

    @classmethod
    def read(cls, path: Path) -> "Mail":
        fields = json.loads(path.read_text())
        return cls(fields["address"], fields["reference"], fields["content"].encode("latin-1"))

    def write(self, path: Path) -> None:
        fields = {
            "address": self.address,
            "reference": self.reference,
            "content": self.content.decode("latin-1"),
        }
        path.write_text(json.dumps(fields))

    def numbered(self, number: int) -> tuple[str, bytes]:
        """The same mail to somebody else: their address, and the bytes for smtplib."""
        address = f"p{number:07d}@patients.example"
        content = self.content.replace(self.address.encode(), address.encode()).replace(
            self.reference.encode(), f"{number:012d}@practice.example".encode()
        )
        return address, content
