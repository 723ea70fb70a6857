"""Mistakes in checks of who owns a record, and of its state."""

from tests.simulation.known_mutant import KnownMutant

_MEMBERS = "chalicelib/domain/identity/members.py"
_IDEMPOTENCY = "chalicelib/store/platform/idempotency.py"
_DELIVERY_LOG = "chalicelib/store/webhooks/delivery_log.py"
_EVENT_DECISIONS = "chalicelib/services/referrals/event_decisions.py"
_OUTBOX = "chalicelib/store/notices/outbox.py"
_DYNAMO = "chalicelib/store/platform/dynamo.py"
_ENCRYPTION = "chalicelib/store/platform/envelope_encryption.py"
_ACCESS = "chalicelib/services/referrals/access.py"
_MEMBER_SERVICE = "chalicelib/services/identity/members.py"
_IDEMPOTENCY_TESTS = "tests/store/platform/test_idempotency.py"
_DELIVERY_LOG_TESTS = "tests/store/webhooks/test_delivery_log.py"
_ROUTE_TABLE_TESTS = "tests/routes/test_route_table.py"
_REPORT_EVENT_TESTS = "tests/services/referrals/test_report_event.py"
_OUTBOX_TESTS = "tests/store/notices/test_outbox.py"
_DYNAMO_TESTS = "tests/store/platform/test_dynamo.py"
_ENCRYPTION_TESTS = "tests/store/platform/test_envelope_encryption.py"

RECORD_MUTANTS: tuple[KnownMutant, ...] = (
    KnownMutant(
        "every member has clinical access",
        _MEMBERS,
        "return bool(self.roles & CARE_ROLES)",
        "return True",
        "tests/domain/identity/test_members.py::test_an_administrator_or_operator_alone_has_no_clinical_access",
    ),
    KnownMutant(
        "every member is an administrator",
        _MEMBERS,
        "return Role.ADMIN in self.roles",
        "return True",
        "tests/domain/identity/test_members.py::test_only_an_administrator_manages_members",
    ),
    KnownMutant(
        "a disabled member keeps access",
        _MEMBERS,
        "return self.active and not self.locked",
        "return not self.locked",
        f"{_ROUTE_TABLE_TESTS}::test_a_disabled_member_is_refused_on_the_next_request",
    ),
    KnownMutant(
        "any practice can read any referral",
        _MEMBERS,
        "return practice_id == self.tenant_id",
        "return True",
        "tests/domain/identity/test_members.py::test_a_submitted_referral_is_visible_only_to_its_two_tenants",
    ),
    KnownMutant(
        "a center can read drafts that name it",
        _MEMBERS,
        "referral.center_id if referral.is_with_center else None",
        "referral.center_id",
        "tests/domain/identity/test_members.py::test_a_draft_is_visible_only_to_its_practice",
    ),
    KnownMutant(
        "an administrator without a clinical role can read patients",
        _ACCESS,
        "is_visible=member.treats)",
        "is_visible=member.belongs_to)",
        f"{_ROUTE_TABLE_TESTS}::test_a_route_answers_each_role_as_its_policy_says",
    ),
    KnownMutant(
        "deliveries of all centers share one set of webhook IDs",
        _DELIVERY_LOG,
        '        "center_id": delivery.center_id,\n',
        '        "center_id": "any",\n',
        f"{_DELIVERY_LOG_TESTS}::test_a_webhook_id_belongs_to_one_center",
    ),
    KnownMutant(
        "callers share their Idempotency-Keys",
        _IDEMPOTENCY,
        'hash_body(f"{self.member_id}\\x00{self.route}',
        'hash_body(f"{self.route}',
        f"{_IDEMPOTENCY_TESTS}::test_a_key_belongs_to_one_caller_and_one_route",
    ),
    KnownMutant(
        "an Idempotency-Key with another body gets the stored response",
        _IDEMPOTENCY,
        'if row["body_hash"] != request.body_hash:',
        "if False:",
        f"{_IDEMPOTENCY_TESTS}::test_a_key_with_another_body_is_refused",
    ),
    KnownMutant(
        "a stored response is not encrypted",
        _IDEMPOTENCY,
        "self.encryption.encrypt(\n"
        "                compressed, scope=request.tenant_id, context=context, referral_id=referral_id\n"
        "            )",
        "compressed",
        f"{_IDEMPOTENCY_TESTS}::test_a_stored_response_is_encrypted",
    ),
    KnownMutant(
        "a read of one item can be stale",
        _DYNAMO,
        "Key=marshal(key), ConsistentRead=True",
        "Key=marshal(key), ConsistentRead=False",
        f"{_DYNAMO_TESTS}::test_every_read_of_a_table_is_strongly_consistent",
    ),
    KnownMutant(
        "a center's system can update another center's referral",
        _EVENT_DECISIONS,
        "referral.is_with_center and referral.center_id == center_id",
        "referral.is_with_center",
        f"{_REPORT_EVENT_TESTS}::test_a_delivery_from_another_center_never_applies",
    ),
    KnownMutant(
        "a run whose lease ended finishes the task of its successor",
        _OUTBOX,
        'when="fence = :fence"',
        'when="fence >= :fence"',
        f"{_OUTBOX_TESTS}::test_a_run_whose_lease_ended_changes_nothing",
    ),
    KnownMutant(
        "two runs can claim the same task",
        _OUTBOX,
        "lane = :lane AND due_at = :read AND {unclaimed}",
        "lane = :lane AND (lane = :lane OR due_at = :read OR {unclaimed})",
        f"{_OUTBOX_TESTS}::test_a_second_claim_of_the_same_row_fails",
    ),
    KnownMutant(
        "a monitoring window of 28 days lasts 28 times 24 hours",
        "chalicelib/domain/referrals/monitoring_window.py",
        "return self.infused_on + timedelta(days=self.profile.handback_target_day)",
        "return (get_start_of_day(self.infused_on, self.time_zone) + timedelta(hours=24 *"
        " self.profile.handback_target_day)).astimezone(ZoneInfo(self.time_zone)).date()",
        "tests/domain/referrals/test_monitoring_window.py::test_the_window_ends_n_calendar_days_after_the_infusion",
    ),
    KnownMutant(
        "a referral can change without an audit row",
        "chalicelib/store/platform/transactions.py",
        "        require_audit_row(writes)\n",
        "",
        "tests/store/platform/test_require_audit_row.py::test_a_change_without_an_audit_row_is_refused",
    ),
    KnownMutant(
        "a false head of the checkpoints is not detected",
        "chalicelib/services/audit/verification.py",
        "return EMPTY_CHAIN if anchor is None else ChainHead(**anchor)",
        "return None",
        "tests/services/audit/test_trail.py::test_a_forged_anchor_is_found",
    ),
    KnownMutant(
        "checkpoints that were set back together with their anchor are not detected",
        "chalicelib/services/audit/verification.py",
        "    result.breaks += kept.list_missing_checkpoints()\n",
        "",
        "tests/services/audit/test_trail.py::test_checkpoints_and_their_anchor_set_back_together_are_found",
    ),
    KnownMutant(
        "a refusal that no service records leaves no audit row",
        "chalicelib/routes/platform/endpoint.py",
        "            record_route_refusal(refusal, operation, path_parameters, request=request)\n",
        "",
        "tests/routes/identity/test_audited_refusals.py::test_a_refusal_of_another_tenants_object_leaves_one_row",
    ),
    KnownMutant(
        "text in place of an id is stored in the audit trail",
        "chalicelib/routes/platform/refusals.py",
        "        return IMPOSSIBLE_ID\n",
        "        return value\n",
        "tests/routes/identity/test_audited_refusals.py::test_text_in_place_of_an_id_is_never_stored",
    ),
    KnownMutant(
        "another tenant's referral is decrypted before it is refused",
        "chalicelib/services/referrals/access.py",
        "store.open_item(item, is_visible=member.treats)",
        "store.open_item(item)\n    if referral and not member.treats(referral.practice_id,"
        " referral.center_id if referral.is_with_center else None):\n        referral = None",
        "tests/routes/identity/test_equal_refusals.py"
        "::test_another_tenants_referral_takes_the_same_calls_as_a_random_id",
    ),
    KnownMutant(
        "a ciphertext can be decrypted in another context",
        _ENCRYPTION,
        "if template else context",
        'if template else ""',
        f"{_ENCRYPTION_TESTS}::test_a_ciphertext_that_was_moved_does_not_decrypt",
    ),
    KnownMutant(
        "a webhook ID with another body gets the result of the first delivery",
        _DELIVERY_LOG,
        'if row["body_hash"] != delivery.body_hash:',
        "if False:",
        f"{_DELIVERY_LOG_TESTS}::test_a_webhook_id_with_another_body_is_refused",
    ),
    KnownMutant(
        "a read of several items can be stale",
        _DYNAMO,
        '{"Keys": [], "ConsistentRead": True}',
        '{"Keys": []}',
        f"{_DYNAMO_TESTS}::test_every_read_of_a_table_is_strongly_consistent",
    ),
    KnownMutant(
        "a query of a partition can be stale",
        _DYNAMO,
        'else {"ConsistentRead": True}',
        "else {}",
        f"{_DYNAMO_TESTS}::test_every_read_of_a_table_is_strongly_consistent",
    ),
    KnownMutant(
        "a refused read of another tenant's referral is not audited",
        _ACCESS,
        "    record_refusal(refusal, entry, context=context)\n",
        "",
        "tests/routes/identity/test_tenant_isolation.py::test_a_refused_read_is_audited",
    ),
    KnownMutant(
        "a center can create referrals",
        _ACCESS,
        "if member.kind is not TenantKind.PRACTICE or not member.has_clinical_access:",
        "if not member.has_clinical_access:",
        f"{_ROUTE_TABLE_TESTS}::test_a_route_answers_each_role_as_its_policy_says",
    ),
    KnownMutant(
        "a member who is not an administrator can manage members",
        _MEMBER_SERVICE,
        "    if not by.is_admin:",
        "    if False:",
        "tests/services/identity/test_members.py::test_only_administrators_can_manage_members",
    ),
    KnownMutant(
        "either side can report the events of the other side",
        "chalicelib/domain/referrals/status_events.py",
        "    if event.actor not in by:",
        "    if False:",
        "tests/domain/referrals/test_apply_event_status.py::test_an_event_is_rejected_with_its_reason",
    ),
    KnownMutant(
        "a data key can be decrypted for any scope",
        "chalicelib/store/platform/scope_keys.py",
        'EncryptionContext={"scope": scope}',
        'EncryptionContext={"scope": "any"}',
        f"{_ENCRYPTION_TESTS}::test_a_data_key_of_another_scope_is_not_decrypted",
    ),
    KnownMutant(
        "a locked center gets the result of an earlier delivery",
        "chalicelib/services/referrals/report_event.py",
        "    if context.stores.tenants.is_locked(delivery.center_id):",
        "    if False:",
        "tests/routes/identity/test_organization_lock.py::test_a_repeated_delivery_is_refused_too",
    ),
)
