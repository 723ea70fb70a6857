// How the form fills in a referring provider whom the practice has used before. All functions are pure.

/**
 * @typedef {import("../platform/api_types.js").KnownProviderResponse} KnownProvider
 * @typedef {{name?: string, npi?: string | null, phone?: string | null, email?: string | null}} Provider
 */

/** @type {("npi" | "phone" | "email")[]} */
const CONTACT = ["npi", "phone", "email"];

/** What the list offers for a provider: the name, and also the NPI if two have one name. @param {KnownProvider} provider @param {KnownProvider[]} providers */
export const formatOption = (provider, providers) =>
  providers.filter(({ name }) => name === provider.name).length > 1
    ? `${provider.name}, NPI ${provider.npi ?? "not known"}`
    : provider.name;

/** The provider whom someone chose from the list, or typed in full. @param {KnownProvider[]} providers @param {string} text */
export const findChosen = (providers, text) =>
  providers.find((provider) => formatOption(provider, providers) === text.trim()) ?? null;

/** The provider whose NPI, phone and email the form shows. @param {KnownProvider[]} providers @param {Provider} entered */
export const findShown = (providers, entered) =>
  providers.find((provider) => CONTACT.every((name) => (provider[name] ?? "") === (entered[name] ?? ""))) ?? null;

/**
 * Fill in a provider. What the user typed stays; what came from another provider is replaced.
 *
 * @param {Provider} entered what the form shows
 * @param {KnownProvider} chosen
 * @param {KnownProvider | null} earlier the provider whose values the form shows
 * @returns {{provider: Provider, kept: string[]}} `kept` names what the user typed
 */
export function fillProvider(entered, chosen, earlier) {
  const typed = removeProvider(entered, earlier);
  const kept = CONTACT.filter((name) => typed[name] && typed[name] !== chosen[name]);
  const filled = Object.fromEntries(CONTACT.map((name) => [name, typed[name] || chosen[name] || undefined]));
  return { provider: { ...entered, ...filled, name: chosen.name }, kept };
}

/** Remove what came from a provider, so that it does not stay with another name. @param {Provider} entered @param {KnownProvider | null} earlier @returns {Provider} */
export function removeProvider(entered, earlier) {
  if (!earlier) return entered;
  const own = CONTACT.filter((name) => entered[name] && entered[name] === earlier[name]);
  return { ...entered, ...Object.fromEntries(own.map((name) => [name, undefined])) };
}
