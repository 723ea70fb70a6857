// The order of the buttons of moves: what the next step needs comes first.

/** Moves that people need seldom. */
const RARE = [
  "plan_changed",
  "verification_started",
  "authorization_withdrawn",
  "agreement_not_needed",
  "clearance_ended",
];

const VERIFY = ["verification_requested", "result_recorded", "authorization_confirmed"];

/** What each state waits for. @type {Record<string, string[]>} */
const FIRST = {
  not_started: VERIFY,
  unable_to_verify: VERIFY,
  expired: VERIFY,
  plan_changed: VERIFY,
  verified: ["authorization_confirmed", "authorization_required", "authorization_not_required"],
  to_submit: ["authorization_submitted"],
  submitted: ["authorization_approved", "authorization_denied", "information_asked"],
  more_info: ["information_sent"],
  denied: ["peer_to_peer_arranged", "appeal_filed", "external_review_requested"],
  appeal: ["peer_to_peer_ended", "authorization_approved", "appeal_lost", "external_review_lost"],
  agreement_open: ["agreement_started", "agreement_signed", "agreement_failed"],
  approved: ["cleared"],
};

/** After these, the payer has decided, and only a mistake asks again whether it must. */
const DECIDED = ["denied", "appeal", "approved", "cleared"];

/**
 * Arrange the moves that a reader can make: common ones in the order in which they are needed, and rare ones.
 *
 * @template {{move: string}} Move
 * @param {string} state
 * @param {Move[]} allowed
 * @returns {{common: Move[], rare: Move[]}}
 */
export function arrangeMoves(state, allowed) {
  const first = FIRST[state] ?? [];
  const seldom = DECIDED.includes(state) ? [...RARE, "authorization_required", "authorization_not_required"] : RARE;
  const isRare = ({ move }) => seldom.includes(move);
  const rank = ({ move }) => (first.includes(move) ? first.indexOf(move) : first.length);
  const common = allowed.filter((move) => !isRare(move)).sort((one, other) => rank(one) - rank(other));
  return { common, rare: allowed.filter(isRare) };
}
