"""What a key of a rule's file may hold. What is wrong with one is said as what to give."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainValidator, StringConstraints, ValidatorFunctionWrapHandler, WrapValidator

from ..settings.values import duration_s
from .question import Question

LONGEST_TEXT: Final = 2_000  # characters of a title, a unit, what to do
LONGEST_QUESTION: Final = 20_000
MOST_WEEKS: Final = 52
LARGEST: Final = 1e18


def _give(what: str) -> WrapValidator:
    """Whatever is wrong, say this."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValueError:
            raise ValueError(f"give {what}") from None

    return WrapValidator(check)


def one_of(*words: str) -> WrapValidator:
    return _give(f"{', '.join(words[:-1])} or {words[-1]}")


def _question(value: Any) -> Question:
    if not isinstance(value, str) or len(value) > LONGEST_QUESTION:
        raise ValueError(f"give an SQL statement, up to {LONGEST_QUESTION:,} characters")
    return Question(value)


def _seconds_or_0(value: Any) -> float:
    return 0.0 if value in (0, "0", "0s") and not isinstance(value, bool) else duration_s(value)


def _interval(value: Any) -> float:
    seconds = duration_s(value)
    if not 1 <= seconds <= 86_400:
        raise ValueError("give a time from 1s to 1d")
    return seconds


def _text(pattern: str, **limits: Any) -> StringConstraints:
    return StringConstraints(strict=True, pattern=pattern, **limits)


Name = Annotated[str, _text(r"^[a-z][a-z0-9_]{0,62}$"), _give("up to 63 of a-z, 0-9 and _, beginning with a letter")]
Text = Annotated[
    str,
    _text(r"^[^\n]*$", strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT),
    _give(f"one line of text, up to {LONGEST_TEXT:,} characters"),
]
Board = Annotated[str, _text(r"^[A-Za-z0-9_-]{0,40}$"), _give("the uid of a board, such as pipeline-health")]
Sql = Annotated[Question, PlainValidator(_question)]
Interval = Annotated[float, BeforeValidator(_interval)]
SecondsOr0 = Annotated[float, BeforeValidator(_seconds_or_0)]
Switch = Annotated[bool, Field(strict=True), _give("true or false")]
Number = Annotated[float, Field(strict=True, gt=-LARGEST, lt=LARGEST), _give("a number")]
More = Annotated[float, Field(strict=True, gt=0, lt=LARGEST), _give("a number above 0: so much more than usual")]
Less = Annotated[float, Field(strict=True, gt=-LARGEST, lt=0), _give("a number below 0: so much less than usual")]
Chance = Annotated[float, Field(strict=True, ge=1, le=100),
                   _give("a number from 1 to 100, such as 4: so many times what counting brings by chance")]  # fmt: skip
Weeks = Annotated[int, Field(strict=True, ge=1, le=MOST_WEEKS), _give(f"a whole number from 1 to {MOST_WEEKS}")]
