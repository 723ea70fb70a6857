// The API routes of documents, and the upload of a file to storage. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";
import { createIdempotencyKey } from "../platform/idempotent_request.js";

/**
 * @typedef {import("../platform/api_types.js").DocumentBody} NewDocument
 * @typedef {import("../platform/api_types.js").DocumentResponse} ReferralDocument
 * @typedef {import("../platform/api_types.js").DocumentsResponse} ReferralDocuments
 * @typedef {import("../platform/api_types.js").AddedDocumentResponse} AddedDocument
 * @typedef {import("../platform/api_types.js").UploadFormResponse} UploadForm
 */

/** @param {string} id @param {string} [path] */
const build = (id, path = "") => `referrals/${encodeURIComponent(id)}/documents${path}`;

/** @param {string} id @returns {Promise<ReferralDocuments>} */
export const listDocuments = async (id) => (await callApi("GET", build(id))).data;

/** @param {string} id @param {NewDocument} body @param {string} key @returns {Promise<AddedDocument>} */
export const addDocument = async (id, body, key) => (await callApi("POST", build(id), { body, key })).data;

/** @param {string} id @param {string} documentId @param {"download" | "inline"} display @returns {Promise<string>} The link, valid for a minute. */
export const createLink = async (id, documentId, display) =>
  (await callApi("POST", build(id, `/${documentId}/links`), { query: { display }, key: createIdempotencyKey() })).data
    .url;

/** @param {string} id @param {ReferralDocument} document @param {string} reason @returns {Promise<ReferralDocument>} */
export const removeDocument = async (id, { document_id: documentId, version }, reason) =>
  (await callApi("DELETE", build(id, `/${documentId}`), { query: { reason }, version: `"${version}"` })).data;

/** @param {string} id @param {string} documentId @param {string} arrival @param {string} key @returns {Promise<ReferralDocument>} */
export const reportArrival = async (id, documentId, arrival, key) =>
  (await callApi("POST", build(id, `/${documentId}/arrival`), { body: { arrival }, key })).data;

/** The SHA-256 of a file, in hexadecimal. @param {File} file */
export async function computeDigest(file) {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Upload a file with its form. XMLHttpRequest, because only it reports how much was sent.
 *
 * @param {UploadForm} form
 * @param {File} file
 * @param {(percent: number) => void} onProgress
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export const uploadFile = (form, file, onProgress, signal) =>
  new Promise((resolve, reject) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
    body.append("file", file, "file"); // The name of the file stays here: storage writes names to its log.
    const request = new XMLHttpRequest();
    request.open("POST", form.url);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? Math.floor((100 * loaded) / total) : 0);
    request.onload = () => (request.status === 201 ? resolve() : reject(new Error(String(request.status))));
    request.onerror = () => reject(new Error("unreachable"));
    request.onabort = () => reject(new Error("aborted"));
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
