"""A step that is late says so in every place."""

from datetime import UTC, datetime, timedelta

import time_machine

BEGAN = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


def test_a_late_step_with_missing_updates_is_late_in_the_list_and_on_the_page(shared_api):
    """A gap may never close, and the patient waits."""
    with time_machine.travel(BEGAN):
        made = shared_api.refer()["referral_id"]
        for sequence, stage in ((1, "received"), (3, "accepted")):
            assert shared_api.deliver(made, stage, sequence=sequence).status == 200
    with time_machine.travel(BEGAN + timedelta(days=40)):
        client = shared_api.get_client_for(shared_api.members["practice"])
        detail = client.get(f"/v1/referrals/{made}").json
        late = {row["referral_id"]: row for row in client.get("/v1/referrals?worklist=late").json["items"]}

    assert detail["missing_updates"] == [2]
    assert (detail["clock"]["level"], late[made]["late"], late[made]["missing_updates"]) == ("red", True, True)
