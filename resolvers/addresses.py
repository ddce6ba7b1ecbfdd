"""E-mail addresses in the one form in which they are stored and compared."""

from email_validator import validate_email


def normalised_email(text: str) -> str:
    """Give an address in the form it is stored in; raises `email_validator.EmailNotValidError`."""
    return validate_email(text.strip(), check_deliverability=False, test_environment=True).normalized.lower()


def envelope(text: str) -> str:
    """Give a postal address as an envelope holds it (NF Z 10-011): its lines, each with single spaces.

    Raises ValueError unless they are 2 to 6, of 38 characters at the most.
    """
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if not 2 <= len(lines) <= 6 or any(len(line) > 38 or not line.isprintable() for line in lines):
        raise ValueError("not what an envelope holds")
    return "\n".join(lines)
