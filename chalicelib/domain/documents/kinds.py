"""The kinds of documents: which item of the referral packet a document fills."""

from collections.abc import Mapping

from chalicelib.domain.referrals.requestable_items import DOCUMENT_LABELS

OTHER_KIND = "other"
"""A document that is no item of the packet."""

KIND_LABELS: Mapping[str, str] = {**DOCUMENT_LABELS, OTHER_KIND: "Other document"}
"""The label of each kind. Source: as in `packet`."""
