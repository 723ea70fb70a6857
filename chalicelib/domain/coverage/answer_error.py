"""The error of reading an answer in an envelope or in JSON, with a reason that can be logged."""

from enum import StrEnum


class AnswerFlaw(StrEnum):
    """What is wrong with an answer."""

    EMPTY = "empty"
    XML = "xml"
    XML_DOCTYPE = "xml_doctype"
    """It has a document type, with which an answer could name files or expand without end."""
    XML_DEPTH = "xml_depth"
    ENVELOPE = "envelope"
    """It is XML, but not the answer of a CORE envelope."""
    JSON = "json"
    JSON_SHAPE = "json_shape"
    """A member has another type than in the format."""
    DATE = "date"
    NUMBER = "number"
    CONTROL_NUMBER = "control_number"
    """It answers another request."""


class AnswerError(Exception):
    """An answer cannot be read. The text never contains data of the answer.

    Attributes:
        reason: Safe to log.
    """

    def __init__(self, reason: AnswerFlaw) -> None:
        super().__init__(str(reason))
        self.reason = reason
