import { parseSettings } from "./settings-entry.ts";
import { engineName, type Task, type Verb, verbOrder } from "./task.ts";
import { cutText } from "./text.ts";

/** One entry of a verb other than `install`: work to do, or the reason why there is none. */
export type TaskEntry =
  | { readonly kind: "task"; readonly task: Task; readonly name: string }
  | { readonly kind: "refused"; readonly verb: Verb; readonly name: string; readonly reason: string };

export interface ParsedTasks {
  readonly entries: readonly TaskEntry[];
  readonly problems: readonly string[];
}

/** An app's name, or a command's id: no longer than either. */
const maxNameLength = 120;
const defaultLogLines = 100;
const maxLogLines = 10_000;

export const taskVerbs: readonly Verb[] = verbOrder.filter((verb) => verb !== "install");

/** Reads the lists of all verbs but `install`. Never throws: what is wrong becomes part of the answer. */
export function parseTasks(command: Readonly<Record<string, unknown>>): ParsedTasks {
  const entries: TaskEntry[] = [];
  const problems: string[] = [];
  for (const verb of taskVerbs) {
    const list = command[verb];
    if (list === undefined) continue;
    if (verb === "configure") entries.push(parseConfigure(list));
    else if (Array.isArray(list)) entries.push(...list.map((entry) => parseEntry(verb, entry)));
    else problems.push(`"${verb}" must be a list: ignored`);
  }
  return { entries, problems };
}

function parseEntry(verb: Verb, entry: unknown): TaskEntry {
  if (verb === "logs") return parseLogs(entry);
  if (isName(entry)) return { kind: "task", task: { verb } as Task, name: entry };
  const what = verb === "cancel" ? "the name of an app or the id of a command" : "the name of an app";
  return { kind: "refused", verb, name: shown(entry), reason: `"${verb}" expects ${what}` };
}

/** One entry for all settings: they are in force together, or none is. */
function parseConfigure(value: unknown): TaskEntry {
  const parsed = parseSettings(value);
  return parsed.kind === "settings"
    ? { kind: "task", task: { verb: "configure", settings: parsed.settings }, name: engineName }
    : { kind: "refused", verb: "configure", name: engineName, reason: parsed.reason };
}

function parseLogs(entry: unknown): TaskEntry {
  const refused = (name: string, reason: string): TaskEntry => ({
    kind: "refused",
    verb: "logs",
    name,
    reason,
  });
  if (isName(entry)) {
    return { kind: "task", task: { verb: "logs", lines: defaultLogLines }, name: entry };
  }
  if (typeof entry !== "object" || entry === null || !("app" in entry) || !isName(entry.app)) {
    return refused(shown(entry), '"logs" expects {"app":"<app>","lines":N}');
  }
  const { app, lines = defaultLogLines, ...others } = entry as { app: string; lines?: unknown };
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) {
    return refused(app, `unknown key ${JSON.stringify(cutText(unknown, 50))}; known are "app" and "lines"`);
  }
  if (typeof lines !== "number" || !Number.isInteger(lines) || lines < 1 || lines > maxLogLines) {
    return refused(app, `"lines" must be a whole number from 1 to ${maxLogLines}`);
  }
  return { kind: "task", task: { verb: "logs", lines }, name: app };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= maxNameLength;
}

function shown(value: unknown): string {
  return cutText(typeof value === "string" ? value : (JSON.stringify(value) ?? ""), maxNameLength);
}
