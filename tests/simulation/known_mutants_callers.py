"""Mistakes about who the caller is, and about what was sent."""

from tests.simulation.known_mutant import KnownMutant

_SIGNING = "chalicelib/domain/webhooks/signature.py"
_TOKENS = "chalicelib/services/identity/access_tokens.py"
_CALLS = "chalicelib/routes/platform/request.py"
_EHRS = "chalicelib/services/ehr/cds_tokens.py"
_WEBHOOKS = "chalicelib/routes/webhooks/receive.py"
_FIELDS = "chalicelib/routes/platform/fields.py"
_CURSORS = "chalicelib/routes/platform/cursors.py"
_OF_SIGNING = "tests/domain/webhooks/test_signature.py"
_OF_TOKENS = "tests/services/identity/test_access_tokens.py"

CALLER_MUTANTS: tuple[KnownMutant, ...] = (
    KnownMutant(
        "signatures are compared with ==",
        _SIGNING,
        "hmac.compare_digest(ours, theirs)",
        "ours == theirs",
        f"{_OF_SIGNING}::test_every_signature_is_compared_with_every_secret_in_constant_time",
    ),
    KnownMutant(
        "a timestamp may lie in the future",
        _SIGNING,
        "abs(now.timestamp() - int(timestamp))",
        "now.timestamp() - int(timestamp)",
        f"{_OF_SIGNING}::test_a_timestamp_outside_the_tolerance_is_rejected",
    ),
    KnownMutant(
        "base64 is read leniently",
        _SIGNING,
        "b64encode(digest).decode() == text",
        "digest",
        f"{_OF_SIGNING}::test_the_unused_bits_of_the_last_character_must_be_zero",
    ),
    KnownMutant(
        "another app of the pool is let in",
        _TOKENS,
        'claims.get("client_id") == self.client_id',
        "True",
        f"{_OF_TOKENS}::test_an_invalid_token_is_refused",
    ),
    KnownMutant(
        "an ID token is let in",
        _TOKENS,
        'claims.get("token_use") == "access"',
        "True",
        f"{_OF_TOKENS}::test_an_invalid_token_is_refused",
    ),
    KnownMutant(
        "an issuer that begins alike is ours",
        _TOKENS,
        'claims.get("iss") == self.issuer',
        'str(claims.get("iss")).startswith(self.issuer)',
        f"{_OF_TOKENS}::test_an_invalid_token_is_refused",
    ),
    KnownMutant(
        "a token does not expire",
        _TOKENS,
        "begun and at < expires and 0 < expires - issued",
        "begun and 0 < expires - issued",
        f"{_OF_TOKENS}::test_a_token_is_valid_only_during_its_lifetime",
    ),
    KnownMutant(
        "of two headers the last one counts",
        _CALLS,
        "    _reject_repeated_headers(chalice_request)\n",
        "",
        "tests/routes/webhooks/test_signatures.py::test_a_header_that_was_sent_twice_is_refused",
    ),
    KnownMutant(
        "an id in a path may be anything",
        _CALLS,
        "if all(_SAFE_PATTERN.fullmatch(value) for value in path_parameters.values()):",
        "if True:",
        "tests/routes/identity/test_tenant_isolation.py::test_an_impossible_id_is_the_same_404",
    ),
    KnownMutant(
        "a cursor is anybody's",
        "chalicelib/routes/platform/cursors.py",
        'f"cursor/{request.member.member_id}/',
        'f"cursor/',
        "tests/routes/platform/test_cursors.py::test_a_cursor_belongs_to_its_caller",
    ),
    KnownMutant(
        "another algorithm of the issuer's key is let in",
        _TOKENS,
        'algorithms=["RS256"]',
        'algorithms=["RS256", "RS512"]',
        "tests/services/identity/test_access_tokens.py::test_only_our_algorithm_is_accepted_even_with_the_issuers_key",
    ),
    KnownMutant(
        "a token may live for ever",
        _TOKENS,
        "0 < expires - issued <= MAX_TOKEN_LIFETIME_S",
        "0 < expires - issued",
        "tests/services/identity/test_access_tokens.py::test_a_token_is_valid_only_during_its_lifetime",
    ),
    KnownMutant(
        "a health record's token for another service is let in",
        _EHRS,
        "and audience in _list_audiences(claims)",
        "",
        "tests/services/ehr/test_cds_tokens.py::test_a_token_with_one_wrong_claim_is_refused",
    ),
    KnownMutant(
        "a health record's token may name its own keys",
        _EHRS,
        'if system is None or header.get("jku", system.jwks_url) != system.jwks_url:',
        "if system is None:",
        "tests/services/ehr/test_cds_tokens.py::test_an_address_in_a_token_is_never_requested",
    ),
    KnownMutant(
        "a health record's token is good twice",
        "chalicelib/services/ehr/cds_token_replay.py",
        "        stores.transactions.commit(use)\n",
        "        pass\n",
        "tests/services/ehr/test_cds_tokens.py::test_a_token_can_be_used_only_once",
    ),
    KnownMutant(
        "an id of a delivery may have a dot",
        _SIGNING,
        "[A-Za-z0-9_-]{1,64}",
        "[A-Za-z0-9_.-]{1,64}",
        f"{_OF_SIGNING}::test_an_id_has_at_most_64_plain_characters",
    ),
    KnownMutant(
        "a timestamp is whatever Python reads as a number",
        _SIGNING,
        "_TIMESTAMP.fullmatch(timestamp)",
        "timestamp.isdigit()",
        f"{_OF_SIGNING}::test_a_timestamp_is_ten_digits_and_nothing_else",
    ),
    KnownMutant(
        "a stranger has us compare as many signatures as he sends",
        _SIGNING,
        "len(entries) > MAX_SIGNATURES",
        "not entries",
        f"{_OF_SIGNING}::test_at_most_16_signatures_are_checked",
    ),
    KnownMutant(
        "an earlier secret of a center counts for ever",
        "chalicelib/store/webhooks/secrets.py",
        " if s.expires_at is None or s.expires_at > now]",
        "]",
        "tests/store/webhooks/test_secrets.py::test_an_old_secret_counts_until_it_runs_out",
    ),
    KnownMutant(
        "a delivery is read before its signature",
        _WEBHOOKS,
        "    _verify_signature(request, center_id)\n    #",
        "    _parse_report(request.raw_body)\n    _verify_signature(request, center_id)\n    #",
        "tests/routes/webhooks/test_signatures.py::test_the_signature_is_verified_before_the_body_is_read",
    ),
    KnownMutant(
        "who has not signed uses up what a center may send",
        _WEBHOOKS,
        "    _verify_signature(request, center_id)\n    #",
        '    require_room(f"feed#{center_id}", wiring.feed_limit(), stores=wiring.stores(),'
        " now=call.now)\n    _require_genuine(call, center_id)\n    #",
        "tests/routes/platform/test_rate_limits.py::test_no_one_else_can_use_up_a_centers_limit",
    ),
    KnownMutant(
        "a form of another site is read",
        _CALLS,
        'if operation.body is not None and media_type != "application/json":',
        "if False:",
        "tests/routes/platform/test_request.py::test_a_body_needs_the_json_media_type",
    ),
    KnownMutant(
        "of two parameters the first counts",
        _CALLS,
        "    if twice:",
        "    if False:",
        "tests/routes/platform/test_request.py::test_a_repeated_parameter_is_refused",
    ),
    KnownMutant(
        "of two keys of an object the last counts",
        "chalicelib/routes/platform/strict_json.py",
        '        raise MalformedError("duplicate_key", "An object of the body has a key twice.")',
        "        pass",
        "tests/routes/platform/test_strict_bodies.py::test_json_that_two_parsers_could_read_differently_is_refused",
    ),
    KnownMutant(
        "a refusal repeats what was sent",
        _CALLS,
        'if kind == "extra_forbidden" and not (',
        "if False and not (",
        "tests/routes/platform/test_request.py::test_the_name_of_an_unknown_field_is_shown_only_if_it_is_safe",
    ),
    KnownMutant(
        "a field that nobody asked for is passed over",
        _FIELDS,
        'extra="forbid"',
        'extra="ignore"',
        "tests/routes/platform/test_strict_bodies.py::test_fields_of_the_product_cannot_be_sent",
    ),
    KnownMutant(
        "a text passes for a number",
        _FIELDS,
        "strict=True",
        "strict=False",
        "tests/routes/platform/test_strict_bodies.py::test_a_value_of_the_wrong_kind_is_refused_by_its_pointer",
    ),
    KnownMutant(
        "a cursor does not age",
        _CURSORS,
        'if not request.now.timestamp() - LIFE_S <= content["at"]:',
        "if False:",
        "tests/routes/platform/test_cursors.py::test_a_cursor_expires",
    ),
    KnownMutant(
        "a cursor fits another filter",
        _CURSORS,
        '/{digest}"',
        '"',
        "tests/routes/platform/test_cursors.py::test_a_cursor_belongs_to_its_filter",
    ),
    KnownMutant(
        "a cursor fits another list",
        _CURSORS,
        "{request.context.get('path') or request.route}",
        "list",
        "tests/routes/platform/test_cursors.py::test_a_cursor_belongs_to_its_route",
    ),
    KnownMutant(
        "a cursor has several spellings",
        _CURSORS,
        "if _encode_base64(sealed) != text:",
        "if False:",
        "tests/routes/platform/test_cursors.py::test_a_cursor_that_was_not_given_is_refused",
    ),
    KnownMutant(
        "a page of any origin may read the answers",
        "chalicelib/routes/platform/cors.py",
        "if origin and origin in wiring.get_cds_token_verifier().allowed_origins():",
        "if origin:",
        "tests/routes/ehr/test_cds_hooks_callers.py::test_only_pages_of_a_listed_origin_may_read_the_responses",
    ),
    KnownMutant(
        "a refused sign-in tells who has an account",
        "chalicelib/services/identity/sign_in.py",
        '        "UserNotFoundException",\n',
        "",
        "tests/routes/identity/test_sessions.py::test_each_error_of_the_identity_service_has_one_response",
    ),
    KnownMutant(
        "a mail's subject begins another header",
        "chalicelib/mail/__init__.py",
        'subject=" ".join(subject.split())',
        "subject=subject",
        "tests/mail/test_templates.py::test_a_subject_is_one_line",
    ),
)
