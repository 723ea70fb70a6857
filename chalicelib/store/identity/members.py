"""The `members` and `roster` tables: the people who use the product, by person and by tenant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from chalicelib.domain.identity.members import Member, Role, TenantKind, build_membership_key, get_person
from chalicelib.store.platform.dynamo import DynamoTable, Item, ItemRead, TransactionWrite
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp
from chalicelib.store.platform.transactions import ConditionFailedError, Transactions

_BATCH_SIZE = 100
"""How many members are read in one call: the limit of DynamoDB."""

ACTING_MEMBER = "acting member"
"""The name of the check that the member who changes another one still is as read."""


def _build_person_key(person: str) -> str:
    """The key of the row that lists a person's second and later memberships. No subject of a token has it."""
    return f"person#{person}"


@dataclass(frozen=True, slots=True)
class Members:
    """Members by their key (`subject`), and the roster of each tenant.

    The first membership of a person has the id that the identity service gave the person as its key, so
    that a request of someone with one membership reads one row. Later memberships have keys of their own,
    and a row of the person lists them.

    The transaction that adds a member also adds the member to the roster, and nothing removes a row
    from it. The roster only lists candidates; each member is read again before anything is decided.
    """

    table: DynamoTable
    roster: DynamoTable

    def get_by_subject(self, subject: str) -> Member | None:
        """Read a member, strongly consistent, so that a disabled member is rejected on the next request."""
        item = self.table.get({"subject": subject})
        return to_member(item) if item else None

    def prepare_get(self, subject: str) -> ItemRead:
        """Build the read of a member. `to_member` converts what it finds."""
        return ItemRead(self.table, {"subject": subject})

    def get_membership(self, person: str, member_id: str) -> tuple[Member | None, Member | None]:
        """Read a person's first membership and the one that the person chose, in one strongly consistent call.

        Each is None if the person has no such membership. They can be the same.
        """
        keys = (person, build_membership_key(person, member_id))
        by_key = {item["subject"]: to_member(item) for item in self.table.get_many([{"subject": k} for k in keys])}
        chosen = (member for member in by_key.values() if member.member_id == member_id)
        return by_key.get(person), next(chosen, None)

    def list_for_person(self, person: str) -> Sequence[Member]:
        """List a person's memberships, strongly consistent, in the order in which the person joined."""
        items = self.table.get_many([{"subject": person}, {"subject": _build_person_key(person)}])
        by_key = {item["subject"]: item for item in items}
        later_keys = by_key.pop(_build_person_key(person), {}).get("memberships", [])
        for start in range(0, len(later_keys), _BATCH_SIZE):
            keys = [{"subject": key} for key in later_keys[start : start + _BATCH_SIZE]]
            by_key |= {item["subject"]: item for item in self.table.get_many(keys)}
        return [to_member(by_key[key]) for key in (person, *later_keys) if key in by_key]

    def list_for_tenant(self, tenant_id: str) -> Iterator[Member]:
        """List the tenant's members as they are now, including those who joined just before."""
        rows = self.roster.query_all("tenant_id = :tenant", {"tenant": tenant_id})
        while batch := list(islice(rows, _BATCH_SIZE)):
            items = self.table.get_many([{"subject": row["subject"]} for row in batch])
            by_subject = {item["subject"]: to_member(item) for item in items}
            for row in batch:
                member = by_subject.get(row["subject"])
                if member and member.tenant_id == tenant_id:
                    yield member

    def get_by_member_id(self, tenant_id: str, member_id: str) -> Member | None:
        """Read one of a tenant's members by the id that the API shows."""
        row = self.roster.get({"tenant_id": tenant_id, "member_id": member_id})
        member = self.get_by_subject(row["subject"]) if row else None
        return member if member and member.tenant_id == tenant_id else None

    def find_recipient(self, subject: str, *, tenant_id: str, member_id: str) -> Member | None:
        """Read the member for whom something was planned, also if the person has another account by now."""
        member = self.get_by_subject(subject)
        if member:
            return member
        where, values = "tenant_id = :tenant AND member_id = :member", {"tenant": tenant_id, "member": member_id}
        row = next(self.roster.query_all(where, values), None)
        return self.get_by_subject(row["subject"]) if row else None

    def add(self, member: Member) -> bool:
        """Store a new member. Return False if the person already is a member."""
        try:
            Transactions(self.table.client).commit(*self.prepare_add(member))
        except ConditionFailedError:
            return False
        return True

    def prepare_add(self, member: Member) -> Sequence[TransactionWrite]:
        """Build the writes that store a new member. They fail if the person already is a member."""
        return (
            self.table.prepare_put("member", _member_to_item(member), when="attribute_not_exists(subject)"),
            self.roster.prepare_put("roster", _build_roster_row(member), when="attribute_not_exists(member_id)"),
        )

    def prepare_add_later(self, member: Member, *, replaced: Member | None = None) -> Sequence[TransactionWrite]:
        """Build the writes that store a further membership of a person who has one already.

        They fail if the person already is a member.

        Args:
            member: The member. `subject` is a key of `build_membership_key`.
            replaced: The row of an earlier release without its person, which the new row replaces.
        """
        member_write, roster_write = self.prepare_add(member)
        writes = [member_write, self.prepare_list(member)]
        if replaced is None:
            return (*writes, roster_write)
        return (
            *writes,
            self.roster.prepare_put(
                "roster", _build_roster_row(member), when="subject = :replaced", values={"replaced": replaced.subject}
            ),
            self.table.prepare_delete(
                "replaced member",
                {"subject": replaced.subject},
                when=_as_read(replaced.version),
                values={"read": replaced.version},
            ),
        )

    def prepare_list(self, member: Member) -> TransactionWrite:
        """Build the write that adds a second or later membership to the list of the person."""
        return self.table.prepare_update(
            "person",
            {"subject": _build_person_key(member.person)},
            "SET memberships = list_append(if_not_exists(memberships, :none), :added)",
            values={"none": [], "added": [member.subject]},
        )

    def prepare_unlist(self, key: str) -> TransactionWrite | None:
        """Build the write that removes a membership from the list of its person; None if it is not listed."""
        row = self.table.get({"subject": _build_person_key(get_person(key))})
        if row is None or key not in row["memberships"]:
            return None
        left = [each for each in row["memberships"] if each != key]
        return self.table.prepare_put(
            "person", {**row, "memberships": left}, when="memberships = :read", values={"read": row["memberships"]}
        )

    def prepare_put_on_roster(self, member: Member) -> TransactionWrite:
        """Build the write that puts a member on the roster of the tenant, in place of what is there."""
        return self.roster.prepare_put("roster", _build_roster_row(member))

    def prepare_check_acting(self, member: Member) -> TransactionWrite:
        """Build the check that a member still is as it was read: not demoted, disabled or locked in the meantime."""
        when, values = _as_read(member.version), {"read": member.version}
        return self.table.prepare_check(ACTING_MEMBER, {"subject": member.subject}, when=when, values=values)

    def prepare_save(self, member: Member) -> TransactionWrite:
        """Build the conditional write that stores a changed member, unless it changed after it was read."""
        return self.table.prepare_put(
            "member", _member_to_item(member), when=_as_read(member.version - 1), values={"read": member.version - 1}
        )

    def record_joined(self, member: Member, *, now: datetime) -> None:
        """Store that the person uses the membership, unless that is known already. The version stays as it is.

        Another write of the row at the same moment can undo it. Then the next visit stores it.
        """
        self.table.update(
            {"subject": member.subject},
            "SET joined_at = :now",
            when="attribute_exists(subject) AND attribute_not_exists(joined_at)",
            values={"now": to_timestamp(now)},
        )

    def prepare_invite_again(self, member: Member, *, now: datetime) -> TransactionWrite:
        """Build the write that stores when a member was invited again. The version stays as it is."""
        return self.table.prepare_update(
            "invited member",
            {"subject": member.subject},
            "SET invited_at = :now",
            when="attribute_exists(subject)",
            values={"now": to_timestamp(now)},
        )

    def prepare_move(self, memberships: Sequence[Member], *, person: str) -> Sequence[TransactionWrite]:
        """Build the writes that give a person's memberships to another account, unless one changed or was added.

        Tokens of the earlier account then belong to no one.

        Args:
            memberships: All memberships of the person, the first one first.
            person: The id of the person in the identity service from now on.
        """
        earlier_person = memberships[0].person
        moved = [member.with_account(person) for member in memberships]
        writes = [write for pair in zip(memberships, moved, strict=True) for write in self._prepare_move_one(*pair)]
        earlier_row = {"subject": _build_person_key(earlier_person)}
        earlier_keys = [member.subject for member in memberships if member.subject != earlier_person]
        if not earlier_keys:
            no_row = "attribute_not_exists(subject)"
            return [*writes, self.table.prepare_check("earlier person", earlier_row, when=no_row, values={})]
        later_keys = [member.subject for member in moved if member.subject != person]
        row = {"subject": _build_person_key(person), "memberships": later_keys}
        return [
            *writes,
            self.table.prepare_put("person", row, when="attribute_not_exists(subject)"),
            self.table.prepare_delete(
                "earlier person", earlier_row, when="memberships = :read", values={"read": earlier_keys}
            ),
        ]

    def _prepare_move_one(self, member: Member, moved: Member) -> Sequence[TransactionWrite]:
        return (
            self.table.prepare_put("member", _member_to_item(moved), when="attribute_not_exists(subject)"),
            self.table.prepare_delete(
                "earlier account",
                {"subject": member.subject},
                when=_as_read(member.version),
                values={"read": member.version},
            ),
            self.roster.prepare_put(
                "roster", _build_roster_row(moved), when="subject = :old", values={"old": member.subject}
            ),
        )


def _as_read(version: int) -> str:
    """The condition that a member is as it was read. Rows of the first release have no version."""
    if version > 1:
        return "version = :read"
    return "attribute_exists(subject) AND (version = :read OR attribute_not_exists(version))"


_MEMBER_ATTRIBUTES = frozenset(
    {
        *("subject", "member_id", "tenant_id", "kind", "name", "email", "roles", "active", "locked", "version"),
        *("sessions_ended_at", "ended_sessions", "invited_at", "joined_at"),
    }
)


def _member_to_item(member: Member) -> Item:
    roles: Sequence[str] = sorted(member.roles)
    return {
        **member.unknown_attributes,
        "subject": member.subject,
        "member_id": member.member_id,
        "tenant_id": member.tenant_id,
        "kind": member.kind,
        "name": member.name,
        "email": member.email,
        "roles": list(roles),
        "active": member.active,
        "locked": member.locked or None,
        "version": member.version,
        "sessions_ended_at": member.sessions_ended_at or None,
        "ended_sessions": list(member.ended_sessions) or None,
        "invited_at": to_timestamp(member.invited_at) if member.invited_at else None,
        "joined_at": to_timestamp(member.joined_at) if member.joined_at else None,
    }


def _build_roster_row(member: Member) -> Item:
    return {"tenant_id": member.tenant_id, "member_id": member.member_id, "subject": member.subject}


def to_member(item: Item) -> Member:
    """Convert a row to a membership."""
    return Member(
        subject=item["subject"],
        member_id=item["member_id"],
        tenant_id=item["tenant_id"],
        kind=TenantKind(item["kind"]),
        name=item["name"],
        email=item["email"],
        roles=frozenset(Role(role) for role in item["roles"]),
        active=item["active"],
        locked=item.get("locked", False),
        version=item.get("version", 1),
        sessions_ended_at=item.get("sessions_ended_at", 0),
        ended_sessions=tuple(item.get("ended_sessions", ())),
        invited_at=from_timestamp(item["invited_at"]) if "invited_at" in item else None,
        joined_at=from_timestamp(item["joined_at"]) if "joined_at" in item else None,
        unknown_attributes={name: value for name, value in item.items() if name not in _MEMBER_ATTRIBUTES},
    )
