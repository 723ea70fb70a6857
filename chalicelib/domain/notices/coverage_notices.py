"""Which notice each move of the coverage sends, and to which side. Whom a move notifies is in its own table."""

from collections.abc import Mapping

from chalicelib.domain.coverage.moves import MOVES, CoverageMove, MoveName, Notified
from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.coverage_schedule import COVERAGE_REMINDERS
from chalicelib.domain.notices.notice_rules import Category, NoticeRule

_PRACTICE, _CENTER = TenantKind.PRACTICE, TenantKind.CENTER
_SIDES: Mapping[Notified, tuple[TenantKind, ...]] = {
    Notified.PRACTICE: (_PRACTICE,),
    Notified.CENTER: (_CENTER,),
    Notified.BOTH: (_PRACTICE, _CENTER),
    # The task names the side that did not make the move.
    Notified.OTHER_SIDE: (),
}

_TITLES: Mapping[MoveName, str] = {
    MoveName.RESULT_RECORDED: "The result of the benefits check was recorded",
    MoveName.PLAN_CHANGED: "The insurance plan changed: verify the benefits again",
    MoveName.VERIFICATION_EXPIRED: "The benefits check expired: verify the benefits again",
    MoveName.AUTHORIZATION_REQUIRED: "The payer requires an authorization: submit the request",
    MoveName.AUTHORIZATION_CONFIRMED: "The new plan confirmed the authorization",
    MoveName.AUTHORIZATION_SUBMITTED: "The authorization request was submitted",
    MoveName.INFORMATION_ASKED: "The payer asks for more information: check the deadline",
    MoveName.INFORMATION_SENT: "The information was sent to the payer",
    MoveName.AUTHORIZATION_APPROVED: "The payer approved the authorization",
    MoveName.AUTHORIZATION_DENIED: "The payer denied the authorization: check the time to appeal",
    MoveName.PEER_TO_PEER_ARRANGED: "A peer-to-peer call with the payer was arranged",
    MoveName.PEER_TO_PEER_ENDED: "The outcome of the peer-to-peer call was recorded",
    MoveName.APPEAL_FILED: "An appeal was filed with the payer",
    MoveName.APPEAL_LOST: "The payer upheld the denial: check the time for the next step",
    MoveName.EXTERNAL_REVIEW_REQUESTED: "An external review was requested",
    MoveName.EXTERNAL_REVIEW_LOST: "The external review upheld the denial",
    MoveName.AUTHORIZATION_WITHDRAWN: "The authorization request was withdrawn",
    MoveName.AGREEMENT_NEEDED: "The center needs a single case agreement with the payer",
    MoveName.AGREEMENT_NOT_NEEDED: "No single case agreement is needed",
    MoveName.AGREEMENT_SIGNED: "The single case agreement was signed",
    MoveName.AGREEMENT_FAILED: "No single case agreement was reached",
    MoveName.CLEARED: "The center recorded the coverage clearance",
    MoveName.CLEARANCE_ENDED: "The coverage clearance ended",
}

COVERAGE_EVENT_PREFIX = "coverage."
CLEARANCE_LOST_RULE = "coverage.clearance_ended_before_leukapheresis"
"""The clearance ended, and leukapheresis is planned within 14 days."""

CHECK_FAILED_RULE = "coverage.check_failed"
"""An electronic benefits check ended without an answer."""

LEUKAPHERESIS_NEAR_DAYS = 14
"""How near a planned leukapheresis makes the end of a clearance urgent. This product's own proposal."""


def get_move_rule(move: MoveName) -> str:
    """The rule of the notice of a move."""
    return f"{COVERAGE_EVENT_PREFIX}{move}"


def _build_rule(name: MoveName, move: CoverageMove) -> NoticeRule:
    category = Category.CRITICAL if move.is_urgent else Category.STATUS_UPDATE
    return NoticeRule(_SIDES[move.notifies], _TITLES[name], category)


COVERAGE_RULES: Mapping[str, NoticeRule] = {
    **{get_move_rule(name): _build_rule(name, move) for name, move in MOVES.items() if move.notifies in _SIDES},
    CLEARANCE_LOST_RULE: NoticeRule(
        (_PRACTICE, _CENTER),
        "The coverage clearance ended, and leukapheresis is planned soon",
        Category.CRITICAL,
    ),
    CHECK_FAILED_RULE: NoticeRule((_PRACTICE,), "The electronic benefits check brought no answer: call the payer"),
}
"""The notices of what happened to the coverage. A move that notifies no one has none."""

COVERAGE_REMINDER_RULES: Mapping[str, NoticeRule] = {
    rule: NoticeRule((_PRACTICE, _CENTER), reminder.title, Category.CRITICAL if reminder.is_last else Category.OVERDUE)
    for rule, reminder in COVERAGE_REMINDERS.items()
}
"""The reminders that are planned for a day. The last ones before a right to appeal ends are critical."""
