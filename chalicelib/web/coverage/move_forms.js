// The forms of coverage moves as data: the fields of each, with the names of the API.

const HOW = [
  ["phone", "Phone call"],
  ["portal", "Payer's portal"],
  ["letter", "Letter"],
  ["fax", "Fax"],
];
const CHANNELS = [...HOW, ["electronic", "Electronic"]];
const REVIEWS = [
  ["standard", "Standard"],
  ["expedited", "Expedited"],
];
const KINDS = [
  ["unknown", "Not known"],
  ["drug", "As a drug"],
  ["service", "As a service"],
];
const DENIAL_REASONS = [
  ["not_medically_necessary", "Not medically necessary"],
  ["experimental", "Experimental"],
  ["criteria_not_met", "Criteria not met"],
  ["out_of_network", "Out of network"],
  ["not_covered_benefit", "Not a covered benefit"],
  ["missing_information", "Missing information"],
  ["administrative", "Administrative"],
  ["other", "Other"],
];

/** @param {string} name @param {string} label @param {any} [more] */
const required = (name, label, more = {}) => ({ name, label, ...more });
/** @param {string} name @param {string} label @param {any} [more] */
const optional = (name, label, more = {}) => ({ name, label, optional: true, ...more });
const date = { type: "date" };
const phone = { type: "tel" };
const text = { rows: "3", maxlength: "4000" };
/** @param {string[][]} options @param {string} first */
const choose = (options, first = "Choose") => ({ options: [["", first], ...options] });

const isCall = (/** @type {any} */ { how }) => how === "phone";
const SOURCE = [
  required("how", "How did you learn it?", choose(HOW)),
  required("called_at", "When was the call?", { type: "datetime-local", shown: isCall }),
  required("representative", "Representative", { shown: isCall }),
  required("reference_number", "Reference number", { shown: isCall }),
];

/** What a person enters with each move, in the order in which a payer is asked. @type {Record<string, {button: string, fields: any[]}>} */
export const MOVE_FORMS = {
  verification_requested: { button: "Request a benefits check", fields: [] },
  verification_started: { button: "The payer was asked", fields: [] },
  result_recorded: {
    button: "Enter a result",
    fields: [
      ...SOURCE,
      required(
        "outcome",
        "Result",
        choose([
          ["verified", "Verified"],
          ["verified_with_conditions", "Verified with conditions"],
          ["unable_to_verify", "Not able to verify"],
        ]),
      ),
      optional(
        "benefits",
        "Benefits",
        choose(
          [
            ["active", "Active"],
            ["inactive", "Not active"],
          ],
          "No change",
        ),
      ),
      optional(
        "authorization",
        "Authorization",
        choose(
          [
            ["required", "Required"],
            ["not_required", "Not required"],
          ],
          "No change",
        ),
      ),
      optional(
        "network",
        "Network",
        choose(
          [
            ["in_network", "Center in network"],
            ["out_of_network", "Out of network"],
            ["designated_provider_required", "Only at a designated center"],
            ["not_applicable", "The plan has no network"],
          ],
          "No change",
        ),
      ),
      optional("valid_until", "Valid until", { ...date, hint: "The last day, if the payer named one." }),
      optional(
        "plan_year",
        "Plan year",
        choose(
          [
            ["calendar", "January to December"],
            ["other", "Other months"],
          ],
          "Not known",
        ),
      ),
      optional("conditions", "Conditions, in the payer's words", text),
    ],
  },
  plan_changed: { button: "The plan changed", fields: [required("reason", "What changed?")] },
  authorization_required: { button: "Authorization is required", fields: SOURCE },
  authorization_not_required: { button: "No authorization required", fields: SOURCE },
  authorization_confirmed: {
    button: "The new plan confirmed the authorization",
    fields: [...SOURCE, optional("ends_on", "Approval ends on", date)],
  },
  authorization_submitted: {
    button: "Authorization submitted",
    fields: [
      required("submitted_on", "Submitted on", date),
      required("channel", "How was it sent?", choose(CHANNELS)),
      required("case_number", "Case number"),
      required("review", "Review", choose(REVIEWS)),
      optional("kind", "How does the plan treat CAR T?", choose(KINDS, "Not entered")),
      optional("decision_by", "Decision expected by", { ...date, hint: "The date that the payer named." }),
    ],
  },
  information_asked: {
    button: "The payer asks for more",
    fields: [required("items", "What does the payer ask for?", text), required("deadline", "Payer's deadline", date)],
  },
  information_sent: {
    button: "Information sent",
    fields: [
      required("items", "What was sent?", text),
      required("sent_on", "Sent on", date),
      optional("channel", "How was it sent?", choose(CHANNELS, "Not entered")),
    ],
  },
  authorization_approved: {
    button: "Authorization approved",
    fields: [
      required("authorization_number", "Authorization number"),
      required("begins_on", "Approval begins on", date),
      required("ends_on", "Approval ends on", date),
      required("product_id", "Approved product", { products: true }),
      required("site", "Site of care"),
      optional("decided_on", "Decided on", date),
      optional("conditions", "Conditions", text),
    ],
  },
  authorization_denied: {
    button: "Authorization denied",
    fields: [
      required("letter_on", "Date of the letter", date),
      required("reason", "Reason", choose(DENIAL_REASONS)),
      required("words", "Words of the letter", text),
      required("deadline", "Last day to appeal", { ...date, hint: "The date in the letter counts." }),
      optional(
        "peer_to_peer_offered",
        "Does the payer offer a peer-to-peer call?",
        choose(
          [
            ["true", "Yes"],
            ["false", "No"],
          ],
          "Not entered",
        ),
      ),
      optional("peer_to_peer_phone", "Phone for the peer-to-peer call", phone),
      optional("peer_to_peer_until", "Peer-to-peer call until", date),
      optional("appeal_to", "Where the appeal is sent", text),
      optional("policy", "Policy or criteria named"),
    ],
  },
  peer_to_peer_arranged: {
    button: "Peer-to-peer call arranged",
    fields: [
      required("phone", "Payer's phone", phone),
      required("caller", "Who calls?"),
      optional("call_at", "When?", { type: "datetime-local" }),
      optional("reviewer", "Payer's reviewer"),
      optional("callback", "Callback number", phone),
      optional("hours", "Payer's hours"),
    ],
  },
  peer_to_peer_ended: {
    button: "Outcome of the call",
    fields: [
      required(
        "outcome",
        "Outcome",
        choose([
          ["overturned", "The denial is overturned"],
          ["upheld", "The denial stands"],
          ["partly", "Partly overturned"],
          ["not_reached", "No one was reached"],
        ]),
      ),
      optional("notes", "Notes", text),
    ],
  },
  appeal_filed: {
    button: "Appeal filed",
    fields: [
      required("level", "Level of the appeal", { type: "number", min: "1", max: "5" }),
      required("filed_on", "Filed on", date),
      required("deadline", "Decision expected by", date),
    ],
  },
  appeal_lost: {
    button: "Appeal lost",
    fields: [
      required("decided_on", "Decided on", date),
      optional("deadline", "Last day for the next step", date),
      optional("words", "Words of the letter", text),
    ],
  },
  external_review_requested: {
    button: "External review requested",
    fields: [
      required("requested_on", "Requested on", date),
      required("reviewer", "Reviewer"),
      optional("deadline", "Decision expected by", date),
    ],
  },
  external_review_lost: { button: "External review lost", fields: [required("decided_on", "Decided on", date)] },
  authorization_withdrawn: { button: "Withdraw the request", fields: [required("reason", "Why?", text)] },
  agreement_needed: {
    button: "Case agreement needed",
    fields: [
      required(
        "reason",
        "Why?",
        choose([
          ["out_of_network", "Out of network"],
          ["no_contract_rate", "No contract rate"],
          ["product_not_listed", "Product not listed"],
          ["other", "Other"],
        ]),
      ),
      optional("payer_contact", "Payer's contact"),
      optional("phone", "Payer's phone", phone),
    ],
  },
  agreement_not_needed: { button: "No case agreement needed", fields: [required("reason", "Why?", text)] },
  agreement_started: {
    button: "Case agreement in progress",
    fields: [
      required("requested_on", "Requested on", date),
      optional("owner", "Who works on it?"),
      optional("rate_basis", "Rate basis", { ...text, hint: "Only your center sees this." }),
      optional("scope", "What it covers", text),
    ],
  },
  agreement_signed: {
    button: "Case agreement signed",
    fields: [
      required("signed_on", "Signed on", date),
      required("begins_on", "Begins on", date),
      optional("ends_on", "Ends on", date),
      optional("rate_basis", "Rate basis", { ...text, hint: "Only your center sees this." }),
    ],
  },
  agreement_failed: { button: "No case agreement reached", fields: [required("reason", "Why?", text)] },
  cleared: {
    button: "Record clearance",
    fields: [
      required("until", "Cleared until", date),
      required(
        "basis",
        "What does it rest on?",
        choose([
          ["authorization", "The payer's authorization"],
          ["not_required", "No authorization required"],
          ["medicare_no_authorization", "Medicare, no authorization needed"],
          ["agreement", "Single case agreement"],
          ["other", "Other"],
        ]),
      ),
      optional("note", "Note", text),
    ],
  },
  clearance_ended: { button: "Take the clearance back", fields: [required("reason", "Why?", text)] },
  item_verified: {
    button: "Enter",
    fields: [required("answer", "What did the payer say?", text), optional("how", "How?", choose(HOW, "Not entered"))],
  },
};

/** Moves without a button of their own. */
export const HIDDEN_MOVES = new Set(["item_verified"]);

/**
 * The request body of a move from the values of its form. A number and yes or no are not texts.
 *
 * @param {string} move @param {Record<string, string>} values @param {(local: string) => string} toInstant
 */
export function buildMoveBody(move, values, toInstant) {
  /** @type {Record<string, unknown>} */
  const body = { move };
  for (const [name, value] of Object.entries(values)) {
    const typed = value?.trim?.() ?? value;
    if (typed === "" || typed == null) continue;
    if (name.endsWith("_at")) body[name] = toInstant(typed);
    else if (name === "level") body[name] = Number(typed);
    else body[name] = typed === "true" ? true : typed === "false" ? false : typed;
  }
  return body;
}
