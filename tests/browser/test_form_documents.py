"""How the form fills in a provider, and what it holds back after a refusal; called in the browser."""

import pytest

PROVIDERS = [
    {"entry_id": "dir_1", "name": "Mo Known", "npi": "1234567893", "phone": "+18065550101", "email": None},
    {"entry_id": "dir_2", "name": "Same Name", "npi": "2000000010", "phone": "+18065550102", "email": None},
    {"entry_id": "dir_3", "name": "Same Name", "npi": None, "phone": "+18065550103", "email": None},
]
MO, SAME, _ = PROVIDERS


@pytest.mark.parametrize(
    ("text", "entry_id"),
    [
        ("Mo Known", "dir_1"),
        (" Mo Known ", "dir_1"),
        ("Mo", None),
        ("Same Name", None),
        ("Same Name, NPI 2000000010", "dir_2"),
        ("Same Name, NPI not known", "dir_3"),
        ("", None),
    ],
)
def test_a_provider_is_chosen_by_the_whole_text_of_the_option(call, text, entry_id):
    """Of two providers with one name, only the NPI says which one."""
    chosen = call("referrals/provider_document", "findChosen", PROVIDERS, text)

    assert (chosen or {}).get("entry_id") == entry_id


def test_an_empty_field_is_filled_in_and_a_typed_one_is_kept(call):
    """The form names what was kept."""
    entered = {"name": "Mo Known", "phone": "806 555 0199"}

    filled = call("referrals/provider_document", "fillProvider", entered, MO, None)

    assert filled == {
        "provider": {"name": "Mo Known", "npi": "1234567893", "phone": "806 555 0199", "email": None},
        "kept": ["phone"],
    }


def test_what_came_from_another_provider_is_replaced(call):
    """All of it, also by nothing."""
    entered = {"name": "Same Name", "npi": MO["npi"], "phone": MO["phone"], "email": "typed@willow.example"}

    filled = call("referrals/provider_document", "fillProvider", entered, SAME, MO)

    assert filled["provider"] == {
        "name": "Same Name",
        "npi": "2000000010",
        "phone": "+18065550102",
        "email": "typed@willow.example",
    }


@pytest.mark.parametrize(
    ("pointer", "part"),
    [
        ("/patient/phone", "/patient/phone"),
        ("/patient/caregiver/name", "/patient/caregiver"),
        ("/consent_to_share/given", "/consent_to_share"),
        ("/clinical/prior_lines/0/regimen", "/clinical/prior_lines"),
        ("/none_because/1/reason", "/none_because"),
    ],
)
def test_what_is_refused_is_held_back_and_no_more(call, pointer, part):
    """The field, its whole list, or what an empty field belongs to."""
    typed = {
        "patient": {"family_name": "Example", "phone": "12", "caregiver": {"phone": "806 555 0142"}},
        "consent_to_share": {"basis": "treatment"},
        "clinical": {"disease": "LBCL", "prior_lines": [{"response": "relapsed"}]},
        "none_because": [{"item": "/patient/zip", "reason": "No home"}, {"item": "/patient/phone"}],
    }

    assert call("referrals/unfinished_document", "addRefusedParts", typed, [], [{"pointer": pointer}]) == [part]


def test_a_section_is_held_back_if_its_parts_are_refused_again(call):
    """It takes the place of its parts."""
    typed = {"patient": {"phone": "12", "zip": "1"}}
    errors = [{"pointer": "/patient/phone"}]

    parts = call("referrals/unfinished_document", "addRefusedParts", typed, ["/patient/phone", "/patient/zip"], errors)

    assert parts == ["/patient"]


def test_a_refused_value_does_not_change_what_the_server_has(call):
    """A new one stays out, and a changed one keeps the earlier value."""
    typed = {"patient": {"phone": "12", "zip": "1", "family_name": "New"}}
    stored = {"patient": {"phone": "+18065550142", "family_name": "Old"}}

    found = call(
        "referrals/unfinished_document", "separateUnfinished", typed, stored, ["/patient/zip", "/patient/phone"]
    )

    assert found == {
        "accepted": {"patient": {"phone": "+18065550142", "zip": None, "family_name": "New"}},
        "unfinished": [{"pointer": "/patient/phone", "value": "12"}, {"pointer": "/patient/zip", "value": "1"}],
    }
