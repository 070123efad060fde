/** vars_prompt: asked once, before a play's first batch. vars_files are read with the scope (scopes.ts). */
import { randomInt } from "node:crypto";
import { ProvisionError } from "../../base/errors.ts";
import type { VarsPrompt } from "../playbook/model.ts";
import { shaCrypt } from "../vars/expressions/sha-crypt.ts";
import type { Variable } from "../vars/variable.ts";
import type { PlayState } from "./play-state.ts";
import type { RunHost } from "./run-host.ts";
import { dataVariable } from "./view.ts";

export async function askPlayVars(state: PlayState, first: RunHost): Promise<ReadonlyMap<string, Variable>> {
  const answers = new Map<string, Variable>();
  for (const prompt of state.play.varsPrompt) {
    if (state.run.request.extraVars.has(prompt.name)) continue;
    const answer = await answerTo(prompt, state, first);
    if (prompt.private && answer !== "") state.run.request.secrets?.add(answer);
    answers.set(prompt.name, dataVariable(encrypted(prompt, answer), "vars_prompt"));
  }
  return answers;
}

const saltCharacters = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** As many as Ansible takes. */
const rounds = { sha256: 535_000, sha512: 656_000 } as const;

function encrypted({ encrypt }: VarsPrompt, password: string): string {
  if (encrypt === undefined) return password;
  const { algorithm, saltSize } = encrypt;
  const random = (): string => saltCharacters[randomInt(saltCharacters.length)] ?? "";
  const salt = encrypt.salt ?? Array.from({ length: saltSize }, random).join("");
  return shaCrypt({ algorithm, password, salt, rounds: rounds[algorithm] });
}

const confirmTries = 3;

async function answerTo(prompt: VarsPrompt, state: PlayState, first: RunHost): Promise<string> {
  const { run } = state;
  const fallback = prompt.default === undefined ? undefined : state.hostView(first).text(prompt.default);
  if (run.request.prompt === undefined) return unasked(prompt, fallback, state);
  const shown = fallback === undefined || prompt.private ? prompt.prompt : `${prompt.prompt} [${fallback}]`;
  for (let attempt = 0; attempt < confirmTries; attempt++) {
    const given = await run.ask(`${shown}: `, prompt.private);
    const answer = given === "" && fallback !== undefined ? fallback : given;
    if (!prompt.confirm || (await run.ask(`${prompt.prompt} (again): `, prompt.private)) === given)
      return answer;
  }
  throw new ProvisionError({
    code: "bad-argument",
    action: `ask for "${prompt.name}"`,
    state: "the two answers differed each time",
    span: prompt.span,
  });
}

/** Ansible goes on with nothing where there is no default; here the question must be answered in advance. */
function unasked({ name, span }: VarsPrompt, fallback: string | undefined, { run }: PlayState): string {
  if (fallback === undefined) {
    throw new ProvisionError({
      code: "no-terminal",
      action: `ask for "${name}"`,
      state: "there is no terminal, and it has no default",
      span,
      why: "questions are only put to a person",
      fix: `-e ${name}=…`,
    });
  }
  run.emit({ type: "warning", message: `no terminal to ask for "${name}" on: its default is taken` });
  return fallback;
}
