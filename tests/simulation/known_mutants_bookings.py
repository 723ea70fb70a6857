"""Mistakes in consultation times: seats, holds, invitations, changed clocks, and one date for both teams."""

from tests.simulation.known_mutant import KnownMutant

_SLOT = "chalicelib/domain/consultation/slots.py"
_FOLLOW_FACT = "chalicelib/domain/consultation/follow_fact.py"
_LOCAL_TIMES = "chalicelib/domain/consultation/local_times.py"
_PLANNED_DATES = "chalicelib/domain/referrals/planned_dates.py"
_BOOK = "chalicelib/services/consultation/book.py"
_COMPOSE = "chalicelib/services/notices/compose.py"
_MATERIALIZE = "chalicelib/services/consultation/patterns.py"
_LISTS = "chalicelib/services/consultation/slots.py"
_SLOT_IDS = "chalicelib/store/consultation/slot_ids.py"
_SLOT_ROWS = "chalicelib/store/consultation/slots.py"
_PATTERN_TESTS = "tests/domain/consultation/test_patterns.py"
_SLOT_TESTS = "tests/domain/consultation/test_slots.py"
_BOOKING_TESTS = "tests/routes/consultation/test_booking.py"
_INVITATION_TESTS = "tests/routes/consultation/test_invitations.py"
_ONE_FACT_TESTS = "tests/routes/consultation/test_one_fact.py"
_RACE_TESTS = "tests/services/consultation/test_booking_races.py"
_MATERIALIZE_TESTS = "tests/services/consultation/test_materialize.py"

BOOKING_MUTANTS: tuple[KnownMutant, ...] = (
    KnownMutant(
        "a time takes more patients than it has seats",
        _SLOT,
        "self.starts_at > now and len(taken) < self.capacity",
        "self.starts_at > now",
        f"{_RACE_TESTS}::test_of_two_holds_of_the_last_seat_one_wins",
    ),
    KnownMutant(
        "a seat is given to two who want it at once",
        _SLOT_ROWS,
        '_to_item(slot), when="version = :read", values=values)',
        '_to_item(slot), when="attribute_exists(slots_of)")',
        f"{_RACE_TESTS}::test_of_two_holds_of_the_last_seat_one_wins",
    ),
    KnownMutant(
        "a hold never ends",
        _SLOT,
        " and self.until > now)",
        ")",
        f"{_SLOT_TESTS}::test_a_hold_ends_after_its_time",
    ),
    KnownMutant(
        "a hold keeps its own patient from the time",
        _SLOT,
        "if seat.referral_id != referral_id and seat.is_taken(now)]",
        "if seat.is_taken(now)]",
        f"{_BOOKING_TESTS}::test_a_hold_does_not_keep_its_own_holder_from_booking",
    ),
    KnownMutant(
        "a booking gives back the seat that it takes from its hold",
        _BOOK,
        "    if hold is None or hold.slot_id in other_writes:\n",
        "    if hold is None:\n",
        f"{_BOOKING_TESTS}::test_a_hold_does_not_keep_its_own_holder_from_booking",
    ),
    KnownMutant(
        "a release frees the seats of all patients",
        _SLOT,
        "self._with_seats(seat for seat in self.seats if seat.referral_id != referral_id)",
        "self._with_seats(())",
        f"{_BOOKING_TESTS}::test_a_cancellation_frees_one_seat_of_a_group",
    ),
    KnownMutant(
        "a moved booking keeps its old seat",
        _BOOK,
        "before.slot_id if before else None, context.now, stores=stores)",
        "None, context.now, stores=stores)",
        f"{_BOOKING_TESTS}::test_moving_a_booking_frees_the_old_time",
    ),
    KnownMutant(
        "an ending keeps a held seat",
        _FOLLOW_FACT,
        "_list_slots(appointment.slot_id, hold.slot_id if hold else None)",
        "_list_slots(appointment.slot_id)",
        f"{_ONE_FACT_TESTS}::test_an_ending_frees_a_booked_time_and_one_that_is_held_to_move_it",
    ),
    KnownMutant(
        "a time that the center sets keeps the seat of the booking",
        _FOLLOW_FACT,
        ("        released_slot_ids=_list_slots(appointment.slot_id),\n        invitation=build_invitation(moved"),
        "        released_slot_ids=(),\n        invitation=build_invitation(moved",
        f"{_ONE_FACT_TESTS}::test_a_report_of_another_time_moves_the_consultation_and_frees_the_seat",
    ),
    KnownMutant(
        "a booking replaces the center's own date unasked",
        _BOOK,
        "    if appointment and appointment.slot_id is None and not may_move:\n",
        "    if False:\n",
        f"{_ONE_FACT_TESTS}::test_a_booking_does_not_replace_the_center_s_own_date_unasked",
    ),
    KnownMutant(
        "a change with an old version counts",
        _BOOK,
        "    if known.version != version:\n        raise PreconditionFailedError\n",
        "    del known, version\n",
        f"{_BOOKING_TESTS}::test_a_change_with_an_old_version_is_refused",
    ),
    KnownMutant(
        "a booking of another time has the SEQUENCE of the invitation before",
        _BOOK,
        "before.sequence + 1 if before else 0",
        "before.sequence if before else 0",
        f"{_INVITATION_TESTS}::test_a_moved_consultation_keeps_its_uid_and_raises_its_sequence",
    ),
    KnownMutant(
        "a time that the center moves has the SEQUENCE of the invitation before",
        _FOLLOW_FACT,
        "        sequence=appointment.sequence + 1,\n        source=",
        "        sequence=appointment.sequence,\n        source=",
        f"{_INVITATION_TESTS}::test_a_booking_that_the_center_moves_updates_both_calendars",
    ),
    KnownMutant(
        "a new booking has the UID of a canceled one",
        _BOOK,
        ("    uid = before.uid if before else create_uid()\n    sequence = before.sequence + 1 if before else 0\n"),
        (
            "    last = known.appointment\n"
            "    uid, sequence = (last.uid, last.sequence + 1) if last else (create_uid(), 0)\n"
        ),
        f"{_INVITATION_TESTS}::test_a_new_booking_after_a_cancellation_has_a_new_uid",
    ),
    KnownMutant(
        "an invitation is sent although a later one replaces it",
        _COMPOSE,
        "        return MailSkipReason.SUPERSEDED if later else None\n",
        "        return None\n",
        f"{_INVITATION_TESTS}::test_an_invitation_that_a_later_one_replaces_is_not_sent",
    ),
    KnownMutant(
        "a canceled time stays in the calendar feed",
        _PLANNED_DATES,
        "        if not plan.canceled and not (done_at",
        "        if not (done_at",
        f"{_INVITATION_TESTS}::test_a_canceled_consultation_is_in_no_calendar",
    ),
    KnownMutant(
        "a time in the hour that clocks skip is offered",
        _LOCAL_TIMES,
        "    return moment if exists else None\n",
        "    return moment\n",
        f"{_PATTERN_TESTS}::test_the_hour_that_clocks_skip_is_skipped_and_shown",
    ),
    KnownMutant(
        "in the hour that comes twice the second one counts",
        _LOCAL_TIMES,
        "fold=0)",
        "fold=1)",
        f"{_PATTERN_TESTS}::test_the_hour_that_comes_twice_is_offered_once_and_first",
    ),
    KnownMutant(
        "a changed pattern drops a booked patient",
        _MATERIALIZE,
        "            if not slot.list_booked():\n",
        "            if True:\n",
        f"{_MATERIALIZE_TESTS}::test_a_booked_time_stays_and_is_closed_when_its_pattern_changes",
    ),
    KnownMutant(
        "a run that read an old pattern brings its times back",
        _MATERIALIZE,
        "commit(is_current, *batch)",
        "commit(*batch)",
        f"{_MATERIALIZE_TESTS}::test_a_run_with_an_old_pattern_brings_nothing_back",
    ),
    KnownMutant(
        "a practice is offered times that are booked",
        _LISTS,
        "    if member.kind is TenantKind.PRACTICE:\n",
        "    if False:\n",
        f"{_BOOKING_TESTS}::test_a_booked_time_is_no_longer_offered_to_practices",
    ),
    KnownMutant(
        "the id of another center's time is accepted",
        _SLOT_IDS,
        "        if not hmac.compare_digest(code, self._compute_code(center_id, content)):\n",
        "        if False:\n",
        f"{_MATERIALIZE_TESTS}::test_slot_ids_of_another_center_or_with_a_changed_letter_are_refused",
    ),
)
