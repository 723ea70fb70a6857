"""Who may call which route, with what outcome: written by hand, and compared with the code.

A route that is not in `POLICY` fails the tests, so no one adds one without deciding this.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from chalicelib.routes.platform.operations import RouteAccess
from tests.support import bookings, factories, handbacks
from tests.support.identity import NEW_PASSWORD, PASSWORD

ADMINS = frozenset({"practice_admin", "center_admin"})
PRACTICE_CARE = frozenset({"practice", "provider"})
CENTER_CARE = frozenset({"center", "clinician"})
OTHER_TENANT_MEMBERS = frozenset({"other_practice", "other_center"})
CARE_MEMBERS = PRACTICE_CARE | CENTER_CARE | OTHER_TENANT_MEMBERS
MEMBERS = CARE_MEMBERS | ADMINS | {"operator"}
"""Everyone in a role, by their handles in the shared world. The referral in the path is between
`practice` and `center`."""

Outcomes: TypeAlias = dict[str, int]
Route: TypeAlias = tuple[str, str]


def _all(status: int) -> Outcomes:
    return dict.fromkeys(MEMBERS, status)


def _only(handles: frozenset[str], status: int, *, rest: int) -> Outcomes:
    return _all(rest) | dict.fromkeys(handles, status)


_OF_THE_REFERRAL = _only(PRACTICE_CARE | CENTER_CARE, 200, rest=404)
_OF_THE_FEED = _only(CENTER_CARE, 403, rest=404)
_PRACTICES = PRACTICE_CARE | {"other_practice", "practice_admin"}


def _of_the_center(status: int) -> Outcomes:
    """What only the center's team may do with its consultation times; an administrator sees no patients."""
    return _only(CENTER_CARE, status, rest=404) | dict.fromkeys(_PRACTICES | {"center_admin"}, 403)


POLICY: Mapping[Route, Outcomes | RouteAccess] = {
    ("GET", "/"): RouteAccess.PUBLIC,
    ("GET", "/docs"): RouteAccess.PUBLIC,
    ("GET", "/legal/{text}"): RouteAccess.PUBLIC,
    ("GET", "/assets/{build}/{package}/{name}"): RouteAccess.PUBLIC,
    ("GET", "/health"): RouteAccess.PUBLIC,
    ("GET", "/health/ready"): RouteAccess.PUBLIC,
    ("GET", "/v1/openapi.json"): RouteAccess.PUBLIC,
    ("GET", "/v1/statements"): RouteAccess.PUBLIC,
    ("POST", "/v1/sessions"): RouteAccess.PUBLIC,
    ("POST", "/v1/sessions/challenge"): RouteAccess.PUBLIC,
    ("POST", "/v1/sessions/refresh"): RouteAccess.PUBLIC,
    ("GET", "/cds-services"): RouteAccess.PUBLIC,
    ("OPTIONS", "/cds-services"): RouteAccess.PUBLIC,
    ("OPTIONS", "/cds-services/{service_id}"): RouteAccess.PUBLIC,
    ("OPTIONS", "/cds-services/{service_id}/feedback"): RouteAccess.PUBLIC,
    ("POST", "/cds-services/{service_id}"): RouteAccess.CDS_CALLER,
    ("POST", "/cds-services/{service_id}/feedback"): RouteAccess.CDS_CALLER,
    ("POST", "/v1/webhooks/centers/{center_id}"): RouteAccess.WEBHOOK_SIGNATURE,
    ("POST", "/v1/mail-events"): RouteAccess.SNS_SIGNATURE,
    ("GET", "/v1/unsubscribe/{token}"): RouteAccess.LINK_HOLDER,
    ("POST", "/v1/unsubscribe/{token}"): RouteAccess.LINK_HOLDER,
    ("POST", "/v1/sessions/password-reset"): RouteAccess.PUBLIC,
    ("POST", "/v1/sessions/password-reset/confirm"): RouteAccess.PUBLIC,
    ("DELETE", "/v1/sessions"): _all(204),
    ("GET", "/v1/memberships"): RouteAccess.PERSON,
    ("POST", "/v1/sessions/password"): _all(204),
    ("GET", "/v1/sessions/authenticator"): _all(200),
    ("POST", "/v1/sessions/authenticator"): _all(200),
    ("POST", "/v1/sessions/authenticator/confirm"): _all(204),
    ("GET", "/v1/me"): _all(200),
    ("GET", "/v1/me/notification-preferences"): _all(200),
    # No one has saved preferences yet, so version 1 does not exist.
    ("PUT", "/v1/me/notification-preferences"): _all(412),
    ("GET", "/v1/members"): _only(ADMINS, 200, rest=403),
    ("GET", "/v1/members/second-steps"): _only(ADMINS, 200, rest=403),
    ("POST", "/v1/members"): _only(ADMINS, 201, rest=403),
    # The member in the path belongs to the practice: the center has no such person.
    ("PATCH", "/v1/members/{member_id}"): _only(frozenset({"practice_admin"}), 200, rest=403) | {"center_admin": 404},
    ("POST", "/v1/members/{member_id}/invitation"): _only(frozenset({"practice_admin"}), 200, rest=403)
    | {"center_admin": 404},
    ("POST", "/v1/members/{member_id}/sign-in-reset"): _only(frozenset({"practice_admin"}), 200, rest=403)
    | {"center_admin": 404},
    ("GET", "/v1/products"): _all(200),
    ("GET", "/v1/resources"): _all(200),
    ("GET", "/v1/diagnosis-codes"): _all(200),
    ("GET", "/v1/centers"): _all(200),
    ("GET", "/v1/centers/{center_id}"): _all(200),
    ("POST", "/v1/screens"): _only(PRACTICE_CARE | {"other_practice"}, 200, rest=403),
    # No card has shown this link.
    ("POST", "/v1/screens/chart-entries"): _only(PRACTICE_CARE | {"other_practice"}, 409, rest=403),
    ("GET", "/v1/referrals"): _only(CARE_MEMBERS, 200, rest=403),
    ("GET", "/v1/referrals.csv"): _only(CARE_MEMBERS, 200, rest=403),
    ("GET", "/v1/referrals.xlsx"): _only(CARE_MEMBERS, 200, rest=403),
    ("GET", "/v1/referrals/counts"): _only(CARE_MEMBERS, 200, rest=403),
    ("GET", "/v1/insights"): _only(CARE_MEMBERS, 200, rest=403),
    ("GET", "/v1/insights/tables.csv"): _only(CARE_MEMBERS, 200, rest=403),
    ("GET", "/v1/views"): _only(CARE_MEMBERS, 200, rest=403),
    # No one has saved views yet, so version 1 does not exist.
    ("PUT", "/v1/views/mine"): _only(CARE_MEMBERS, 412, rest=403),
    ("PUT", "/v1/views/shared"): _only(CARE_MEMBERS, 412, rest=403),
    ("POST", "/v1/referrals"): _only(PRACTICE_CARE | {"other_practice"}, 201, rest=403),
    ("GET", "/v1/referrals/{referral_id}"): _OF_THE_REFERRAL,
    # The referral has moved since version 1. Its practice gets a 412; its center does not own the urgency.
    ("PATCH", "/v1/referrals/{referral_id}"): _only(PRACTICE_CARE, 412, rest=404) | dict.fromkeys(CENTER_CARE, 403),
    # The event is a center's stage change, from `infused` on.
    ("POST", "/v1/referrals/{referral_id}/events"): _only(CENTER_CARE, 200, rest=404)
    | dict.fromkeys(PRACTICE_CARE, 409),
    ("GET", "/v1/referrals/{referral_id}/events"): _OF_THE_REFERRAL,
    ("GET", "/v1/referrals/{referral_id}/changes"): _OF_THE_REFERRAL,
    ("GET", "/v1/referrals/{referral_id}/possible-duplicates"): _OF_THE_REFERRAL,
    ("GET", "/v1/referrals/{referral_id}/window"): _OF_THE_REFERRAL,
    ("GET", "/v1/referrals/{referral_id}/notices"): _OF_THE_REFERRAL,
    # The referral has moved since version 1, so this view does not count.
    ("PUT", "/v1/referrals/{referral_id}/look"): _only(PRACTICE_CARE | CENTER_CARE, 412, rest=404),
    ("GET", "/v1/referrals/{referral_id}/audit"): _only(ADMINS, 200, rest=403),
    ("GET", "/v1/audit"): _only(ADMINS, 200, rest=403),
    # Deliveries belong to the center; for everyone else they do not exist.
    ("GET", "/v1/centers/{center_id}/deliveries"): _OF_THE_FEED | {"center_admin": 200},
    # The delivery was applied at once, so there is nothing to retry.
    ("POST", "/v1/centers/{center_id}/deliveries/{delivery_id}/replay"): _OF_THE_FEED | {"center_admin": 409},
    ("POST", "/v1/centers/{center_id}/webhook-secrets"): _OF_THE_FEED | {"center_admin": 201},
    ("GET", "/v1/centers/{center_id}/webhook"): _OF_THE_FEED | {"center_admin": 200},
    ("POST", "/v1/centers/{center_id}/test-events"): _OF_THE_FEED | {"center_admin": 201},
    # Every practice reads a center's free times. For the team of another center, they do not exist.
    ("GET", "/v1/centers/{center_id}/slots"): _only(PRACTICE_CARE | CENTER_CARE | {"other_practice"}, 200, rest=404)
    | dict.fromkeys(ADMINS, 403),
    ("POST", "/v1/centers/{center_id}/slots"): _of_the_center(201),
    # There is no such time, and no such pattern.
    ("DELETE", "/v1/centers/{center_id}/slots/{slot_id}"): _of_the_center(404),
    ("GET", "/v1/centers/{center_id}/slot-patterns"): _of_the_center(200),
    ("POST", "/v1/centers/{center_id}/slot-patterns"): _of_the_center(201),
    ("PUT", "/v1/centers/{center_id}/slot-patterns/{pattern_id}"): _of_the_center(404),
    ("DELETE", "/v1/centers/{center_id}/slot-patterns/{pattern_id}"): _of_the_center(404),
    ("GET", "/v1/referrals/{referral_id}/consultation"): _OF_THE_REFERRAL,
    # Nothing is planned yet.
    ("GET", "/v1/referrals/{referral_id}/consultation.ics"): _all(404),
    # Nothing was booked yet, so version 1 is stale.
    ("PUT", "/v1/referrals/{referral_id}/consultation"): _only(PRACTICE_CARE | CENTER_CARE, 412, rest=404),
    ("DELETE", "/v1/referrals/{referral_id}/consultation"): _only(PRACTICE_CARE | CENTER_CARE, 412, rest=404),
    # The practice asks; the center is asked.
    ("POST", "/v1/referrals/{referral_id}/consultation/requests"): _only(PRACTICE_CARE, 201, rest=404)
    | dict.fromkeys(CENTER_CARE, 403),
    ("GET", "/v1/referrals/{referral_id}/handback"): _OF_THE_REFERRAL,
    # Nothing is written yet, so version 1 is stale; the practice only reads.
    ("PUT", "/v1/referrals/{referral_id}/handback"): _only(CENTER_CARE, 412, rest=404)
    | dict.fromkeys(PRACTICE_CARE, 403),
    ("GET", "/v1/referrals/{referral_id}/packet.pdf"): _OF_THE_REFERRAL,
    ("GET", "/v1/referrals/{referral_id}/follow-up"): _OF_THE_REFERRAL,
    ("GET", "/v1/referrals/{referral_id}/follow-up.ics"): _OF_THE_REFERRAL,
    ("GET", "/v1/referrals/{referral_id}/messages"): _OF_THE_REFERRAL,
    ("POST", "/v1/referrals/{referral_id}/messages"): _only(PRACTICE_CARE | CENTER_CARE, 201, rest=404),
    ("POST", "/v1/referrals/{referral_id}/messages/read"): _OF_THE_REFERRAL,
    ("GET", "/v1/referrals/{referral_id}/information-requests"): _OF_THE_REFERRAL,
    ("POST", "/v1/referrals/{referral_id}/information-requests"): _only(CENTER_CARE, 201, rest=404)
    # The second member of the center asks for what the first one already asked for.
    | dict.fromkeys(PRACTICE_CARE, 403)
    | {"clinician": 409},
    # The practice answers one item, and its second member meets that answer.
    ("POST", "/v1/referrals/{referral_id}/information-requests/{request_id}/answer"): _only(CENTER_CARE, 403, rest=404)
    | {"practice": 200, "provider": 409},
    # The first member of the center closes the request, and the second finds it closed.
    ("POST", "/v1/referrals/{referral_id}/information-requests/{request_id}/close"): _only(PRACTICE_CARE, 403, rest=404)
    | {"center": 200, "clinician": 409},
    ("GET", "/v1/practice-directory"): _only(PRACTICE_CARE | {"other_practice"}, 200, rest=403),
    # The coordinator forgets the entry, and the provider finds it gone. The other practice never had it.
    ("DELETE", "/v1/practice-directory/{entry_id}"): _only(PRACTICE_CARE | {"other_practice"}, 404, rest=403)
    | {"practice": 204},
    ("GET", "/v1/referrals/{referral_id}/documents"): _OF_THE_REFERRAL,
    ("POST", "/v1/referrals/{referral_id}/documents"): _only(PRACTICE_CARE | CENTER_CARE, 201, rest=404),
    # The document is the practice's record of a fax, at version 2: it has no file to open.
    ("GET", "/v1/referrals/{referral_id}/documents/{document_id}"): _OF_THE_REFERRAL,
    ("POST", "/v1/referrals/{referral_id}/documents/{document_id}/links"): _only(
        PRACTICE_CARE | CENTER_CARE, 409, rest=404
    ),
    ("DELETE", "/v1/referrals/{referral_id}/documents/{document_id}"): _only(PRACTICE_CARE, 412, rest=404)
    | dict.fromkeys(CENTER_CARE, 403),
    # The first member of the center confirms that it arrived, and the second repeats it.
    ("POST", "/v1/referrals/{referral_id}/documents/{document_id}/arrival"): _only(PRACTICE_CARE, 403, rest=404)
    | {"center": 200, "clinician": 409},
    ("GET", "/v1/referrals/{referral_id}/coverage"): _OF_THE_REFERRAL,
    ("GET", "/v1/referrals/{referral_id}/coverage-checks"): _OF_THE_REFERRAL,
    # No payer is configured.
    ("POST", "/v1/referrals/{referral_id}/coverage-checks"): _only(PRACTICE_CARE | CENTER_CARE, 409, rest=404),
    ("GET", "/v1/referrals/{referral_id}/coverage/letter"): _OF_THE_REFERRAL,
    # Nothing is saved yet, so version 1 is stale; the center only reads.
    ("PUT", "/v1/referrals/{referral_id}/coverage/letter"): _only(PRACTICE_CARE, 412, rest=404)
    | dict.fromkeys(CENTER_CARE, 403),
    # Nothing is recorded yet, so version 1 is stale.
    ("PATCH", "/v1/referrals/{referral_id}/coverage"): _only(PRACTICE_CARE | CENTER_CARE, 412, rest=404),
    ("GET", "/v1/operations"): _only(frozenset({"operator"}), 200, rest=403),
    ("GET", "/v1/operations/unreachable-members"): _only(frozenset({"operator"}), 200, rest=403),
    ("POST", "/v1/operations/failed-tasks/retry"): _only(frozenset({"operator"}), 200, rest=403),
    ("GET", "/v1/me/calendar"): _all(200),
    ("POST", "/v1/me/calendar"): _only(CARE_MEMBERS, 201, rest=403),
    ("DELETE", "/v1/me/calendar"): _only(CARE_MEMBERS, 204, rest=403),
    # By its secret link: calendar programs do not sign in.
    ("GET", "/v1/calendars/{calendar}"): RouteAccess.PUBLIC,
    ("GET", "/v1/notices"): _all(200),
    # Ids that are not the caller's own are ignored.
    ("GET", "/v1/notices/{notice_id}"): _only(frozenset({"practice"}), 200, rest=404),
    ("POST", "/v1/notices/read"): _all(200),
    # The notice belongs to the practice's coordinator.
    ("POST", "/v1/notices/{notice_id}/read"): _only(frozenset({"practice"}), 204, rest=404),
}

GUARDED_ROUTES: tuple[Route, ...] = tuple(
    route for route, outcomes in POLICY.items() if not isinstance(outcomes, RouteAccess)
)
"""The routes that require sign-in."""


def list_expected_statuses(route: Route) -> Outcomes:
    """What a guarded route answers, by caller."""
    outcomes = POLICY[route]
    if isinstance(outcomes, RouteAccess):
        raise TypeError(f"{route} is not for people who are signed in")
    return outcomes


QUERIES: Mapping[Route, str] = {
    ("DELETE", "/v1/referrals/{referral_id}/documents/{document_id}"): "?reason=wrong_patient",
}
"""The query without which a route refuses everyone."""


def build_fax_body(**changed: Any) -> dict[str, Any]:
    """Build the record of a document that was sent by fax."""
    sent = {"channel": "fax", "sent_on": wiring.read_clock().date().isoformat()}
    return {"kind": "pathology_report", "sent": sent, **changed}


def build_body(route: Route, *, unique: str) -> dict[str, Any] | None:
    """Build a body that the route accepts; `unique` makes two of them differ."""
    bodies: dict[Route, dict[str, Any]] = {
        ("POST", "/v1/members"): {"name": "New Person", "email": f"{unique}@invited.example", "roles": [Role.ADMIN]},
        ("PATCH", "/v1/members/{member_id}"): {"active": True},
        ("POST", "/v1/sessions/password"): {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        ("POST", "/v1/sessions/authenticator"): {"password": PASSWORD},
        ("POST", "/v1/sessions/authenticator/confirm"): {"code": "123456"},
        ("POST", "/v1/operations/failed-tasks/retry"): {"outbox_ids": ["out_" + "a" * 26]},
        ("POST", "/v1/referrals"): factories.build_referral_body(),
        ("POST", "/v1/screens"): factories.build_screen_body(),
        ("POST", "/v1/screens/chart-entries"): {"token": "a" * 43},
        ("PUT", "/v1/me/notification-preferences"): factories.build_preferences_body(),
        ("PUT", "/v1/views/mine"): factories.build_views_body("Late first"),
        ("PUT", "/v1/views/shared"): factories.build_views_body("Late first"),
        ("POST", "/v1/notices/read"): {"notice_ids": ["ntc_20260101T000000000000_" + "a" * 26]},
        ("PATCH", "/v1/referrals/{referral_id}"): {"urgency": "urgent"},
        ("PUT", "/v1/referrals/{referral_id}/coverage/letter"): {"text": "To the medical director: […]"},
        ("PATCH", "/v1/referrals/{referral_id}/coverage"): {"move": "verification_requested"},
        ("POST", "/v1/referrals/{referral_id}/messages"): {"text": "Is bridging planned?"},
        ("POST", "/v1/referrals/{referral_id}/messages/read"): {"up_to": 1},
        ("POST", "/v1/referrals/{referral_id}/information-requests"): {"items": ["clinical_ecog"]},
        ("POST", "/v1/referrals/{referral_id}/information-requests/{request_id}/answer"): {
            "items": [{"item_id": "1", "kind": "none", "text": "Not measured."}]
        },
        ("POST", "/v1/referrals/{referral_id}/documents"): build_fax_body(),
        ("POST", "/v1/referrals/{referral_id}/documents/{document_id}/arrival"): {"arrival": "received"},
        ("POST", "/v1/centers/{center_id}/slots"): bookings.build_slot_body(),
        ("POST", "/v1/centers/{center_id}/slot-patterns"): bookings.build_pattern_body(),
        ("PUT", "/v1/centers/{center_id}/slot-patterns/{pattern_id}"): bookings.build_pattern_body(),
        ("PUT", "/v1/referrals/{referral_id}/consultation"): {"slot_id": "slot_x", "state": "booked"},
        ("POST", "/v1/referrals/{referral_id}/consultation/requests"): {"preferred_days": ["monday"]},
        ("PUT", "/v1/referrals/{referral_id}/handback"): handbacks.build_handback_body(),
        ("POST", "/v1/referrals/{referral_id}/events"): {
            "type": "stage.changed",
            "occurred_at": wiring.read_clock().isoformat(),
            "data": {"stage": "monitoring"},
        },
    }
    return bodies.get(route)
