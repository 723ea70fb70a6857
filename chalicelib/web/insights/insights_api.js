// The API routes of the insights. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").InsightsResponse} Insights
 * @typedef {import("../platform/api_types.js").GroupFiguresResponse} Group
 * @typedef {import("../platform/api_types.js").IntervalFiguresResponse} IntervalFigures
 * @typedef {import("../platform/api_types.js").PublishedFiguresResponse} Published
 * @typedef {{period: string, grouping: string}} Choice
 */

/** @param {Choice} query @returns {Promise<Insights>} */
export const getInsights = async (query) => (await callApi("GET", "insights", { query })).data;

/** The tables as a file for a spreadsheet. @param {Choice} query @returns {Promise<string>} */
export const exportTables = async (query) => (await callApi("GET", "insights/tables.csv", { query, plain: true })).data;
