"""Certificates made for one test, by an authority that nobody knows."""

from dataclasses import dataclass
from pathlib import Path

import trustme

__all__ = ["Certificates", "make_certificates"]


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM.

    Attributes:
        authority: what a client is to trust.
        chain: the server's certificate, and those between it and the authority's.
    """

    authority: Path
    chain: Path
    key: Path

    @property
    def settings(self) -> dict[str, object]:
        """What a server is to serve them with."""
        return {"tls_cert": str(self.chain), "tls_key": str(self.key)}


def make_certificates(folder: Path, *names: str) -> Certificates:
    """Make an authority, and a certificate for these names or addresses, in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder / "ca.pem", folder / "chain.pem", folder / "key.pem")
    authority = trustme.CA()
    issued = authority.issue_cert(*(names or ("127.0.0.1", "localhost")))
    authority.cert_pem.write_to_path(str(made.authority))
    issued.private_key_pem.write_to_path(str(made.key))
    made.chain.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    return made
