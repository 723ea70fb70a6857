// Discards a draft: nothing saves it again, and what the server has of it is withdrawn.
import { ApiProblem } from "../platform/http.js";
import { getNowAfter } from "../platform/timestamps.js";
import { closeDraft, renameDraft } from "./draft.js";
import { getReferral } from "./referrals_api.js";

/**
 * A save that is under way, or whose response was lost, may have created the draft on the server.
 *
 * @throws {ApiProblem} if the server may still have the draft. Then it stays in the form.
 */
export async function discardDraft(draft) {
  if (draft.busy.value) return false;
  draft.busy.value = draft.isDiscarded = true;
  try {
    await draft.autosave.value;
    await findLostDraft(draft);
    if (draft.id) await withdraw(draft);
  } catch (problem) {
    draft.isDiscarded = false;
    throw problem;
  } finally {
    draft.busy.value = false;
  }
  closeDraft(draft);
  return true;
}

/** If the response of the first save was lost, repeat that save. It returns the draft that it created. */
async function findLostDraft(draft) {
  const lost = draft.creation.unresolved;
  if (draft.id || !lost) return;
  try {
    const { data, etag } = await draft.creation.run(lost.body);
    draft.adopt(data, etag, lost.body);
    renameDraft(draft);
  } catch (problem) {
    // A refused request has created nothing.
    if (draft.creation.unresolved) throw problem;
  }
}

async function withdraw(draft) {
  const { data } = await getReferral(draft.id);
  if (data.submitted_at)
    throw new ApiProblem(409, {
      detail: "Someone submitted this referral, so it was not discarded. Open it to withdraw it.",
    });
  // A colleague, or an earlier try whose response was lost, has already closed it.
  if (data.phase === "closed") return;
  await draft.withdrawal.run({
    type: "stage.changed",
    occurred_at: getNowAfter(data.stage_since),
    data: { stage: "withdrawn", reason_code: "draft_discarded" },
  });
}
