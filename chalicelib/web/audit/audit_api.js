// The API routes of audit trails. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").AuditTrailResponse} AuditTrail
 * @typedef {import("../platform/api_types.js").MemberListResponse} Members
 */

/**
 * A page of the trail of a referral, of one person of your organization, or of your whole organization.
 *
 * @param {string | undefined} referral
 * @param {string | undefined} actor
 * @param {string | null} [cursor]
 * @returns {Promise<AuditTrail>}
 */
export const listAudit = async (referral, actor, cursor) => {
  const path = referral ? `referrals/${encodeURIComponent(referral)}/audit` : "audit";
  return (await callApi("GET", path, { query: { actor_id: actor, cursor } })).data;
};

/** Everyone of your organization. @returns {Promise<Members>} */
export const listMembers = async () => (await callApi("GET", "members")).data;
