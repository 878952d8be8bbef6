import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseJobState } from "../../../src/ota/schema.ts";
import type { OtaHarness } from "../../support/ota-harness.ts";
import { promised } from "../errors.ts";
import type { CutState, Scenario } from "../scenario.ts";
import { inEngineFetch, type OtaEvent } from "./events.ts";
import { app, command, damageOf } from "./packages.ts";
import { openPipeline } from "./pipeline.ts";

export const ota: Scenario<OtaEvent> = {
  name: "ota",
  promise:
    "updates: a command off engine_fetch is known and reported once; no version is half there; the resumed work ends well",
  load: join(import.meta.dirname, "load.ts"),
  control: "the journal with synchronous=NORMAL",
  weight: 2,
  check,
};

async function check({ directory, events }: CutState<OtaEvent>): Promise<void> {
  const last = Math.max(0, ...events.map(({ number }) => number));
  const harness = openPipeline(directory, last, last);
  try {
    checkAsFound(harness, events);
    harness.ota.start();
    const pending = inEngineFetch(events);
    if (pending === undefined) harness.ota.acknowledgeEmpty();
    else harness.ota.acknowledgeCleared(harness.ota.accept(command(pending)).key);
    await harness.ota.idle();
    checkResumed(harness, last);
  } finally {
    await harness.dispose();
  }
}

/** Before anything is resumed. */
function checkAsFound(harness: OtaHarness, events: readonly OtaEvent[]): void {
  const known = new Set(
    harness.db.prepare<[], number>("SELECT server_timestamp FROM ota_commands").pluck().all(),
  );
  const reports = reportCounts(harness);
  for (const { kind, number } of events) {
    if (kind === "sent") continue;
    promised(known.has(command(number).serverTimestamp), `command ${number}, ${kind}, is not in the journal`);
    if (kind === "reported") promised(reports.get(number) === 1, `command ${number} lost its report`);
  }
  // Older ones may be on their way out.
  const running = versionNumber(harness.host.installed(app)?.version);
  for (const name of harness.versionsOf(app)) {
    if (!name.startsWith(".") && versionNumber(name) >= running) requireWhole(harness, name);
  }
  for (const directory of directoriesInUse(harness)) requireWhole(harness, directory);
}

function checkResumed(harness: OtaHarness, last: number): void {
  promised(harness.ota.jobs().length === 0, "the resumed work does not come to an end");
  const reports = reportCounts(harness);
  for (let number = 1; number <= last; number += 1) {
    const count = reports.get(number) ?? 0;
    promised(count === 1, `command ${number} is reported ${count} times`);
  }
  for (const report of harness.reports()) {
    promised(report.apps[0]?.status === "installed", `a report says ${JSON.stringify(report.apps)}`);
  }
  if (last === 0) return;
  promised(harness.host.installed(app)?.version === String(last), `version ${last} is not the installed one`);
  const names = harness.versionsOf(app);
  promised(names.length <= 2, `superfluous directories stay: ${names.join(", ")}`);
  for (const name of names) requireWhole(harness, name);
  const packages = readdirSync(join(harness.home, "packages"));
  promised(packages.length === 0, `packages stay: ${packages.join(", ")}`);
}

/** Directories that the journal or supervision would run from. */
function directoriesInUse(harness: OtaHarness): readonly string[] {
  const states = harness.db.prepare<[], string>("SELECT state FROM ota_jobs WHERE ended = 0").pluck().all();
  const used = states.flatMap((text) => {
    const state = parseJobState(text);
    promised(state !== undefined, `a job's state is not one: ${text}`);
    return "app" in state ? [state.app.directory] : [];
  });
  const installed = harness.host.installed(app);
  return [...used, ...(installed === undefined ? [] : [installed.directory])].map((directory) =>
    directory.slice(join(harness.apps, app).length + 1),
  );
}

function requireWhole(harness: OtaHarness, name: string): void {
  const damage = damageOf(join(harness.apps, app, name), versionNumber(name));
  promised(damage === undefined, `apps/${app}/${name} is not whole: ${damage}`);
}

/** How often each command was reported. */
function reportCounts(harness: OtaHarness): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { id } of harness.reports()) {
    const number = Number(id) - command(0).serverTimestamp;
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return counts;
}

/** `7~2` is a second directory of version 7. */
function versionNumber(version: string | undefined): number {
  return version === undefined ? 0 : Number.parseInt(version, 10);
}
