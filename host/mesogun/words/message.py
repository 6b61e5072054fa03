"""A text with its figures, put into words when it is said, in the language of that moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesogun.words.language import _, speak


@dataclass(frozen=True)
class Message:
    """What is found out once, and said to people in their language and to programs in English.

    Attributes:
        template: English text with placeholders, marked for the catalogues by `N_`.
        figures: for the placeholders; a message may stand in another one.
    """

    template: str
    figures: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)

    def __str__(self) -> str:
        """The text in the language that is spoken."""
        text = _(self.template)
        # A text without figures may come from a record, and hold whatever somebody wrote there.
        return text.format(**self.figures) if self.figures else text

    @property
    def english(self) -> str:
        """The text for records and programs."""
        with speak("en"):
            return str(self)
