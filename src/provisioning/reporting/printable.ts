/** Text from hosts and files as it may reach a terminal or a log: no control characters, no secrets. */

const mask = "********";
/** Shorter values would blank out half of every line, and protect nothing. */
const shortestSecret = 4;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
const escapes = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** Newlines and tabs stay; everything else that moves a cursor or hides text goes. What overwrote a line follows it. */
export const stripControls = (text: string): string =>
  text.replaceAll(/\r\n?/g, "\n").replace(escapes, "").replace(controls, "");

export type Masker = (text: string) => string;

/** Replaces every known secret, the longest first, also where it stands JSON-escaped. */
export function maskSecrets(secrets: Iterable<string>): Masker {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < shortestSecret) continue;
    forms.add(secret);
    forms.add(JSON.stringify(secret).slice(1, -1));
    for (const line of secret.split("\n"))
      if (line.trim().length >= shortestSecret * 2) forms.add(line.trim());
  }
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  if (ordered.length === 0) return (text) => text;
  return (text) => ordered.reduce((masked, form) => masked.replaceAll(form, mask), text);
}
