"""What sections of settings are made of: a note says what each setting means, and whether its value may be shown."""

from typing import Any, get_type_hints

from msgspec import Meta, Struct


def note(text: str, *, secret: bool = False, **bounds: Any) -> Meta:
    """Say what a setting means, which bounds it has, and whether its value may be shown."""
    return Meta(description=text, extra={"secret": secret}, **bounds)


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A group of settings; the `repr` masks secrets."""

    def __repr__(self) -> str:
        metas = notes(type(self))
        shown = (f"{name}={mask(metas[name], getattr(self, name))}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        metas = notes(type(self))
        return [(name, mask(metas[name], getattr(self, name))) for name in self.__struct_fields__]


def notes(section: type[Section]) -> dict[str, Meta]:
    """Give the note of every setting of a section."""
    return {name: kind.__metadata__[0] for name, kind in get_type_hints(section, include_extras=True).items()}


def mask(meta: Meta, value: object) -> str:
    """Write a value as it may be shown."""
    return "***" if value is not None and (meta.extra or {}).get("secret") else repr(value)
