// The API routes of referrals and their events. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {{stage: string, label: string, allowed: boolean, why_not: string | null, needs: string[], reasons: string[], ends: boolean}} Action
 * @typedef {{stage: string, label: string, state: "done" | "current" | "not_reported" | "ahead", at: string | null}} Step
 * @typedef {{phase: string, label: string, stages: Step[]}} Leg
 * @typedef {{day: number, on: string, kind: string, label?: string}} Milestone
 * @typedef {{title: string, due_on: string, state: string, why: string | null}} PlannedNotice
 * @typedef {{time_zone: string, infused_on: string, ends_on: string, milestones: Milestone[],
 *            extensions: any[], late_effects: string[], notices: PlannedNotice[]}} Window
 * @typedef {{owner: string, since: string, expected_by: string | null, amber_on: string | null, red_on: string | null,
 *            level: "on_time" | "amber" | "red" | "on_hold" | "none", unit: string | null, source: string | null}} Clock
 * @typedef {{pointer: string, label: string}} PacketItem
 * @typedef {{complete: boolean, present: number, needed: number, missing: PacketItem[]}} Packet
 * @typedef {{referral_id: string, stage: string, stage_label: string, phase: string, stage_since: string,
 *            clock: Clock, journey: Leg[], actions: Action[], may_report: string[], packet: Packet,
 *            window: Window | null, [section: string]: any}} Referral
 */

const encode = encodeURIComponent;

/** @param {{worklist?: string, phase?: string, q?: string, cursor?: string}} query */
export const listReferrals = async (query) => (await callApi("GET", "referrals", { query })).data;
export const countReferrals = async () => (await callApi("GET", "referrals/counts")).data;

/**
 * @param {string} id
 * @returns {Promise<{data: Referral, etag: string | null}>}
 */
export const getReferral = (id) => callApi("GET", `referrals/${encode(id)}`);

/** Say that this was on the screen, so that it is no news any more. @param {string} id @param {string | null} version its ETag */
export const markViewed = (id, version) =>
  callApi("PUT", `referrals/${encode(id)}/look`, { version: version ?? undefined });

/**
 * @param {string} id
 * @param {string | null} cursor
 */
export const listTimeline = async (id, cursor) =>
  (await callApi("GET", `referrals/${encode(id)}/events`, { query: { cursor } })).data;

/**
 * @param {object} body
 * @param {string} key the same for every try of one attempt, so that a lost answer doubles nothing
 */
export const createReferral = (body, key) => callApi("POST", "referrals", { body, key });

/**
 * @param {string} id
 * @param {object} body
 * @param {string} version the ETag the change was made from
 */
export const changeReferral = (id, body, version) => callApi("PATCH", `referrals/${encode(id)}`, { body, version });

/**
 * @param {string} id
 * @param {object} body
 * @param {string} key
 */
export const sendEvent = async (id, body, key) =>
  (await callApi("POST", `referrals/${encode(id)}/events`, { body, key })).data;
