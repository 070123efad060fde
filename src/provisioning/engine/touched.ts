/** What the steps of a batch change so far, by path: which questions are still answered as they were, and how else. */
import { createHash } from "node:crypto";
import type { Answer, PathStat, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";

type PathQuestion = Extract<Question, { of: "path" }>;

/** What must have one name only, for the batch to be what it seems. */
export interface Places {
  readonly folders: readonly string[];
  /** None of them may be a link. */
  readonly followed: readonly string[];
}

export class Touched {
  readonly #paths = new Set<string>();
  /** All folders above them. */
  readonly #above = new Set<string>();
  readonly #folders = new Set<string>();
  /** What was looked at only through links that may stand there. */
  readonly #followed = new Set<string>();
  /** Files that were there and of which nothing but the content changes. */
  readonly #contents = new Map<string, Uint8Array>();

  /** False: it cannot be told what these steps change. */
  add(steps: readonly Step[]): boolean {
    for (const step of steps) {
      const paths = step.do === "write" ? [step.path] : step.do === "run" ? step.touches : undefined;
      if (paths === undefined || !paths.every(isClear)) return false;
      for (const path of paths) {
        this.#paths.add(path);
        this.#contents.delete(path);
        const [nearest = "/", ...others] = foldersAbove(path);
        this.#folders.add(nearest);
        for (const folder of [nearest, ...others]) this.#above.add(folder);
      }
    }
    return true;
  }

  /** As `add`, for a step that leaves a file's attributes as they are: its content is known from now on. */
  addContent(path: string, bytes: Uint8Array): void {
    this.#contents.set(path, bytes);
  }

  /** How many bytes of content later items could build upon. */
  knowsContentOf(path: string): boolean {
    return this.#contents.has(path);
  }

  /** The answer as it will be after all steps so far. Undefined: that cannot be told. */
  foresee(question: PathQuestion, answer: Answer, all: readonly Question[]): Answer | undefined {
    if (answer.of !== "path" || !question.path.startsWith("/")) return undefined;
    const { stat } = answer.value;
    const { path } = question;
    // A second name of a file would show what is done to the first; a link may lead anywhere.
    if (stat.exists && (stat.type === "link" || (stat.type === "file" && stat.nlink > 1))) return undefined;
    if (foldersAbove(path).some((folder) => this.#paths.has(folder))) return undefined;
    const bytes = this.#contents.get(path);
    if (bytes !== undefined) return withContent(answer, bytes);
    if (this.#paths.has(path)) return undefined;
    // What is made in a folder changes its times and size, which matters only to who asks for the folder's own sake.
    return this.#above.has(path) && !isOnTheWay(question, answer, all) ? undefined : answer;
  }

  /** What was asked about has a folder too, which must not be another name of a changed one. */
  note(questions: readonly Question[]): void {
    const itself = new Set<string>();
    for (const question of questions) {
      if (question.of !== "path") continue;
      this.#folders.add(foldersAbove(question.path)[0] ?? "/");
      if (question.follow !== true) itself.add(question.path);
    }
    for (const question of questions)
      if (question.of === "path" && !itself.has(question.path)) this.#followed.add(question.path);
  }

  places(): Places {
    return { folders: [...this.#folders], followed: [...this.#followed] };
  }
}

/** Absolute, and each part a name. */
const isClear = (path: string): boolean => /^\/[^\n]*[^/\n]$/.test(path) && !/\/\.{0,2}(\/|$)/.test(path);

const isOnTheWay = ({ path, want }: PathQuestion, answer: Answer, all: readonly Question[]): boolean =>
  answer.of === "path" &&
  answer.value.stat.exists &&
  answer.value.stat.type === "directory" &&
  want.every((each) => each === "stat") &&
  all.some((other) => other.of === "path" && other.path.startsWith(`${path}/`));

function withContent(answer: Extract<Answer, { of: "path" }>, bytes: Uint8Array): Answer | undefined {
  const { stat, sha256, content, contentTooLarge } = answer.value;
  if (!stat.exists || contentTooLarge === true) return undefined;
  return {
    of: "path",
    value: {
      ...answer.value,
      stat: { ...stat, size: bytes.length },
      ...(sha256 === undefined ? {} : { sha256: createHash("sha256").update(bytes).digest("hex") }),
      ...(content === undefined ? {} : { content: bytes }),
    },
  };
}

/** Nothing but the content of a file that is there becomes another. */
export function changesContentOnly(step: Step, stat: PathStat): boolean {
  if (step.do !== "write" || stat.type !== "file") return false;
  const { owner, group, mode, validate, backup } = step;
  const isOwner = owner === undefined || owner === stat.owner || owner === String(stat.uid);
  const isGroup = group === undefined || group === stat.group || group === String(stat.gid);
  const isMode = mode === undefined || Number.parseInt(mode, 8) === stat.mode;
  return isOwner && isGroup && isMode && validate === undefined && backup !== true;
}

/** The folders above a path, the nearest first. */
function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at >= 0; at = at === 0 ? -1 : path.lastIndexOf("/", at - 1))
    folders.push(path.slice(0, at) || "/");
  return folders;
}
