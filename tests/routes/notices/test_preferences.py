"""A member's email preferences, and how a reader unsubscribes."""

import re
import secrets
from typing import cast

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.services.notices.unsubscribe import build_unsubscribe_url
from tests.support import stores as store_tools
from tests.support.factories import build_member, build_preferences_body

PATH = "/v1/me/notification-preferences"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def member(shared_api):
    """A member of the practice who has saved nothing yet."""
    someone = build_member(n=secrets.randbelow(10**9))
    shared_api.stores.members.add(someone)
    return someone


@pytest.fixture
def member_client(shared_api, member):
    """The API as that member uses it."""
    return shared_api.get_client_for(member)


def save_preferences(site, body, version):
    """Save preferences as the successor of a version."""
    return site.send("PUT", PATH, body, headers={"If-Match": f'"{version}"'})


def test_without_saved_preferences_email_is_sent_at_once(member_client):
    """In the practice's time zone, without quiet hours."""
    answer = member_client.get(PATH)

    assert answer.headers["etag"] == '"0"'
    assert answer.json == {
        "categories": {
            **dict.fromkeys(("journey", "window", "overdue", "follow_up", "digest"), "at_once"),
            # Nothing is due and nothing happened: only for those who ask for it.
            "check_in": "never",
        },
        "digest_hour": 7,
        "quiet_hours": None,
        "time_zone": "America/Chicago",
        "version": 0,
    }


def test_saved_preferences_are_read_again(member_client):
    """All of them, with the next version."""
    wanted = build_preferences_body(
        categories={"journey": "daily", "digest": "never"},
        digest_hour=16,
        quiet_hours={"from": "21:30", "to": "06:15"},
        time_zone="Pacific/Honolulu",
    )

    saved = save_preferences(member_client, wanted, 0)

    assert (saved.status, saved.headers["etag"]) == (200, '"1"')
    assert member_client.get(PATH).json == saved.json == wanted | {"version": 1}


def test_a_change_saved_in_between_is_not_lost(member_client):
    """The second of two who read the same version is refused."""
    save_preferences(member_client, build_preferences_body(digest_hour=6), 0)

    assert save_preferences(member_client, build_preferences_body(digest_hour=9), 0).status == 412
    assert save_preferences(member_client, build_preferences_body(digest_hour=9), 1).status == 200


def test_preferences_belong_to_one_member(shared_api, member_client):
    """No one else's email changes."""
    save_preferences(member_client, build_preferences_body(digest_hour=6), 0)

    assert shared_api.center.get(PATH).json["version"] == 0


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"categories": {"critical": "never"}}, "/categories/…"),
        ({"categories": {"journey": "hourly"}}, "/categories/journey"),
        ({"digest_hour": 24}, "/digest_hour"),
        ({"digest_hour": "7"}, "/digest_hour"),
        ({"quiet_hours": {"from": "24:00", "to": "07:00"}}, "/quiet_hours/from"),
        ({"quiet_hours": {"from": "22:00", "to": "22:00"}}, "/quiet_hours"),
        ({"quiet_hours": {"from": "22:00"}}, "/quiet_hours/to"),
        ({"time_zone": "Mars/Olympus_Mons"}, "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "/time_zone"),
    ],
)
def test_invalid_preferences_are_refused_by_name(member_client, changed, pointer):
    """Above all turning off critical notices."""
    answer = save_preferences(member_client, build_preferences_body(**changed), 0)

    assert (answer.status, [fault["pointer"] for fault in answer.json["errors"]]) == (400, [pointer])


@pytest.fixture
def unsubscribe_path(shared_api, member):
    """The unsubscribe path in an email to that member about a window, without the host."""
    result = build_unsubscribe_url(member.member_id, [Category.WINDOW], sign_in_url="", stores=wiring.get_stores())
    assert re.fullmatch(r"/v1/unsubscribe/[A-Za-z0-9_-]+", result)
    return result


def test_opening_the_unsubscribe_page_changes_nothing(shared_api, member_client, unsubscribe_path):
    """Mail programs open every link; the page asks, and only its button unsubscribes."""
    before = store_tools.dump_tables()

    answer = shared_api.anyone.get(unsubscribe_path)

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert f'<form method="post" action="https://dashboard.example{unsubscribe_path}">' in answer.text
    assert "Not for emergencies." in answer.text
    assert store_tools.dump_tables() == before


def test_one_click_turns_the_category_off(shared_api, member_client, unsubscribe_path):
    """As a mail program posts it (RFC 8058), without a session; a repeat changes nothing."""
    one_click = b"List-Unsubscribe=One-Click"
    answers = [shared_api.anyone.send("POST", unsubscribe_path, one_click, headers=FORM).status for _ in range(3)]

    chosen = member_client.get(PATH).json
    assert answers == [200] * 3
    assert chosen["categories"]["window"] == "never"
    assert chosen["categories"]["journey"] == "at_once"
    assert chosen["version"] == 1


def test_unsubscribing_keeps_other_preferences(shared_api, member_client, unsubscribe_path):
    """Quiet hours and the other categories stay."""
    save_preferences(member_client, build_preferences_body(digest_hour=5, categories={"journey": "daily"}), 0)

    shared_api.anyone.send("POST", unsubscribe_path, b"", headers=FORM)

    chosen = member_client.get(PATH).json
    assert (chosen["digest_hour"], chosen["categories"]["journey"]) == (5, "daily")


def test_an_old_unsubscribe_link_still_works(shared_api, member_client, member):
    """For the remaining categories, where one of them is gone."""
    categories = cast("list[Category]", ["journey", "weather"])
    old = build_unsubscribe_url(member.member_id, categories, sign_in_url="", stores=wiring.get_stores())

    answer = shared_api.anyone.send("POST", old, b"", headers=FORM)

    assert answer.status == 200
    assert member_client.get(PATH).json["categories"]["journey"] == "never"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_false_unsubscribe_link_is_404(shared_api, unsubscribe_path, method):
    """Altered, cut off, made up, or with spare bits: the same response, and nothing changes."""
    before = store_tools.dump_tables()
    flipped = unsubscribe_path[:-2] + ("A" if unsubscribe_path[-2] != "A" else "B") + unsubscribe_path[-1]
    answers = {
        shared_api.anyone.send(method, wrong, b"" if method == "POST" else None).status
        for wrong in (
            flipped,
            unsubscribe_path[:-4],
            "/v1/unsubscribe/AAAA",
            f"{unsubscribe_path}A",
            f"{unsubscribe_path}.",
        )
    }

    assert answers == {404}
    assert store_tools.dump_tables() == before


def test_an_unsubscribe_link_reveals_no_one(member, unsubscribe_path):
    """Neither the member nor the category can be read from it."""
    assert member.member_id not in unsubscribe_path
    assert "window" not in unsubscribe_path
