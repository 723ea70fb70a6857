"""The one error of reading and writing X12, with a reason that can be logged."""

from enum import StrEnum


class X12Flaw(StrEnum):
    """What is wrong with an interchange, or with a value that should be written."""

    TOO_LARGE = "too_large"
    EMPTY = "empty"
    NO_ISA = "no_isa"
    """It does not start like an interchange."""
    TRUNCATED = "truncated"
    """Its end is missing, or something follows its end."""
    ISA_WIDTH = "isa_width"
    DELIMITERS = "delimiters"
    VERSION = "version"
    USAGE_INDICATOR = "usage_indicator"
    TOO_MANY_SEGMENTS = "too_many_segments"
    EMPTY_SEGMENT = "empty_segment"
    CONTROL_CHARACTER = "control_character"
    SEGMENT_NAME = "segment_name"
    EMPTY_INTERCHANGE = "empty_interchange"
    INTERCHANGE_CONTROL_NUMBER = "interchange_control_number"
    GROUP_COUNT = "group_count"
    GROUP_STRUCTURE = "group_structure"
    GROUP_CONTROL_NUMBER = "group_control_number"
    SET_COUNT = "set_count"
    SEVERAL_SETS = "several_sets"
    SET_STRUCTURE = "set_structure"
    SET_CONTROL_NUMBER = "set_control_number"
    SEGMENT_COUNT = "segment_count"
    ACKNOWLEDGMENT_STRUCTURE = "acknowledgment_structure"
    NO_ANSWER = "no_answer"
    """It is a 271 that is no response."""
    ORDER = "order"
    """A segment is where the guide has none."""
    HIERARCHY = "hierarchy"
    NAME_MISSING = "name_missing"
    NO_TRACE = "no_trace"
    OTHER_TRACE = "other_trace"
    """It answers another question."""
    ELEMENT_MISSING = "element_missing"
    DATE = "date"
    NUMBER = "number"
    LOOP_IDENTIFIER = "loop_identifier"
    BIRTH_DATE_MISSING = "birth_date_missing"
    CONTROL_NUMBER = "control_number"
    SETUP = "setup"
    """A value of the configuration cannot be written."""
    UNWRITABLE = "unwritable"
    """A value holds a character that could be a delimiter."""
    VALUE_MISSING = "value_missing"
    VALUE_TOO_LONG = "value_too_long"


class X12Error(Exception):
    """The only error of reading or writing X12.

    Its text never contains data of the interchange.

    Attributes:
        reason: Safe to log.
        segment: The number of the segment from 1; None if it is about the whole interchange.
    """

    def __init__(self, reason: X12Flaw, segment: int | None = None) -> None:
        super().__init__(str(reason) if segment is None else f"{reason} at segment {segment}")
        self.reason = reason
        self.segment = segment
