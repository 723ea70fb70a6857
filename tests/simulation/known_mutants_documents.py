"""Mistakes in what is shared of documents, and in what the packet says."""

from tests.simulation.known_mutant import KnownMutant

_DOCUMENT = "chalicelib/domain/documents/document.py"
_PACKET_PAGE = "chalicelib/domain/referrals/packet_page.py"
_NEWS = "chalicelib/services/documents/news.py"
_READ = "chalicelib/services/documents/read.py"
_FILES = "chalicelib/store/documents/files.py"
_DOCUMENT_TESTS = "tests/domain/documents/test_document.py"
_PACKET_PAGE_TESTS = "tests/domain/referrals/test_packet_page.py"
_ROUTE_TESTS = "tests/routes/documents/test_documents.py"
_CHANGE_TESTS = "tests/routes/documents/test_document_changes.py"
_NEWS_TESTS = "tests/routes/documents/test_document_news.py"

_ANSWER_TESTS = "tests/routes/documents/test_answered_items.py"

DOCUMENT_MUTANTS: tuple[KnownMutant, ...] = (
    KnownMutant(
        "an item stays answered after its document was removed",
        "chalicelib/services/documents/change.py",
        "            reopened = reopen_item(after, referral, context=context)",
        "            reopened = None",
        f"{_ANSWER_TESTS}::test_an_item_is_open_again_after_its_document_was_removed",
    ),
    KnownMutant(
        "an item stays answered after malware was found in its document",
        _NEWS,
        "        reopened = reopen_item(after, referral, context=context)",
        "        reopened = None",
        f"{_ANSWER_TESTS}::test_an_item_is_open_again_after_malware_was_found_in_its_document",
    ),
    KnownMutant(
        "the removal of a second document opens the item that the first answered",
        "chalicelib/services/documents/answered_items.py",
        "if answer is None or answer.document_id != document.document_id:",
        "if answer is None:",
        f"{_ANSWER_TESTS}::test_the_removal_of_a_document_that_answered_nothing_opens_nothing",
    ),
    KnownMutant(
        "a clean scan of another version opens the file",
        _DOCUMENT,
        "return document.upload_version_id in {None, version_id}",
        "return True",
        f"{_DOCUMENT_TESTS}::test_news_about_another_version_changes_nothing",
    ),
    KnownMutant(
        "a file is shared before its scan",
        _DOCUMENT,
        "            and self.verdict is not None\n            and self.verdict.status is ScanStatus.CLEAN\n",
        "",
        f"{_DOCUMENT_TESTS}::test_one_good_result_is_not_enough",
    ),
    KnownMutant(
        "the other side sees a file that is not shared",
        _DOCUMENT,
        "return self.side is side or self.shared_at is not None",
        "return True",
        f"{_ROUTE_TESTS}::test_the_center_sees_nothing_of_a_file_that_is_not_shared",
    ),
    KnownMutant(
        "any function can say that a file is clean",
        _NEWS,
        "if isinstance(parsed[1], ScanResult) and parsed[1].engine not in scanners:",
        "if False:",
        f"{_NEWS_TESTS}::test_in_production_only_aws_itself_can_say_that_a_file_is_clean",
    ),
    KnownMutant(
        "a file is shared after consent was withdrawn",
        "chalicelib/services/documents/sharing.py",
        "if document.side is Actor.PRACTICE and is_sharing_stopped(referral):",
        "if False:",
        f"{_ROUTE_TESTS}::test_a_file_is_not_shared_after_consent_was_withdrawn",
    ),
    KnownMutant(
        "another tenant gets a link",
        _READ,
        "referral = get_visible_or_404(referral_id, member, action, context=context)",
        "referral = context.stores.referrals.get(referral_id)",
        f"{_ROUTE_TESTS}::test_another_tenant_finds_no_document",
    ),
    KnownMutant(
        "a link that is made leaves no audit row",
        _READ,
        "    context.stores.audit_log.append(entry)\n",
        "",
        f"{_ROUTE_TESTS}::test_a_link_that_shows_a_file_is_audited_like_a_download",
    ),
    KnownMutant(
        "only the browser checks the size of a file",
        "chalicelib/routes/documents/document_bodies.py",
        "size: Annotated[int, Field(ge=1, le=MAX_FILE_BYTES)]",
        "size: Annotated[int, Field(ge=1)]",
        f"{_ROUTE_TESTS}::test_a_file_that_cannot_be_announced_names_the_field",
    ),
    KnownMutant(
        "storage accepts any size",
        "chalicelib/store/documents/signing.py",
        '            ["content-length-range", 1, max_bytes],\n',
        "",
        "tests/store/documents/test_signing.py::test_the_policy_allows_only_the_key_the_type_and_the_size",
    ),
    KnownMutant(
        "another file than the announced one is shared",
        _NEWS,
        "if reason is None and announced and (result.size, result.sha256) != (announced.size, announced.sha256):",
        "if False:",
        f"{_ROUTE_TESTS}::test_another_file_than_the_announced_one_is_refused",
    ),
    KnownMutant(
        "a link opens the newest version, and not the checked one",
        _FILES,
        '                "versionId": stored.version_id,\n',
        "",
        f"{_ROUTE_TESTS}::test_the_link_reads_exactly_the_copy_that_was_checked",
    ),
    KnownMutant(
        "a link can be opened for an hour",
        "chalicelib/domain/documents/limits.py",
        "LINK_LIFETIME = timedelta(seconds=60)",
        "LINK_LIFETIME = timedelta(minutes=60)",
        f"{_ROUTE_TESTS}::test_the_link_reads_exactly_the_copy_that_was_checked",
    ),
    KnownMutant(
        "a link names the original file",
        _FILES,
        "name = build_download_name(document.kind, file_type, document.added_at.date())",
        "name = document.announced.name",
        f"{_ROUTE_TESTS}::test_no_link_names_the_file",
    ),
    KnownMutant(
        "any type of file is shown in a tab",
        _DOCUMENT,
        "            and self.announced.type in VIEWABLE_TYPES\n",
        "",
        f"{_ROUTE_TESTS}::test_a_file_that_browsers_cannot_show_is_only_downloaded",
    ),
    KnownMutant(
        "the file of a removed document stays",
        _NEWS,
        "    context.stores.files.remove_document(",
        "    if document.state is DocumentState.REJECTED:\n        context.stores.files.remove_document(",
        f"{_CHANGE_TESTS}::test_a_removed_document_keeps_who_removed_it_and_why",
    ),
    KnownMutant(
        "a removed file stays as an old version",
        _FILES,
        "delete_object(Bucket=bucket, Key=key, VersionId=version_id)",
        "delete_object(Bucket=bucket, Key=key)",
        f"{_CHANGE_TESTS}::test_a_removed_document_keeps_who_removed_it_and_why",
    ),
    KnownMutant(
        "a removed document can be opened",
        _DOCUMENT,
        "removed = replace(document, deletion=deletion, stored=None)\n"
        "    return removed.with_state(DocumentState.DELETED, at=deletion.at, by=deletion.by)",
        "removed = replace(document, deletion=deletion)\n"
        "    return removed.with_state(DocumentState.AVAILABLE, at=deletion.at, by=deletion.by)",
        f"{_CHANGE_TESTS}::test_a_removed_document_keeps_who_removed_it_and_why",
    ),
    KnownMutant(
        "the packet has no statements",
        _PACKET_PAGE,
        '"statements": list(DISCLAIMERS),',
        '"statements": [],',
        f"{_PACKET_PAGE_TESTS}::test_the_statements_and_the_emergency_line_are_always_there",
    ),
    KnownMutant(
        "the packet with the alias has the practice's note",
        _PACKET_PAGE,
        "if not note or source.naming is PatientNaming.ALIAS:",
        "if not note:",
        f"{_PACKET_PAGE_TESTS}::test_a_page_with_the_alias_has_nothing_else_that_says_who_the_patient_is",
    ),
)
