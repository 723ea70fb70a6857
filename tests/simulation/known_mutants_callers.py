"""Mistakes in checks of the caller, and in checks of what the caller sent."""

from tests.simulation.known_mutant import KnownMutant

_SIGNATURE = "chalicelib/domain/webhooks/signature.py"
_ACCESS_TOKENS = "chalicelib/services/identity/access_tokens.py"
_REQUEST = "chalicelib/routes/platform/request.py"
_VALIDATION = "chalicelib/routes/platform/validation.py"
_CDS_TOKENS = "chalicelib/services/ehr/cds_tokens.py"
_RECEIVE = "chalicelib/routes/webhooks/receive.py"
_PARALLEL_TESTS = "tests/services/platform/test_parallel_calls.py"
_FIELDS = "chalicelib/routes/platform/fields.py"
_CURSORS = "chalicelib/routes/platform/cursors.py"
_SIGNATURE_TESTS = "tests/domain/webhooks/test_signature.py"
_RS256 = "chalicelib/services/platform/rs256.py"
_RS256_TESTS = "tests/services/platform/test_rs256.py"
_TOKEN_TESTS = "tests/services/identity/test_access_tokens.py"

CALLER_MUTANTS: tuple[KnownMutant, ...] = (
    KnownMutant(
        "a timestamp may be 301 s old",
        _SIGNATURE,
        "TOLERANCE_S = 300",
        "TOLERANCE_S = 301",
        "tests/domain/webhooks/test_signature.py::test_a_timestamp_outside_the_tolerance_is_rejected",
    ),
    KnownMutant(
        "the Authorization header may be sent twice",
        _REQUEST,
        '        "authorization",\n',
        "",
        "tests/routes/platform/test_request.py::test_a_decisive_header_may_be_sent_only_once",
    ),
    KnownMutant(
        "signatures are compared with ==, not in constant time",
        _SIGNATURE,
        "hmac.compare_digest(ours, theirs)",
        "ours == theirs",
        f"{_SIGNATURE_TESTS}::test_every_signature_is_compared_with_every_secret_in_constant_time",
    ),
    KnownMutant(
        "a timestamp in the future is accepted",
        _SIGNATURE,
        "abs(now.timestamp() - int(timestamp))",
        "now.timestamp() - int(timestamp)",
        f"{_SIGNATURE_TESTS}::test_a_timestamp_outside_the_tolerance_is_rejected",
    ),
    KnownMutant(
        "a signature in non-canonical base64 is accepted",
        _SIGNATURE,
        "b64encode(digest).decode() == text",
        "digest",
        f"{_SIGNATURE_TESTS}::test_the_unused_bits_of_the_last_character_must_be_zero",
    ),
    KnownMutant(
        "a token of another app in the user pool is accepted",
        _ACCESS_TOKENS,
        'claims.get("client_id") == self.client_id',
        "True",
        f"{_TOKEN_TESTS}::test_an_invalid_token_is_refused",
    ),
    KnownMutant(
        "an ID token is accepted as an access token",
        _ACCESS_TOKENS,
        'claims.get("token_use") == "access"',
        "True",
        f"{_TOKEN_TESTS}::test_an_invalid_token_is_refused",
    ),
    KnownMutant(
        "an issuer that only starts with our issuer is accepted",
        _ACCESS_TOKENS,
        'claims.get("iss") == self.issuer',
        'str(claims.get("iss")).startswith(self.issuer)',
        f"{_TOKEN_TESTS}::test_an_invalid_token_is_refused",
    ),
    KnownMutant(
        "an access token never expires",
        _ACCESS_TOKENS,
        "has_begun and at < expires and 0 < expires - issued",
        "has_begun and 0 < expires - issued",
        f"{_TOKEN_TESTS}::test_a_token_is_valid_only_during_its_lifetime",
    ),
    KnownMutant(
        "a header that is sent twice is accepted, and its last value is used",
        _REQUEST,
        "    reject_repeated_headers(name for name, values in given.items() for _ in values)\n",
        "",
        "tests/routes/webhooks/test_signatures.py::test_a_header_that_was_sent_twice_is_refused",
    ),
    KnownMutant(
        "an ID in a path can be any text",
        _REQUEST,
        "if all(patterns[name].fullmatch(value) for name, value in path_parameters.items()):",
        "if True:",
        "tests/routes/identity/test_audited_refusals.py::test_text_in_place_of_an_id_is_never_stored",
    ),
    KnownMutant(
        "any member can use another member's cursor",
        _CURSORS,
        'f"cursor/{request.member.member_id}/',
        'f"cursor/',
        "tests/routes/platform/test_cursors.py::test_a_cursor_belongs_to_its_caller",
    ),
    KnownMutant(
        "a token names another algorithm, and is verified all the same",
        _RS256,
        'if header.get("alg") != ALGORITHM or "crit"',
        'if "crit"',
        f"{_RS256_TESTS}::test_a_token_that_can_be_read_in_two_ways_is_refused_although_it_is_signed",
    ),
    KnownMutant(
        "a critical extension of a token is ignored",
        _RS256,
        ' or "crit" in header',
        "",
        f"{_RS256_TESTS}::test_a_token_that_can_be_read_in_two_ways_is_refused_although_it_is_signed",
    ),
    KnownMutant(
        "a short key of the issuer is accepted",
        _RS256,
        "MIN_KEY_BITS = 2048",
        "MIN_KEY_BITS = 1024",
        f"{_RS256_TESTS}::test_a_key_has_at_least_2048_bits",
    ),
    KnownMutant(
        "a signature has several spellings",
        _RS256,
        'if urlsafe_b64encode(content).rstrip(b"=") != text.encode("ascii"):',
        "if False:",
        f"{_RS256_TESTS}::test_bits_that_base64_does_not_use_are_zero",
    ),
    KnownMutant(
        "an access token can have an unlimited lifetime",
        _ACCESS_TOKENS,
        "0 < expires - issued <= MAX_TOKEN_LIFETIME_S",
        "0 < expires - issued",
        f"{_TOKEN_TESTS}::test_a_token_is_valid_only_during_its_lifetime",
    ),
    KnownMutant(
        "a health record system's token for another service is accepted",
        _CDS_TOKENS,
        "and any(audience in audiences for audience in _list_audiences(claims))",
        "",
        "tests/services/ehr/test_cds_tokens.py::test_a_token_with_one_wrong_claim_is_refused",
    ),
    KnownMutant(
        "a health record system's token can choose the address of its keys",
        _CDS_TOKENS,
        'if system is None or header.get("jku", system.jwks_url) != system.jwks_url:',
        "if system is None:",
        "tests/services/ehr/test_cds_tokens.py::test_an_address_in_a_token_is_never_requested",
    ),
    KnownMutant(
        "a health record system's token can be used twice",
        "chalicelib/services/ehr/cds_token_replay.py",
        "        context.stores.transactions.commit(use)\n",
        "        pass\n",
        "tests/services/ehr/test_cds_tokens.py::test_a_token_can_be_used_only_once",
    ),
    KnownMutant(
        "a webhook ID can contain a dot",
        _SIGNATURE,
        "[A-Za-z0-9_-]{1,64}",
        "[A-Za-z0-9_.-]{1,64}",
        f"{_SIGNATURE_TESTS}::test_an_id_has_at_most_64_plain_characters",
    ),
    KnownMutant(
        "a timestamp can be any text that Python accepts as digits",
        _SIGNATURE,
        "TIMESTAMP_PATTERN.fullmatch(timestamp)",
        "timestamp.isdigit()",
        f"{_SIGNATURE_TESTS}::test_a_timestamp_is_ten_digits_and_nothing_else",
    ),
    KnownMutant(
        "an unknown sender can make us compare any number of signatures",
        _SIGNATURE,
        "len(entries) > MAX_SIGNATURES",
        "not entries",
        f"{_SIGNATURE_TESTS}::test_at_most_16_signatures_are_checked",
    ),
    KnownMutant(
        "an earlier secret of a center stays valid forever",
        "chalicelib/store/webhooks/secrets.py",
        "(center_id, fresh=fresh) if secret.is_valid(now)]",
        "(center_id, fresh=fresh)]",
        "tests/store/webhooks/test_secrets.py::test_an_old_secret_is_valid_until_it_expires",
    ),
    KnownMutant(
        "a delivery's body is parsed before its signature is verified",
        _RECEIVE,
        "    _authenticate_sender(request, center_id)\n",
        "    parse_report(request.raw_body, get_time_zone=str)\n    _authenticate_sender(request, center_id)\n",
        "tests/routes/webhooks/test_signatures.py::test_the_signature_is_verified_before_the_body_is_read",
    ),
    KnownMutant(
        "a delivery without a valid signature counts against the center's rate limit",
        _RECEIVE,
        "    _require_signature(request, center_id, fresh=not has_secrets)\n    counted",
        "    counted",
        "tests/routes/platform/test_rate_limits.py::test_no_one_else_can_use_up_a_centers_limit",
    ),
    KnownMutant(
        "a form that another site submits is accepted",
        _REQUEST,
        'if operation.body is not None and media_type != "application/json":',
        "if False:",
        "tests/routes/platform/test_request.py::test_a_body_needs_the_json_media_type",
    ),
    KnownMutant(
        "a query parameter that is sent twice is accepted, and its first value is used",
        _VALIDATION,
        "if any(len(values) > 1 for name, values in given.items() if name not in model.repeatable):",
        "if False:",
        "tests/routes/platform/test_validation.py::test_a_repeated_parameter_is_refused",
    ),
    KnownMutant(
        "a JSON object that repeats a key is accepted, and the last value is used",
        "chalicelib/routes/platform/strict_json.py",
        '        raise MalformedError("duplicate_key", "A JSON object in the body repeats a key.")',
        "        pass",
        "tests/routes/platform/test_strict_bodies.py::test_json_that_two_parsers_could_read_differently_is_refused",
    ),
    KnownMutant(
        "an error repeats any field name that the caller sent",
        _VALIDATION,
        '(path if error_type != "extra_forbidden" else [*path[:-1], "…"])',
        "path",
        "tests/routes/platform/test_validation.py::test_the_name_of_an_unknown_field_is_never_repeated",
    ),
    KnownMutant(
        "an unknown field in a body is ignored instead of refused",
        _FIELDS,
        'extra="forbid"',
        'extra="ignore"',
        "tests/routes/platform/test_strict_bodies.py::test_fields_of_the_product_cannot_be_sent",
    ),
    KnownMutant(
        "a string is accepted as a number",
        _FIELDS,
        "strict=True",
        "strict=False",
        "tests/routes/platform/test_strict_bodies.py::test_a_value_of_the_wrong_kind_is_refused_by_its_pointer",
    ),
    KnownMutant(
        "a cursor never expires",
        _CURSORS,
        'if not request.now.timestamp() - LIFE_S <= content["at"]:',
        "if False:",
        "tests/routes/platform/test_cursors.py::test_a_cursor_expires",
    ),
    KnownMutant(
        "a cursor can be used with another filter",
        _CURSORS,
        '/{digest}"',
        '"',
        "tests/routes/platform/test_cursors.py::test_a_cursor_belongs_to_its_filter",
    ),
    KnownMutant(
        "a cursor can be used for another list",
        _CURSORS,
        "{request.gateway_context.get('path') or request.route}",
        "list",
        "tests/routes/platform/test_cursors.py::test_a_cursor_belongs_to_its_route",
    ),
    KnownMutant(
        "a cursor can be written in several ways",
        _CURSORS,
        "if _encode_base64(ciphertext) != text:",
        "if False:",
        "tests/routes/platform/test_cursors.py::test_a_cursor_that_was_not_given_is_refused",
    ),
    KnownMutant(
        "a page of any origin can read the responses",
        "chalicelib/routes/platform/cors.py",
        "if origin and origin in origins:",
        "if origin:",
        "tests/routes/ehr/test_cds_hooks_callers.py::test_only_pages_of_a_listed_origin_may_read_the_responses",
    ),
    KnownMutant(
        "a failed sign-in reveals who has an account",
        "chalicelib/services/identity/cognito_errors.py",
        '        "UserNotFoundException",\n',
        "",
        "tests/routes/identity/test_sessions.py::test_each_error_of_the_identity_service_has_one_response",
    ),
    KnownMutant(
        "an email's subject can start another header",
        "chalicelib/mail/__init__.py",
        'subject=" ".join(subject.split())',
        "subject=subject",
        "tests/mail/test_templates.py::test_a_subject_is_always_one_line",
    ),
    KnownMutant(
        "a response can leave although its audit row was not written",
        "chalicelib/services/platform/parallel_calls.py",
        "        if error is None:\n",
        "        if False:\n",
        f"{_PARALLEL_TESTS}::test_a_failure_that_no_one_asked_for_ends_the_request",
    ),
    KnownMutant(
        "a request can end while a call that it started still runs",
        "chalicelib/services/platform/parallel_calls.py",
        "        wait(self._all)\n",
        "        wait(())\n",
        f"{_PARALLEL_TESTS}::test_a_request_ends_after_the_calls_that_it_started",
    ),
    KnownMutant(
        "a member can use up the rate limit of anyone whose id is known",
        "chalicelib/services/identity/memberships.py",
        "guessed = last_members.pop((session.subject, chosen), None)",
        "guessed = chosen or last_members.pop((session.subject, chosen), None)",
        "tests/routes/platform/test_parallel_reads.py::test_a_hint_at_another_member_counts_against_no_limit",
    ),
)
