"""Mistakes about the owner of a record, and about its state."""

from tests.simulation.known_mutant import KnownMutant

_CALLS = "chalicelib/routes/platform/request.py"
_MEMBERS = "chalicelib/domain/identity/members.py"
_RECEIPTS = "chalicelib/store/webhooks/idempotency.py"
_BOOKS = "chalicelib/services/referrals/event_writes.py"
_OUTBOX = "chalicelib/store/notices/outbox.py"
_DYNAMO = "chalicelib/store/platform/dynamo.py"
_ACCESS = "chalicelib/services/referrals/access.py"
_PEOPLE = "chalicelib/services/identity/members.py"
_OF_RECEIPTS = "tests/store/webhooks/test_idempotency.py"
_OF_ROUTES = "tests/routes/test_route_table.py"
_OF_FEEDS = "tests/services/referrals/test_report_event.py"
_OF_OUTBOX = "tests/store/notices/test_outbox.py"

RECORD_MUTANTS: tuple[KnownMutant, ...] = (
    KnownMutant(
        "a disabled member goes on",
        _CALLS,
        "if member is None or not member.active:",
        "if member is None:",
        f"{_OF_ROUTES}::test_a_member_who_is_shut_out_is_refused_on_the_next_request",
    ),
    KnownMutant(
        "any practice sees any referral",
        _MEMBERS,
        "return referral.practice_id == self.tenant_id",
        "return True",
        "tests/domain/identity/test_members.py::test_a_submitted_referral_is_seen_by_its_two_tenants_only",
    ),
    KnownMutant(
        "a center sees drafts that name it",
        _MEMBERS,
        "return referral.is_with_center and referral.center_id == self.tenant_id",
        "return referral.center_id == self.tenant_id",
        "tests/domain/identity/test_members.py::test_a_draft_is_seen_by_its_practice_only",
    ),
    KnownMutant(
        "an administrator alone sees patients",
        "chalicelib/services/referrals/access.py",
        "if referral is not None and member.has_clinical_access and member.can_see(referral):",
        "if referral is not None and member.can_see(referral):",
        f"{_OF_ROUTES}::test_a_route_answers_each_role_as_its_policy_says",
    ),
    KnownMutant(
        "deliveries are told apart by their id alone, whoever's they are",
        _RECEIPTS,
        '        "center_id": delivery.center_id,\n',
        '        "center_id": "any",\n',
        f"{_OF_RECEIPTS}::test_a_center_cannot_use_up_another_centers_ids",
    ),
    KnownMutant(
        "a key of another caller is the same key",
        _RECEIPTS,
        'hash_body(f"{self.member_id}\\x00{self.route}',
        'hash_body(f"{self.route}',
        f"{_OF_RECEIPTS}::test_a_key_is_the_callers_own",
    ),
    KnownMutant(
        "a key with another body gets the old answer",
        _RECEIPTS,
        'if row["body_hash"] != request.body_hash:',
        "if False:",
        f"{_OF_RECEIPTS}::test_a_key_that_comes_back_with_another_body_is_refused",
    ),
    KnownMutant(
        "a kept answer is stored in clear",
        _RECEIPTS,
        "self.encryption.encrypt(plain, scope=request.tenant_id, context=place)",
        "plain",
        f"{_OF_RECEIPTS}::test_a_kept_answer_is_sealed",
    ),
    KnownMutant(
        "a decision reads what may be stale",
        "chalicelib/store/platform/dynamo.py",
        "Key=marshal(key), ConsistentRead=True",
        "Key=marshal(key), ConsistentRead=False",
        "tests/store/platform/test_dynamo.py::test_a_read_of_a_table_is_never_stale",
    ),
    KnownMutant(
        "a feed moves another center's referral",
        _BOOKS,
        "referral.is_with_center and referral.center_id == center_id",
        "referral.is_with_center",
        f"{_OF_FEEDS}::test_a_delivery_from_another_center_never_applies",
    ),
    KnownMutant(
        "a zombie finishes its successor's task",
        _OUTBOX,
        'when="fence = :fence"',
        'when="fence >= :fence"',
        f"{_OF_OUTBOX}::test_a_zombies_finish_is_refused",
    ),
    KnownMutant(
        "two runs claim one task",
        _OUTBOX,
        "lane = :lane AND due_at = :seen AND {unclaimed}",
        "lane = :lane AND (lane = :lane OR due_at = :seen OR {unclaimed})",
        f"{_OF_OUTBOX}::test_a_claim_keeps_a_second_claimer_out",
    ),
    KnownMutant(
        "28 days are 28 times 24 hours",
        "chalicelib/domain/referrals/monitoring_window.py",
        "return self.infused_on + timedelta(days=self.profile.handback_target_day)",
        "return (start_of_day(self.infused_on, self.time_zone) + timedelta(hours=24 *"
        " self.profile.handback_target_day)).astimezone(ZoneInfo(self.time_zone)).date()",
        "tests/domain/referrals/test_monitoring_window.py::test_the_window_ends_n_calendar_days_after_the_infusion",
    ),
    KnownMutant(
        "a referral changes and no audit row says so",
        "chalicelib/store/platform/transactions.py",
        "        require_audit_row(writes)\n",
        "",
        "tests/store/platform/test_require_audit_row.py::test_a_change_of_a_referral_alone_is_refused",
    ),
    KnownMutant(
        "checkpoints that were cut off are not missed",
        "chalicelib/services/audit/trail.py",
        "return EMPTY_CHAIN if anchor is None else ChainHead(**anchor)",
        "return None",
        "tests/services/audit/test_trail.py::test_deleted_checkpoints_are_found",
    ),
    KnownMutant(
        "a sealed value opens in another place",
        "chalicelib/store/platform/envelope_encryption.py",
        "context.encode()",
        'b""',
        "tests/store/platform/test_envelope_encryption.py::test_a_value_that_was_moved_does_not_open",
    ),
    KnownMutant(
        "an id of a delivery with another body gets the first one's answer",
        _RECEIPTS,
        'if row["body_hash"] != delivery.body_hash:',
        "if False:",
        "tests/store/webhooks/test_idempotency.py::test_an_id_that_comes_back_with_another_body_is_refused",
    ),
    KnownMutant(
        "a look at several rows may be stale",
        _DYNAMO,
        'for key in keys], "ConsistentRead": True}',
        "for key in keys]}",
        "tests/store/platform/test_dynamo.py::test_a_read_of_a_table_is_never_stale",
    ),
    KnownMutant(
        "a look at a partition may be stale",
        _DYNAMO,
        'else {"ConsistentRead": True}',
        "else {}",
        "tests/store/platform/test_dynamo.py::test_a_read_of_a_table_is_never_stale",
    ),
    KnownMutant(
        "a try at somebody else's referral leaves no trace",
        _ACCESS,
        "    stores.audit_log.append(\n        AuditEntry(",
        "    (lambda _entry: None)(\n        AuditEntry(",
        "tests/routes/identity/test_tenant_isolation.py::test_a_refused_read_is_audited",
    ),
    KnownMutant(
        "a center makes referrals of its own",
        _ACCESS,
        "if member.kind is not TenantKind.PRACTICE or not member.has_clinical_access:",
        "if not member.has_clinical_access:",
        "tests/routes/test_route_table.py::test_a_route_answers_each_role_as_its_policy_says",
    ),
    KnownMutant(
        "anybody manages people",
        _PEOPLE,
        "    if not by.is_admin:",
        "    if False:",
        "tests/services/identity/test_members.py::test_only_administrators_can_manage_members",
    ),
    KnownMutant(
        "either side does what belongs to the other",
        "chalicelib/domain/referrals/apply_event.py",
        "    if event.actor not in by:",
        "    if False:",
        "tests/domain/referrals/test_apply_event_status.py::test_an_event_is_rejected_with_its_reason",
    ),
    KnownMutant(
        "a value opens with whatever scope it is asked for",
        "chalicelib/store/platform/envelope_encryption.py",
        'EncryptionContext={"scope": scope}',
        'EncryptionContext={"scope": "any"}',
        "tests/store/platform/test_envelope_encryption.py::test_a_wrapped_key_of_another_scope_is_not_unwrapped",
    ),
)
