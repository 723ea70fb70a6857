"""Mistakes that a good programmer makes in security code, and the test that notices each."""

from dataclasses import dataclass

_SIGNING = "chalicelib/domain/signing.py"
_TOKENS = "chalicelib/services/tokens.py"
_CALLS = "chalicelib/routes/calls.py"
_MEMBERS = "chalicelib/domain/members.py"
_RECEIPTS = "chalicelib/store/receipts.py"
_BOOKS = "chalicelib/services/bookkeeping.py"
_OUTBOX = "chalicelib/store/outbox.py"

_OF_SIGNING = "tests/domain/test_signing.py"
_OF_TOKENS = "tests/services/test_tokens.py"
_OF_RECEIPTS = "tests/store/test_receipts.py"
_OF_ROUTES = "tests/routes/test_route_table.py"
_OF_FEEDS = "tests/services/test_journey.py"
_OF_OUTBOX = "tests/store/test_outbox.py"


@dataclass(frozen=True, slots=True)
class KnownMutant:
    """A mistake: the file, what stands there, what would, and the test that fails then."""

    mistake: str
    path: str
    right: str
    wrong: str
    test: str

    def applied(self, source: str) -> str:
        """The module with the mistake in it, wherever it can be made.

        Raises:
            ValueError: there is nothing in the module to get wrong this way.
        """
        if self.right not in source:
            raise ValueError(f"{self.path}: there is no `{self.right}` any more")
        return source.replace(self.right, self.wrong)


KNOWN: tuple[KnownMutant, ...] = (
    KnownMutant(
        "signatures are compared with ==",
        _SIGNING,
        "hmac.compare_digest(mine, theirs)",
        "mine == theirs",
        "tests/domain/test_signatures_compared.py::"
        "test_every_signature_is_compared_with_every_secret_in_constant_time",
    ),
    KnownMutant(
        "a timestamp may lie in the future",
        _SIGNING,
        "abs(now.timestamp() - int(timestamp))",
        "now.timestamp() - int(timestamp)",
        f"{_OF_SIGNING}::test_a_delivery_of_another_time_is_refused",
    ),
    KnownMutant(
        "base64 is read leniently",
        _SIGNING,
        "len(digest) == _DIGEST_BYTES and b64encode(digest).decode() == text",
        "len(digest) == _DIGEST_BYTES",
        f"{_OF_SIGNING}::test_the_last_letters_spare_bits_must_be_zero",
    ),
    KnownMutant(
        "another app of the pool is let in",
        _TOKENS,
        'claims.get("client_id") == self.client_id',
        "True",
        f"{_OF_TOKENS}::test_a_bad_token_speaks_for_nobody",
    ),
    KnownMutant(
        "an ID token is let in",
        _TOKENS,
        'claims.get("token_use") == "access"',
        "True",
        f"{_OF_TOKENS}::test_a_bad_token_speaks_for_nobody",
    ),
    KnownMutant(
        "an issuer that begins alike is ours",
        _TOKENS,
        'claims.get("iss") == self.issuer',
        'str(claims.get("iss")).startswith(self.issuer)',
        f"{_OF_TOKENS}::test_a_bad_token_speaks_for_nobody",
    ),
    KnownMutant(
        "a token does not expire",
        _TOKENS,
        "begun and at < expires and 0 < expires - issued",
        "begun and 0 < expires - issued",
        f"{_OF_TOKENS}::test_a_token_is_good_for_its_time",
    ),
    KnownMutant(
        "a disabled member goes on",
        _CALLS,
        "if member is None or not member.active:",
        "if member is None:",
        f"{_OF_ROUTES}::test_a_member_who_is_shut_out_is_refused_on_the_next_request",
    ),
    KnownMutant(
        "of two headers the last one counts",
        _CALLS,
        "    _require_once(request)\n",
        "",
        "tests/routes/test_webhook_signatures.py::test_a_header_that_was_sent_twice_is_refused",
    ),
    KnownMutant(
        "an id in a path may be anything",
        _CALLS,
        "if all(_TAME.fullmatch(value) for value in path_parameters.values()):",
        "if True:",
        "tests/routes/test_isolation.py::test_what_is_no_id_of_ours_is_the_same_404",
    ),
    KnownMutant(
        "any practice sees any referral",
        _MEMBERS,
        "return referral.practice_id == self.tenant_id",
        "return True",
        "tests/domain/test_members.py::test_a_submitted_referral_is_seen_by_its_two_tenants_only",
    ),
    KnownMutant(
        "a center sees drafts that name it",
        _MEMBERS,
        "return referral.is_with_center and referral.center_id == self.tenant_id",
        "return referral.center_id == self.tenant_id",
        "tests/domain/test_members.py::test_a_draft_is_seen_by_its_practice_only",
    ),
    KnownMutant(
        "an administrator alone sees patients",
        "chalicelib/services/access.py",
        "if referral is not None and member.cares and member.may_see(referral):",
        "if referral is not None and member.may_see(referral):",
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
        'hashed(f"{self.member_id}\\x00{self.route}',
        'hashed(f"{self.route}',
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
        "self.vault.seal(plain, scope=request.tenant_id, place=place)",
        "plain",
        f"{_OF_RECEIPTS}::test_a_kept_answer_is_sealed",
    ),
    KnownMutant(
        "a decision reads what may be stale",
        "chalicelib/store/dynamo.py",
        "Key=marshal(key), ConsistentRead=True",
        "Key=marshal(key), ConsistentRead=False",
        "tests/store/test_dynamo.py::test_a_read_of_a_table_is_never_stale",
    ),
    KnownMutant(
        "a cursor is anybody's",
        "chalicelib/routes/cursors.py",
        'f"cursor/{call.member.member_id}/',
        'f"cursor/',
        "tests/routes/test_cursors.py::test_a_cursor_is_its_callers_own",
    ),
    KnownMutant(
        "a feed moves another center's referral",
        _BOOKS,
        "referral.is_with_center and referral.center_id == center_id",
        "referral.is_with_center",
        f"{_OF_FEEDS}::test_a_foreign_delivery_never_applies",
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
        "lane = :lane AND due_at = :seen",
        "lane = :lane AND (due_at = :seen OR lane = :lane)",
        f"{_OF_OUTBOX}::test_a_claim_keeps_a_second_claimer_out",
    ),
    KnownMutant(
        "28 days are 28 times 24 hours",
        "chalicelib/domain/window.py",
        "return self.infused_on + timedelta(days=self.profile.handback_target_day)",
        "return (start_of_day(self.infused_on, self.time_zone) + timedelta(hours=24 *"
        " self.profile.handback_target_day)).astimezone(ZoneInfo(self.time_zone)).date()",
        "tests/domain/test_window.py::test_the_window_ends_n_calendar_days_after_the_infusion",
    ),
    KnownMutant(
        "a referral changes and no audit row says so",
        "chalicelib/store/ledger.py",
        "        require_audited(writes)\n",
        "",
        "tests/store/test_accountable.py::test_a_change_of_a_referral_alone_is_refused",
    ),
    KnownMutant(
        "checkpoints that were cut off are not missed",
        "chalicelib/services/audits.py",
        "return NO_ROW if told is None else Head(**told)",
        "return None",
        "tests/services/test_audits.py::test_checkpoints_that_are_gone_are_missed",
    ),
    KnownMutant(
        "a sealed value opens in another place",
        "chalicelib/store/vault.py",
        "place.encode()",
        'b""',
        "tests/store/test_vault.py::test_a_value_that_was_moved_does_not_open",
    ),
)
