// The API routes of referrals and their events. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").ActionResponse} Action
 * @typedef {import("../platform/api_types.js").EventPageResponse} EventPage
 * @typedef {import("../platform/api_types.js").EventRequest} EventRequest
 * @typedef {import("../platform/api_types.js").JourneyPhaseResponse} JourneyPhase
 * @typedef {import("../platform/api_types.js").JourneyStepResponse} JourneyStep
 * @typedef {import("../platform/api_types.js").MonitoringWindowResponse} MonitoringWindow
 * @typedef {import("../platform/api_types.js").PossibleDuplicatesResponse} PossibleDuplicates
 * @typedef {import("../platform/api_types.js").PracticeDirectoryResponse} PracticeDirectory
 * @typedef {import("../platform/api_types.js").ReferralCountsResponse} ReferralCounts
 * @typedef {import("../platform/api_types.js").ReferralPageResponse} ReferralPage
 * @typedef {import("../platform/api_types.js").ReferralPatchRequest} ReferralPatchRequest
 * @typedef {import("../platform/api_types.js").ReferralRequest} ReferralRequest
 * @typedef {import("../platform/api_types.js").ReferralResponse} Referral
 * @typedef {import("../platform/api_types.js").ReportResultResponse} ReportResult
 * @typedef {import("../platform/api_types.js").TurnaroundResponse} Turnaround
 */

const encode = encodeURIComponent;

/** Whether this member can do something now. @param {Referral} referral @param {string} action */
export const isAllowed = (referral, action) => referral.actions.some((each) => each.action === action && each.allowed);

/**
 * @param {Record<string, string | number | string[]>} query
 * @returns {Promise<ReferralPage>}
 */
export const listReferrals = async (query) => (await callApi("GET", "referrals", { query })).data;

/** @returns {Promise<ReferralCounts>} */
export const countReferrals = async () => (await callApi("GET", "referrals/counts")).data;

/**
 * @param {string} id
 * @returns {Promise<{data: Referral, etag: string | null}>}
 */
export const getReferral = (id) => callApi("GET", `referrals/${encode(id)}`);

/** @param {string} id @returns {Promise<PossibleDuplicates>} */
export const listPossibleDuplicates = async (id) =>
  (await callApi("GET", `referrals/${encode(id)}/possible-duplicates`)).data;

/** Mark a referral as viewed at the version that the page showed. @param {string} id @param {string | null} version its ETag */
export const markViewed = (id, version) =>
  callApi("PUT", `referrals/${encode(id)}/look`, { version: version ?? undefined });

/**
 * @param {string} id
 * @param {string | null} cursor
 * @returns {Promise<EventPage>}
 */
export const listTimeline = async (id, cursor) =>
  (await callApi("GET", `referrals/${encode(id)}/events`, { query: { cursor } })).data;

/**
 * @param {ReferralRequest} body
 * @param {string} key the same for each try of one attempt, so that a lost response creates no second referral
 * @returns {Promise<{data: Referral, etag: string | null}>}
 */
export const createReferral = (body, key) => callApi("POST", "referrals", { body, key });

/**
 * @param {string} id
 * @param {ReferralPatchRequest} body
 * @param {string} version the ETag of the referral that was changed
 * @returns {Promise<{data: Referral, etag: string | null}>}
 */
export const changeReferral = (id, body, version) => callApi("PATCH", `referrals/${encode(id)}`, { body, version });

/**
 * @param {string} id
 * @param {EventRequest} body
 * @param {string} key
 * @returns {Promise<ReportResult>}
 */
export const sendEvent = async (id, body, key) =>
  (await callApi("POST", `referrals/${encode(id)}/events`, { body, key })).data;

/** The providers and payers that the practice has used. @returns {Promise<PracticeDirectory>} */
export const getPracticeDirectory = async () => (await callApi("GET", "practice-directory")).data;

/** @param {string} id the `entry_id` of a provider or payer */
export const forgetDirectoryEntry = (id) => callApi("DELETE", `practice-directory/${encode(id)}`);
/** @param {string} id @param {string} patient how the page names the patient: name or alias @returns {Promise<Blob>} */
export const getPacketPdf = async (id, patient) =>
  (await callApi("GET", `referrals/${encode(id)}/packet.pdf`, { file: "application/pdf", query: { patient } })).data;
