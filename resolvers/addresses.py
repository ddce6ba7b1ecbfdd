"""E-mail addresses in the one form in which they are stored and compared."""

from email_validator import validate_email


def normalised_email(text: str) -> str:
    """Give an address in the form it is stored in; raises `email_validator.EmailNotValidError`."""
    return validate_email(text.strip(), check_deliverability=False, test_environment=True).normalized.lower()
