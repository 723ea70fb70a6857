"""Letters of medical necessity: fill one from the record, and keep what a person made of it."""

from dataclasses import dataclass, replace

from chalicelib import catalog
from chalicelib.catalog.diagnoses import load_code_set
from chalicelib.domain.coverage.letter import LetterFacts, LetterVersion, fill_letter, has_blanks
from chalicelib.domain.coverage.moves import MoveName
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.errors import ApiError, ConflictError, FieldError, PreconditionFailedError, UnavailableError
from chalicelib.services.audit.refusals import record_refusal
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404, require_practice
from chalicelib.services.referrals.consent_checks import get_practice_day

_READ, _SAVE = "coverage.letter_read", "coverage.letter_saved"


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """A letter: the newest saved version, and the text that the record fills now."""

    referral: Referral
    saved: LetterVersion | None
    draft: str

    @property
    def version(self) -> int:
        """The version of what is saved; 0 before the first one."""
        return self.saved.version if self.saved else 0


def read_letter(referral_id: str, *, member: Member, context: RunContext) -> LetterView:
    """Read the letter of a referral.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    referral = get_visible_or_404(referral_id, member, _READ, context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, _READ, context.now))
    saved = context.stores.coverage_letters.get_latest(referral_id, scope=referral.practice_id)
    return LetterView(referral=referral, saved=saved, draft=fill_letter(_collect_facts(referral, context=context)))


def save_letter(
    referral_id: str, text: str, *, is_final: bool, version: int, member: Member, context: RunContext
) -> LetterView:
    """Save a version of the letter. Earlier versions stay.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        ForbiddenError: only the practice writes the letter.
        PreconditionFailedError: someone saved another version after `version`.
        ConflictError: it is marked as final and has blanks, or the referral is closed.
    """
    found = get_visible_or_404(referral_id, member, _SAVE, context=context)

    def attempt() -> LetterView:
        referral = get_visible_or_404(referral_id, member, _SAVE, context=context)
        require_practice(member)
        saved = context.stores.coverage_letters.get_latest(referral_id, scope=referral.practice_id)
        if version != (saved.version if saved else 0):
            raise PreconditionFailedError
        if referral.stage in TERMINAL_STAGES:
            raise ConflictError("referral_closed", "This referral is closed, so its letter can no longer be changed.")
        if is_final and has_blanks(text):
            message = "Fill in the blanks […] before you mark the letter as final."
            raise ConflictError("letter_has_blanks", message, errors=[FieldError("/text", "blank", message)])
        letter = LetterVersion(
            version=version + 1, text=text, is_final=is_final, saved_at=context.now, saved_by=member.name
        )
        changed = replace(referral, updated_at=context.now, version=referral.version + 1)
        context.stores.transactions.commit(
            *context.stores.referrals.prepare_save(
                changed, build_member_audit_entry(changed, member, _SAVE, context.now)
            ),
            context.stores.coverage_letters.prepare_add(referral_id, letter, scope=referral.practice_id),
        )
        draft = fill_letter(_collect_facts(referral, context=context))
        return LetterView(referral=changed, saved=letter, draft=draft)

    try:
        return commit_with_retry(attempt)
    except UnavailableError:
        raise
    except ApiError as e:
        record_refusal(e, build_member_audit_entry(found, member, _SAVE, context.now), context=context)
        raise


def _collect_facts(referral: Referral, *, context: RunContext) -> LetterFacts:
    track = context.stores.coverage_tracks.get(referral.referral_id, scope=referral.practice_id)
    practice = context.stores.tenants.get_cached(TenantKind.PRACTICE, referral.practice_id)
    center = context.stores.tenants.get_center(referral.center_id)
    product = catalog.load_products().get(referral.current_product_id or "")
    clinical = referral.details.get("clinical") or {}
    indications = product.facts["indications"] if product else []
    rows = [row["text"] for each in indications if each["disease"] == clinical.get("disease") for row in each["rows"]]
    return LetterFacts(
        details=referral.details,
        practice_name=practice.name if practice else "",
        center_name=center.tenant.name if center else None,
        urgency=referral.urgency,
        diagnosis=_find_diagnosis(clinical.get("icd10")),
        product_name=product.name if product else None,
        label=rows,
        label_as_of=product.get_section_date("indications") if product else None,
        case_number=track.get_fact(MoveName.AUTHORIZATION_SUBMITTED, "case_number"),
        appeal_to=track.get_fact(MoveName.AUTHORIZATION_DENIED, "appeal_to"),
        denial_words=track.get_fact(MoveName.AUTHORIZATION_DENIED, "words"),
        written_on=get_practice_day(referral.practice_id, context=context),
    )


def _find_diagnosis(code: str | None) -> str | None:
    return load_code_set().codes.get(code) if code else None
