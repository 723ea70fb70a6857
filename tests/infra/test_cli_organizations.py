"""`referrals organizations`: add practices and centers with an administrator, list, show, lock and unlock them."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.identity.members import Role, TenantKind, build_membership_key
from chalicelib.errors import UnavailableError
from infra.cli import site
from infra.cli.commands import app
from tests.support import factories, faults
from tests.support.factories import CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.stores import list_rows, restart_stores

TEMPLATE = Path(__file__).parents[2] / "docs" / "organizations.csv"
ADMINISTRATOR = ("--administrator", "Pat Ames", "--email", "pat@elm.example")
ADD_PRACTICE = ("add", "--practice", "Elm Oncology", "--time-zone", "America/Chicago", *ADMINISTRATOR)
ADD_CENTER = ("add", "--center", CENTER.tenant_id, *ADMINISTRATOR)


@pytest.fixture
def accounts(monkeypatch):
    """The email addresses for which an account was created."""
    created = []

    def create_account(email, *, pool_id):
        created.append(email)
        return f"sub-of-{email}"

    service = SimpleNamespace(create_account=create_account)
    monkeypatch.setattr(wiring, "get_identity_service", cache(lambda: service))
    return created


@pytest.fixture
def deleted(monkeypatch):
    """The people whose accounts were deleted."""
    people: list[str] = []
    service = SimpleNamespace(delete_account=people.append)
    monkeypatch.setattr(wiring, "get_credential_service", cache(lambda: service))
    return people


@pytest.fixture
def deployment(stores, settings_env, accounts, monkeypatch):
    """A deployment with a center in its directory, and no organization with people."""
    stores.tenants.add(CENTER, factories.CENTER_FACTS)
    monkeypatch.setattr(wiring, "get_stores", cache(lambda: stores))
    return stores


@pytest.fixture
def run(deployment, monkeypatch):
    """Run `referrals organizations …`."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("REFERRALS_OPERATOR", "jo")
    monkeypatch.setattr(site, "enter_site", lambda: None)

    def run_command(*arguments, answer=""):
        return CliRunner().invoke(app, ["organizations", *map(str, arguments)], input=answer)

    return run_command


def list_practices(stores):
    return list(restart_stores(stores).tenants.list_by_kind(TenantKind.PRACTICE))


def list_people(stores):
    """List everyone in every organization."""
    return {(row["tenant_id"], row["email"], *row["roles"]) for row in list_rows("members")}


def get_member(stores, member):
    """Read a member as stored now."""
    stored = restart_stores(stores).members.get_by_subject(member.subject)
    assert stored
    return stored


def list_audited():
    """List who did what to what, from the audit trail."""
    return sorted((row["actor_id"], row["action"], row["subject"].partition("#")[0]) for row in list_rows("audit"))


def test_a_practice_is_added_with_its_first_administrator(run, deployment, accounts):
    result = run(*ADD_PRACTICE, "--also", "coordinator", "--yes")

    assert result.exit_code == 0, result.output
    [practice] = list_practices(deployment)
    assert (practice.name, practice.time_zone) == ("Elm Oncology", "America/Chicago")
    assert list_people(deployment) == {(practice.tenant_id, "pat@elm.example", "admin", "coordinator")}
    assert accounts == ["pat@elm.example"]


def test_it_shows_what_it_will_do_and_stops_if_declined(run, deployment, accounts):
    result = run(*ADD_PRACTICE, answer="n\n")

    assert result.exit_code == 1
    assert "Elm Oncology, America/Chicago" in result.stdout
    assert "Pat Ames <pat@elm.example> (admin) will be invited" in result.stdout
    assert (list_practices(deployment), accounts, list_rows("audit")) == ([], [], [])


def test_a_center_of_the_directory_gets_its_first_administrator(run, deployment):
    result = run(*ADD_CENTER, answer="y\n")

    assert result.exit_code == 0, result.output
    assert list_people(deployment) == {(CENTER.tenant_id, "pat@elm.example", "admin")}


def test_each_step_leaves_an_audit_row_with_the_operator(run):
    run(*ADD_PRACTICE, "--yes")

    assert list_audited() == [
        ("operator:jo", "member.invite", "member"),
        ("operator:jo", "organization.add", "organization"),
    ]


def test_a_repeat_changes_nothing_and_asks_nothing(run, deployment, accounts):
    run(*ADD_PRACTICE, "--yes")
    audited = list_audited()

    result = run(*ADD_PRACTICE)

    assert result.exit_code == 0
    assert "is an administrator already" in result.stdout
    assert (len(list_practices(deployment)), len(accounts), list_audited()) == (1, 1, audited)


@pytest.mark.parametrize("mode", [faults.FaultMode.CRASH_BEFORE, faults.FaultMode.CRASH_AFTER])
@pytest.mark.parametrize("nth", [1, 2], ids=["organization", "membership"])
def test_a_repeat_completes_an_interrupted_run(run, deployment, nth, mode):
    """Before or after each commit."""
    with (
        faults.inject_faults(faults.plan_nth_fault("TransactWriteItems", nth, mode)),
        pytest.raises(faults.SimulatedCrash),
    ):
        run(*ADD_PRACTICE, "--yes")

    result = run(*ADD_PRACTICE, "--yes")

    assert result.exit_code == 0, result.output
    [practice] = list_practices(deployment)
    assert list_people(deployment) == {(practice.tenant_id, "pat@elm.example", "admin")}
    assert len(list_audited()) == 2


def test_a_service_that_does_not_respond_ends_the_command_in_one_sentence(run, deployment, monkeypatch):
    """And the next run completes it."""

    def refuse(*_arguments, **_pool):
        raise UnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(wiring, "get_identity_service", lambda: SimpleNamespace(create_account=refuse))
        refused = run(*ADD_PRACTICE, "--yes")

    assert refused.exit_code == 1
    assert refused.stderr == "Not everything was done (unavailable). Run the command again to complete it.\n"
    assert run(*ADD_PRACTICE, "--yes").exit_code == 0
    assert len(list_people(deployment)) == 1


def test_a_file_adds_several_organizations(run, deployment, tmp_path):
    """The template, with a center that exists."""
    file = tmp_path / "organizations.csv"
    file.write_text(TEMPLATE.read_text().replace("ctr_example_lagoon", CENTER.tenant_id))

    result = run("add", file, "--yes", "--json")

    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [(row["kind"], row["added"], row["administrator"]) for row in rows] == [
        ("practice", True, "invite"),
        ("center", False, "invite"),
    ]
    assert len(list_people(deployment)) == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "clinic"}, "line 2, column kind: use practice or center"),
        ({"time_zone": "Central"}, "line 2, column time_zone: use an IANA time zone, such as America/Chicago"),
        ({"name": ""}, "line 2, column name: enter the name of the practice, in 200 characters or fewer"),
        ({"administrator_email": "pat"}, "line 2, column administrator_email: "),
        ({"administrator_name": ""}, "line 2, column administrator_name: "),
        (
            {"administrator_roles": "clinician"},
            "line 2, column administrator_roles: leave it empty, or use coordinator or provider",
        ),
        ({"organization_id": "Elm"}, "line 2, column organization_id: leave it empty, or use prc_ followed by"),
        ({"kind": "center", "organization_id": "ctr_unknown"}, "line 2, column organization_id: no such center"),
        ({"kind": "center", "organization_id": CENTER.tenant_id}, "line 2, column name: the directory has another"),
    ],
)
def test_a_file_with_a_fault_adds_nothing(run, deployment, accounts, tmp_path, changed, message):
    """It names the line, the column and what is allowed, and does not repeat what was entered."""
    header, practice, _ = TEMPLATE.read_text().splitlines()
    row = dict(zip(header.split(","), practice.split(","), strict=True)) | changed
    file = tmp_path / "organizations.csv"
    file.write_text(f"{header}\n{','.join(row.values())}\n")

    result = run("add", file, "--yes")

    assert result.exit_code == 2
    assert message in result.stderr
    assert (list_practices(deployment), accounts) == ([], [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has other columns than kind, organization_id"),
        ("kind,name\npractice,Elm\n", "has other columns than kind, organization_id"),
        (TEMPLATE.read_text().splitlines()[0], "has a header but no organizations"),
        (TEMPLATE.read_text().splitlines()[0] + "\na,b,c,d,e,f,g,h\n", "has 8 cells, but the header has 7"),
        ("\n".join([*TEMPLATE.read_text().splitlines()[:2]] * 2), "line 3"),
    ],
    ids=["empty", "other-columns", "no-rows", "too-wide", "header-twice"],
)
def test_a_file_that_is_no_list_of_organizations_is_refused(run, tmp_path, content, message):
    file = tmp_path / "organizations.csv"
    file.write_text(content)

    result = run("add", file, "--yes")

    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("add",), (*ADD_PRACTICE, "--center", CENTER.tenant_id), ("add", "--practice", "Elm", "--time-zone", "UTC")],
    ids=["nothing", "two-kinds", "no-administrator"],
)
def test_arguments_that_do_not_fit_are_a_usage_error(run, deployment, arguments):
    assert run(*arguments, "--yes").exit_code == 2
    assert list_practices(deployment) == []


def test_another_practice_cannot_take_the_id_of_one(run, deployment):
    """The operator sees which practice has it."""
    deployment.tenants.add(PRACTICE, {})

    result = run(*ADD_PRACTICE, "--id", PRACTICE.tenant_id, "--yes")

    assert result.exit_code == 2
    assert f"{PRACTICE.tenant_id} is {PRACTICE.name}" in result.stderr


def test_a_member_becomes_an_administrator_with_access_again(run, deployment, accounts):
    """When the last administrator has left, the operator gives someone the role. No other account is created."""
    deployment.tenants.add(PRACTICE, {})
    member = build_member(PRACTICE, active=False)
    deployment.members.add(member)

    result = run("administrator", PRACTICE.tenant_id, "--name", "X", "--email", member.email.upper(), "--yes")

    assert result.exit_code == 0, result.output
    changed = get_member(deployment, member)
    assert (changed.name, changed.roles, changed.active) == (member.name, {Role.ADMIN, Role.COORDINATOR}, True)
    assert accounts == []


def test_a_member_of_another_organization_becomes_an_administrator_too(run, deployment):
    """As a further membership; the first one stays as it was."""
    deployment.tenants.add(PRACTICE, {})
    member = build_member(PRACTICE, subject="sub-of-pat@elm.example", email="pat@elm.example")
    deployment.members.add(member)

    run(*ADD_CENTER, "--yes")

    memberships = restart_stores(deployment).members.list_for_person(member.subject)
    assert [(each.tenant_id, *sorted(each.roles)) for each in memberships] == [
        (PRACTICE.tenant_id, "coordinator"),
        (CENTER.tenant_id, "admin"),
    ]


def test_organizations_are_listed_with_their_state(run):
    run(*ADD_PRACTICE, "--yes")
    run("lock", CENTER.tenant_id, "--yes")

    rows = json.loads(run("list", "--json").stdout)

    assert [(row["kind"], row["name"], row["locked_since"] is None) for row in rows] == [
        ("practice", "Elm Oncology", True),
        ("center", CENTER.name, False),
    ]
    assert "locked since" in run("list").stdout


def test_an_organization_is_shown_with_its_people(run):
    assert "No administrator." in run("show", CENTER.tenant_id).stdout

    run(*ADD_CENTER, "--yes")

    shown = run("show", CENTER.tenant_id).stdout
    assert "pat@elm.example" in shown
    assert "No administrator." not in shown
    [person] = json.loads(run("show", CENTER.tenant_id, "--json").stdout)["people"]
    assert (person["email"], person["roles"], person["active"]) == ("pat@elm.example", ["admin"], True)


@pytest.mark.parametrize("command", ["show", "lock", "unlock"])
def test_an_unknown_organization_is_a_usage_error(run, command):
    result = run(command, "prc_unknown")

    assert result.exit_code == 2
    assert "referrals organizations list" in result.stderr


def test_no_one_joins_a_locked_organization(run, deployment, accounts):
    run("lock", CENTER.tenant_id, "--yes")

    result = run(*ADD_CENTER, "--yes")

    assert result.exit_code == 2
    assert f"{CENTER.name} is locked. Unlock it first." in result.stderr
    assert (list_people(deployment), accounts) == (set(), [])


def test_a_lock_that_is_declined_changes_nothing(run, deployment):
    assert run("lock", CENTER.tenant_id, answer="n\n").exit_code == 1
    assert deployment.tenants.list_locked() == {}


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("command", ["lock", "unlock"])
def test_a_repeat_completes_an_interrupted_lock(run, deployment, command, nth):
    """After any of its commits."""
    people = [build_member(CENTER, n=n) for n in (1, 2)]
    factories.add_members(deployment, people)
    if command == "unlock":
        run("lock", CENTER.tenant_id, "--yes")

    with (
        faults.inject_faults(faults.plan_nth_fault("TransactWriteItems", nth, faults.FaultMode.CRASH_AFTER)),
        pytest.raises(faults.SimulatedCrash),
    ):
        run(command, CENTER.tenant_id, "--yes")
    result = run(command, CENTER.tenant_id, "--yes")

    assert result.exit_code == 0, result.output
    assert [get_member(deployment, person).locked for person in people] == [command == "lock"] * 2
    assert bool(deployment.tenants.list_locked()) == (command == "lock")
    actions = [row["action"] for row in list_rows("audit") if row["action"].startswith("organization.")]
    assert actions.count(f"organization.{command}") == 1


@pytest.fixture
def person(deployment):
    """The memberships of a person of a practice and a center."""
    deployment.tenants.add(PRACTICE, {})
    first = build_member(PRACTICE, subject="sub-lost", email="pat@elm.example", name="Pat Ames")
    second = build_member(CENTER, n=2, email=first.email, name="Dr. Ames")
    second = replace(second, subject=build_membership_key(first.person, second.member_id))
    deployment.members.add(first)
    deployment.transactions.commit(*deployment.members.prepare_add_later(second))
    return first, second


def reset(run, tenant, *options, email="pat@elm.example", **answer):
    return run("reset-sign-in", tenant.tenant_id, "--email", email, *options, **answer)


def list_people_of(stores, person):
    """The members and organizations of a person, in the order of joining."""
    members = restart_stores(stores).members.list_for_person(person)
    return [(member.member_id, member.tenant_id) for member in members]


@pytest.mark.parametrize("tenant", [PRACTICE, CENTER], ids=lambda tenant: tenant.kind)
def test_a_person_of_several_organizations_gets_a_new_account(run, deployment, accounts, deleted, person, tenant):
    """From either organization. Each one's trail names the operator."""
    result = reset(run, tenant, "--yes", email="Pat@Elm.example")

    assert result.exit_code == 0, result.output
    assert (deleted, accounts) == (["sub-lost"], ["pat@elm.example"])
    assert list_people_of(deployment, "sub-lost") == []
    assert list_people_of(deployment, "sub-of-pat@elm.example") == [(m.member_id, m.tenant_id) for m in person]
    assert list_audited() == [("operator:jo", "member.reset_sign_in", "member")] * 2


def test_a_reset_says_what_the_account_opens_and_stops_if_declined(run, deleted, person):
    result = reset(run, CENTER, answer="n\n")

    assert result.exit_code == 1
    assert "Dr. Ames <pat@elm.example> will get a new account." in result.stdout
    assert f"{CENTER.tenant_id}, {PRACTICE.tenant_id}" in result.stdout
    assert (deleted, list_rows("audit")) == ([], [])


def test_a_reset_needs_an_active_member_with_the_address(run, deployment, deleted, person):
    assert "has no member with this email" in reset(run, CENTER, "--yes", email="x@elm.example").stderr
    disabled = replace(person[1], active=False, version=2)
    deployment.transactions.commit(deployment.members.prepare_save(disabled))

    refused = reset(run, CENTER, "--yes")

    assert (refused.exit_code, deleted) == (1, [])
    assert f"Dr. Ames is disabled in {CENTER.name}." in refused.stderr
    assert reset(run, PRACTICE, "--yes").exit_code == 0


def test_a_repeat_completes_an_interrupted_reset(run, deployment, deleted, person):
    """The earlier account is gone and the new one exists; the memberships follow."""
    with (
        faults.inject_faults(faults.plan_nth_fault("TransactWriteItems", 1, faults.FaultMode.CRASH_BEFORE)),
        pytest.raises(faults.SimulatedCrash),
    ):
        reset(run, CENTER, "--yes")

    result = reset(run, CENTER, "--yes")

    assert result.exit_code == 0, result.output
    assert len(list_people_of(deployment, "sub-of-pat@elm.example")) == 2


def test_a_membership_that_is_added_during_a_reset_moves_too(run, deployment, deleted, person):
    """The first try fails, and the next one reads again."""
    third = build_member(OTHER_PRACTICE, n=3)
    third = replace(third, subject=build_membership_key("sub-lost", third.member_id))
    added = deployment.members.prepare_add_later(third)
    interruption = faults.plan_interruption("TransactWriteItems", lambda: deployment.transactions.commit(*added))

    with faults.inject_faults(interruption):
        result = reset(run, CENTER, "--yes")

    assert result.exit_code == 0, result.output
    assert len(list_people_of(deployment, "sub-of-pat@elm.example")) == 3


def test_an_operator_gets_an_account_of_the_operators_organization(run, deployment, accounts):
    """It is added with the first person, and there is one."""
    results = [
        run("operator", "--name", name, "--email", email, "--yes")
        for name, email in (("Sam Okafor", "sam@ops.example"), ("Kim Lee", "kim@ops.example"))
    ]

    assert [result.exit_code for result in results] == [0, 0]
    [tenant] = deployment.tenants.list_by_kind(TenantKind.OPERATOR)
    members = list(deployment.members.list_for_tenant(tenant.tenant_id))
    assert {member.email for member in members} == {"sam@ops.example", "kim@ops.example"}
    assert {member.roles for member in members} == {frozenset({Role.OPERATOR})}
    assert accounts == ["sam@ops.example", "kim@ops.example"]


def test_an_operator_with_a_wrong_email_is_not_invited(run, accounts):
    """The message names what to correct."""
    result = run("operator", "--name", "Sam Okafor", "--email", "sam", "--yes")

    assert result.exit_code == 2
    assert "--email: " in result.output
    assert accounts == []
