"""Print a CSV of 3,000 customers, the same one every time. Each 50th row is wrong, in one of five ways."""

import csv
import sys
from datetime import date, timedelta

ROWS = 3000
GIVEN = ("Ada", "Bruno", "Chloé", "Dilek", "Emil", "Fatima", "Gustav", "Hana", "Igor", "Jūratė", "Kofi")
FAMILY = ("Adler", "Bauer", "Costa", "Demir", "Eriksson", "Fischer", "Grün", "Horváth", "Ivanova")
COUNTRIES = ("DE", "FR", "IT", "PL", "SE", "TR", "US")
FIRST_DAY = date(2020, 1, 1)

WRONG = (
    {"email": "nobody at example.com"},
    {"country": "Atlantis"},
    {"since": "2021-02-30"},
    {"credit": "-12.50"},
    {"name": ""},
)


def customer(number: int) -> dict[str, str]:
    given, family = GIVEN[number % len(GIVEN)], FAMILY[number % len(FAMILY)]
    row = {
        "id": f"C{number:05}",
        "name": f"{given} {family}",
        "email": f"customer{number}@example.com",
        "country": COUNTRIES[number % len(COUNTRIES)],
        "since": (FIRST_DAY + timedelta(days=number % 1500)).isoformat(),
        "credit": f"{number * 7919 % 1_000_000 / 100:.2f}",
    }
    return row | WRONG[number // 50 % len(WRONG)] if number % 50 == 0 else row


def main() -> None:
    writer = csv.DictWriter(sys.stdout, list(customer(1)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(customer(number) for number in range(1, ROWS + 1))


if __name__ == "__main__":
    main()
