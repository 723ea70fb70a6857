// Saves a form when the server refuses a part of it: the refused values are saved as they were typed.
import { addRefusedParts, listRefusals, separateUnfinished } from "./unfinished_document.js";

/** How often a save is sent: whole, without refused fields, without what they belong to, without whole sections. */
const MAX_TRIES = 5;

/**
 * @param {object} options
 * @param {any} options.typed the values of the form
 * @param {any} options.stored the values of the server
 * @param {string[]} options.parts what is known to be refused
 * @param {any[]} options.refusals why it is refused
 * @param {(accepted: any, unfinished: any[]) => any} options.buildBody null if there is nothing to save
 * @param {(body: any) => Promise<any>} options.send
 * @returns {Promise<{response: any, refusals: any[]}>} no response if the server has everything already
 */
export async function saveWithRefused({ typed, stored, parts, refusals, buildBody, send }) {
  let held = parts;
  let errors = refusals;
  for (let tries = 1; ; tries++) {
    const { accepted, unfinished } = separateUnfinished(typed, stored, held);
    const body = buildBody(accepted, unfinished);
    try {
      const response = body ? await send(body) : null;
      return { response, refusals: listRefusals(errors, held) };
    } catch (problem) {
      if (!problem.errors?.length || problem.status === 412 || tries === MAX_TRIES) throw problem;
      held = addRefusedParts(typed, held, problem.errors);
      errors = [...errors, ...problem.errors];
    }
  }
}
