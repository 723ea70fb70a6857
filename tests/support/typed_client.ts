// What the developer of an app writes with the types that openapi-typescript generates: a client, and a program that
// uses it. A test puts `api.ts` (the types) and `referral.ts` (a request) next to it.

import type { components, paths } from "./api.js";
import { referral } from "./referral.js";

type CreateReferral = paths["/v1/referrals"]["post"];
type ListReferrals = paths["/v1/referrals"]["get"];
type ReportEvent = paths["/v1/referrals/{referral_id}/events"]["post"];
type ListEvents = paths["/v1/referrals/{referral_id}/events"]["get"];
type Problem = components["schemas"]["ProblemResponse"];

type JsonOf<Message> = Message extends { content: { "application/json": infer Json } } ? Json : never;
type BodyOf<Operation> = Operation extends { requestBody: infer Request } ? JsonOf<Request> : never;
type QueryOf<Operation> = Operation extends { parameters: { query?: infer Query } } ? Query : never;
type KeyHeader = CreateReferral["parameters"]["header"] & ReportEvent["parameters"]["header"];

/** Where the API is, and who asks. */
interface Session {
  url: string;
  token: string;
}

class Refusal extends Error {
  problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

async function send<Answer>(session: Session, path: string, options: RequestInit = {}): Promise<Answer> {
  const headers = { Authorization: `Bearer ${session.token}`, "Content-Type": "application/json", ...options.headers };
  const response = await fetch(session.url + path, { ...options, headers });
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer as Problem);
  return answer as Answer;
}

function post<Answer>(session: Session, path: string, body: unknown, key: string): Promise<Answer> {
  const header: KeyHeader = { "Idempotency-Key": key };
  return send(session, path, { method: "POST", body: JSON.stringify(body), headers: { ...header } });
}

export function submitReferral(session: Session, body: BodyOf<CreateReferral>, key: string) {
  return post<JsonOf<CreateReferral["responses"][201]>>(session, "/v1/referrals", body, key);
}

export function listReferrals(session: Session, query: QueryOf<ListReferrals> = {}) {
  const parameters = Object.entries(query).flatMap(([name, value]) => [value].flat().map((each) => [name, `${each}`]));
  const path = `/v1/referrals?${new URLSearchParams(parameters)}`;
  return send<JsonOf<ListReferrals["responses"][200]>>(session, path);
}

export function reportEvent(session: Session, referralId: string, body: BodyOf<ReportEvent>, key: string) {
  const path = `/v1/referrals/${encodeURIComponent(referralId)}/events`;
  return post<JsonOf<ReportEvent["responses"][200]>>(session, path, body, key);
}

export function listEvents(session: Session, referralId: string) {
  const path = `/v1/referrals/${encodeURIComponent(referralId)}/events`;
  return send<JsonOf<ListEvents["responses"][200]>>(session, path);
}

declare const process: { env: Record<string, string>; stdout: { write(text: string): void } };
const url = process.env.SITE_URL;
const practice: Session = { url, token: process.env.PRACTICE_TOKEN };
const center: Session = { url, token: process.env.CENTER_TOKEN };

const created = await submitReferral(practice, referral, "first");
const page = await listReferrals(practice, { stage: ["submitted", "received"], limit: 100 });
const reported = await reportEvent(
  center,
  created.referral_id,
  { type: "stage.changed", occurred_at: new Date().toISOString(), data: { stage: "accepted" } },
  "second",
);
const timeline = await listEvents(practice, created.referral_id);
const problem = await submitReferral(center, referral, "third").catch((error: Refusal) => error.problem);

process.stdout.write(JSON.stringify({ created, page, reported, timeline, problem }));
