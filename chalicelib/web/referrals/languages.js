// The languages of the form. The API takes every well-formed language tag (BCP 47).

/** Languages that clinics in the US often meet; "ase" is American Sign Language. English and Spanish come first. */
const CODES =
  "en es es-419 ase am ar hy bn my yue zh-Hans zh-Hant zh hr cs nl fa fr fr-CA de el gu ht he hi hmn hu ig ilo it ja km kn ko lo ml mr nv ne pl pt pt-BR pa ro ru sm sr sk so sw tl ta te th ti tr uk ur vi yi yo";

/** For a language without a code of its own; the note says which one. */
const OTHER = "mis";

/** A language tag in words: "Latin American Spanish". @param {string | null | undefined} tag */
export function formatLanguage(tag) {
  if (tag === OTHER) return "Another language (see the note)";
  try {
    return tag && new Intl.DisplayNames("en", { type: "language" }).of(tag);
  } catch {
    return tag;
  }
}

/** The options of the form by name, with the current value if it is not one of them. @param {string} current */
export function listLanguageOptions(current) {
  const codes = CODES.split(" ");
  if (current && current !== OTHER && !codes.includes(current)) codes.push(current);
  const named = codes.slice(2).map((code) => [code, formatLanguage(code) || code]);
  named.sort((left, right) => left[1].localeCompare(right[1], "en"));
  const first = codes.slice(0, 2).map((code) => [code, formatLanguage(code)]);
  return [["", "Choose"], ...first, ...named, [OTHER, "Another language (name it in the note)"]];
}
