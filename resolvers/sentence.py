"""A sentence that people read, in the two languages of the portal."""

from dataclasses import dataclass

from db.typography import set_finely


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in the two languages of the portal, set as print is."""

    fr: str
    en: str

    def __post_init__(self) -> None:
        """Set both finely, so that whoever writes a sentence may type it plainly."""
        for language in ("fr", "en"):
            object.__setattr__(self, language, set_finely(getattr(self, language), language))

    def to(self, language: str) -> str:
        """Give it in `fr` or `en`."""
        return self.en if language == "en" else self.fr
