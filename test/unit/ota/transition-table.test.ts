import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { maxTrialResumes } from "../../../src/ota/settings-trial.ts";
import {
  type Fallback,
  type JobEvent,
  type JobState,
  maxInstallerStarts,
  maxProbationResumes,
  noResult,
  transition,
  type UnpackedApp,
} from "../../../src/ota/state-machine.ts";

const app: UnpackedApp = { directory: "/apps/meter/2", kind: "long-running", installer: "install.sh" };
const kept = { version: "1", directory: "/apps/meter/1", kind: app.kind, installer: app.installer };
const process = { pid: 42, startTicks: 7, bootId: "boot" };
const result = noResult;
const before = { probation: "" };
const after = { probation: "60" };
const fallbacks: readonly Fallback[] = [
  { kind: "version", version: kept },
  { kind: "none" },
  { kind: "unknown" },
];

/** Every state, in all the variants that make a difference. */
const states: readonly JobState[] = [
  { phase: "received" },
  { phase: "queued" },
  { phase: "downloading" },
  { phase: "verifying", sizeBytes: 1, sha256: null },
  { phase: "verifying", sizeBytes: null, sha256: null },
  { phase: "unpacking", sizeBytes: 1 },
  { phase: "unpacking", sizeBytes: null },
  ...fallbacks.flatMap((fallback): JobState[] => [
    { phase: "installing", app, fallback, process: null, starts: 0 },
    { phase: "installing", app, fallback, process, starts: maxInstallerStarts },
    { phase: "installing", app: { ...app, kind: "one-off" }, fallback, process, starts: 1 },
    { phase: "activating", app, fallback, result },
    { phase: "probation", app, fallback, result, process, resumes: 0 },
    { phase: "probation", app, fallback, result, process, resumes: maxProbationResumes },
  ]),
  { phase: "rolling-back", to: kept, deployed: true, note: "", result, process },
  { phase: "rolling-back", to: null, deployed: true, note: "", result, process },
  { phase: "performing", process },
  { phase: "trying", before, after, waitedMs: 0, resumes: 0 },
  { phase: "trying", before, after, waitedMs: 0, resumes: maxTrialResumes },
  { phase: "restoring", before, after, note: "" },
];

const events: readonly JobEvent[] = [
  { type: "released" },
  { type: "begun", source: "content" },
  { type: "begun", source: "file" },
  { type: "begun", source: "task" },
  { type: "downloaded", sizeBytes: 1, sha256: null },
  { type: "package-lost" },
  { type: "verified" },
  { type: "unpacked", app, fallback: { kind: "none" } },
  { type: "script-started", process },
  { type: "installed", result },
  { type: "activated", note: "", probation: true },
  { type: "activated", note: "", probation: false },
  { type: "proved", note: "" },
  { type: "went-back", note: "" },
  { type: "performed", note: "", result },
  { type: "rollback-chosen", to: kept, note: "" },
  { type: "rolled-back", note: "", result },
  { type: "settings-noted", before, after },
  { type: "waited", waitedMs: 1 },
  { type: "cancelled", note: "" },
  { type: "failed", note: "", result },
  { type: "adopted" },
  { type: "resumed" },
];

/** Event → state → the states that it may lead to, in the order of the alphabet. */
function actualTable(): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const cells = new Map<string, Map<string, Set<string>>>();
  for (const event of events) {
    const row = cells.get(event.type) ?? new Map<string, Set<string>>();
    cells.set(event.type, row);
    for (const state of states) {
      const cell = row.get(state.phase) ?? new Set<string>();
      row.set(state.phase, cell);
      const before = { state, transitions: 0 };
      const after = transition(before, event);
      if (after !== before) cell.add(after.state.phase);
    }
  }
  const asText = (row: ReadonlyMap<string, ReadonlySet<string>>): Record<string, string> =>
    Object.fromEntries([...row].map(([phase, next]) => [phase, [...next].sort().join(", ")]));
  return Object.fromEntries([...cells].map(([type, row]) => [type, asText(row)]));
}

function documentedTable(): Record<string, Record<string, string>> {
  const text = readFileSync(join(import.meta.dirname, "../../../docs/ota.md"), "utf8");
  const lines = text.split("\n");
  const start = lines.findIndex((line) => /^\| event +\|/.test(line));
  const cellsOf = (line: string): string[] =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const [, ...phases] = cellsOf(lines[start] ?? "");
  const table: Record<string, Record<string, string>> = {};
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    const [event = "", ...next] = cellsOf(line);
    table[event] = Object.fromEntries(phases.map((phase, column) => [phase, next[column] ?? ""]));
  }
  return table;
}

it("the table of states and events in docs/ota.md is the one that the code follows", () => {
  expect(documentedTable()).toEqual(actualTable());
});
