// The API routes of the operator's page. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").OperationsResponse} Operations
 * @typedef {import("../platform/api_types.js").UnreachableMemberListResponse} UnreachableMembers
 */

/** @returns {Promise<Operations>} */
export const readOperations = async () => (await callApi("GET", "operations")).data;

/** @returns {Promise<UnreachableMembers>} */
export const listUnreachableMembers = async () => (await callApi("GET", "operations/unreachable-members")).data;

/** @param {string[]} tasks at most 100 @param {string} key */
export const retryFailedTasks = (tasks, key) =>
  callApi("POST", "operations/failed-tasks/retry", { body: { outbox_ids: tasks }, key });
