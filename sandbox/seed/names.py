"""Names, towns and mail domains that invented people have; enough of them that a list looks like a town's."""

from pathlib import Path

_FOLDER = Path(__file__).parent
GIVEN = (_FOLDER / "given_names.txt").read_text(encoding="utf-8").split()
FAMILY = (_FOLDER / "family_names.txt").read_text(encoding="utf-8").split()
# (domain, how many of a hundred customers)
MAIL_DOMAINS = (
    ("postbox.example", 30),
    ("mailhaven.example", 22),
    ("quickmail.example", 16),
    ("webpost.example", 12),
    ("inboxly.example", 8),
    ("hillsidebroadband.example", 5),
    ("northfieldcollege.example", 4),
    ("tidewaterworks.example", 3),
)
# (country, town, dialling prefix, first octets of an address in the documentation range)
PLACES = (
    ("GB", "Bristol", "+44770090", "192.0.2"),
    ("GB", "Leeds", "+44770091", "192.0.2"),
    ("IE", "Cork", "+35385001", "198.51.100"),
    ("DE", "Freiburg", "+49155500", "203.0.113"),
    ("NL", "Utrecht", "+31610000", "203.0.113"),
    ("FR", "Nantes", "+33639980", "198.51.100"),
    ("SE", "Uppsala", "+46740055", "203.0.113"),
    ("US", "Portland", "+15035550", "192.0.2"),
)
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36",
)
