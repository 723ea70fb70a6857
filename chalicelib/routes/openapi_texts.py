"""The texts of the OpenAPI document that belong to no field: how to begin, and what each group of routes is for."""

from typing import Final

from chalicelib.routes.platform.operations import RouteAccess

INTRODUCTION: Final = """\
Refer a patient for CAR T evaluation, and follow the referral until the patient returns to the practice.

- **Sign-in**: `POST /v1/sessions` gives an access token. Send it as `Authorization: Bearer`.
- **Fields**: a request with an unknown field is refused, except from a center's system or an EHR. New fields can \
appear in responses.
- **Times** are RFC 3339 with an offset; responses use UTC. **Days** are `YYYY-MM-DD`, at the place that the field \
names.
- **Safe repeats**: a POST with an `Idempotency-Key` can be sent again with the same key and body.
- **Changes**: a request with `If-Match` is refused if someone changed the object after you read it.
- **Lists** come in pages. Send `next_cursor` of a page as `cursor` to read the next one.
- **Refusals** are problem details (RFC 9457). Decide by `code`; `x-problem-codes` explains each.
- **Patient data**: an ID that does not exist and one that you cannot see get the same response (404).
"""

CALLERS: Final = {
    RouteAccess.PUBLIC: "No sign-in is needed.",
    RouteAccess.WEBHOOK_SIGNATURE: "For the system of a treatment center, which signs the request.",
    RouteAccess.CDS_CALLER: "For an EHR on the allow list, with a CDS Hooks token.",
    RouteAccess.SNS_SIGNATURE: "For Amazon SNS, which signs the message.",
    RouteAccess.LINK_HOLDER: "For anyone who has the link.",
    RouteAccess.PERSON: "For any person who is signed in.",
    RouteAccess.MEMBER: "For members of an organization. Your role and your organization decide what you can do.",
}
"""Who can call an operation."""

TAGS: Final = {
    "assets": "The files of the dashboard.",
    "audit": "What an organization changed, and what it was refused.",
    "calendars": "Calendar feeds, by their secret links.",
    "cds-services": "CDS Hooks for EHRs: label criteria next to a chart.",
    "centers": "Treatment centers, their consultation times, and the deliveries of their systems.",
    "diagnosis-codes": "ICD-10-CM codes of blood cancers, and histologies.",
    "docs": "The API reference for people.",
    "health": "Whether the service runs.",
    "insights": "How long steps take, how far referrals get, and why they end, from an organization's own referrals.",
    "legal": "The operator's terms and notices.",
    "mail-events": "What happened to emails, from Amazon SNS.",
    "me": "The signed-in member: settings and calendar.",
    "members": "The people of an organization, for its administrators.",
    "memberships": "The organizations in which a person can act.",
    "notices": "Notices for the signed-in member.",
    "openapi.json": "This document.",
    "operations": "How the service runs, for its operator.",
    "pages": "The dashboard.",
    "practice-directory": "Referring providers and payers that a practice has used.",
    "products": "CAR T products and their labels.",
    "referrals": "Referrals, and what belongs to one: events, documents, messages, coverage, consultation, follow-up.",
    "resources": "National resources for patients.",
    "screens": "The eligibility check: a comparison with label criteria, never a decision.",
    "sessions": "Sign-in, passwords and authenticator apps.",
    "statements": "The statements that every page shows.",
    "unsubscribe": "Links in emails that end emails of a kind.",
    "views": "Saved views of the worklist.",
    "webhooks": "What the systems of treatment centers send.",
}
"""The groups of operations, by the first part of their paths."""
