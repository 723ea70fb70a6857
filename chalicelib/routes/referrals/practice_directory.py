"""The practice directory: the referring providers and payers that the caller's practice has used."""

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.referrals.practice_directory import KnownEntry
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.referrals.practice_directory import forget_entry, read_practice_directory


class KnownProviderResponse(TypedDict):
    """A referring provider as the practice last entered it. `is_own` marks the provider who asks."""

    entry_id: str
    """The ID of the entry in the practice directory: `dir_` and 26 characters."""
    name: str
    """The name of the provider."""
    npi: str | None
    """The provider's NPI; null if not entered."""
    phone: str | None
    """The provider's phone; null if not entered."""
    email: str | None
    """The provider's email address; null if not entered."""
    is_own: bool
    """Whether it is the provider who asks."""


class KnownPayerResponse(TypedDict):
    """A payer that the practice has used."""

    entry_id: str
    """The ID of the entry in the practice directory: `dir_` and 26 characters."""
    name: str
    """The name of the payer."""


class PracticeDirectoryResponse(TypedDict):
    """What a practice has used in its referrals, most recently used first, at most 50 of each."""

    providers: list[KnownProviderResponse]
    """The referring providers."""
    payers: list[KnownPayerResponse]
    """The payers."""


@declare_endpoint("GET", "/v1/practice-directory")
def read_directory(request: ApiRequest) -> ApiResponse[PracticeDirectoryResponse]:
    """List the referring providers and payers that your practice has used, most recently used first."""
    directory = read_practice_directory(member=request.member, context=request.context)
    return ApiResponse(
        body={
            "providers": [_to_provider_response(each, directory.own_entry_id) for each in directory.providers],
            "payers": [{"entry_id": each.entry_id, "name": each.entry.name} for each in directory.payers],
        }
    )


@declare_endpoint("DELETE", "/v1/practice-directory/{entry_id}", status=204)
def forget_directory_entry(request: ApiRequest, entry_id: str) -> ApiResponse[None]:
    """Remove a provider or payer from your practice's directory. Referrals do not change."""
    forget_entry(entry_id, member=request.member, context=request.context)
    return ApiResponse(body=None, status=204)


def _to_provider_response(known: KnownEntry, own_entry_id: str | None) -> KnownProviderResponse:
    entry = known.entry
    return {
        "entry_id": known.entry_id,
        "name": entry.name,
        "npi": entry.npi,
        "phone": entry.phone,
        "email": entry.email,
        "is_own": known.entry_id == own_entry_id,
    }
