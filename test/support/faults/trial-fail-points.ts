/**
 * Fail points of bin/trial.sh, which counts the starts of an engine on trial and goes back to the former version: at each
 * call by which it changes something on disk, everything is killed, or the disk says no.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { formatTrial } from "../../../src/core/engine-trial.ts";
import { type InstalledState, mostStarts } from "../../power/self-update/events.ts";
import { SmallInstallation } from "../../power/self-update/installation.ts";
import type { FailPoint, FaultKind } from "./fail-points.ts";
import { type Fault, FaultLayer, parseCall } from "./fault-layer.ts";
import type { Verdict } from "./verdict.ts";

/** Starts that were counted before the one with the fault; of the last the former version comes. */
const counted = [0, mostStarts - 1, mostStarts];

/** @returns one for each of those calls; none for a kind of fault that these are not met by */
export function runTrialFailPoints(kind: FaultKind): readonly FailPoint[] {
  const what = faultOf(kind);
  if (what === undefined) return [];
  using template = new Template();
  return counted.flatMap((starts) => {
    const { calls } = template.meet(starts, undefined);
    return calls.map((name, index) => {
      const { verdict } = template.meet(starts, { at: index + 1, what });
      return { scenario: "trial", n: index + 1, name: `start ${starts + 1}: ${name}`, verdict };
    });
  });
}

function faultOf(kind: FaultKind): Fault["what"] | undefined {
  switch (kind) {
    case "kill":
      // The shell and whatever it has started: the layer alone would end only the program that makes the call.
      return { kind: "run", command: "kill -9 0" };
    case "EIO":
    case "ENOSPC":
    case "EROFS":
      return { kind: "error", errno: kind };
    default:
      return undefined;
  }
}

/** Two versions of which the second is on trial, for each fail point anew. */
class Template implements Disposable {
  private readonly directory = mkdtempSync(join(tmpdir(), "gwe-trial-"));

  constructor() {
    using there = new SmallInstallation(join(this.directory, "template"), "never");
    there.activate();
    there.install(1);
    there.install(2);
  }

  meet(starts: number, fault: Fault | undefined): { calls: readonly string[]; verdict: Verdict } {
    const directory = join(this.directory, "site");
    execFileSync("cp", ["-a", join(this.directory, "template"), directory]);
    // What is killed here loses nothing that it has written.
    using there = new SmallInstallation(directory, "never");
    using layer = new FaultLayer(there.prefix, fault);
    try {
      writeFileSync(
        join(there.prefix, "trial"),
        formatTrial({ version: "0.2.0", previous: "0.1.0", starts }),
      );
      const { status, stdout } = spawnSync("setsid", [join(there.prefix, "current/bin/gwe")], {
        encoding: "utf8",
        env: { PATH: there.path, ...layer.environmentOf("trial") },
      });
      const calls = layer.trace().flatMap((line) => {
        const call = parseCall(line);
        return call === undefined ? [] : [`${call.call} ${call.path.replace(/\.\d+$/, ".PID")}`];
      });
      const isKilled = fault?.what.kind === "run";
      const ran = isKilled && status !== 0 ? undefined : stdout;
      return { calls, verdict: judge(there, starts, ran) };
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** @param ran what the start with the fault said; undefined where it was killed */
function judge(there: SmallInstallation, starts: number, ran: string | undefined): Verdict {
  const before: InstalledState = { current: 2, trial: { previous: 1, starts } };
  const after: InstalledState =
    starts < mostStarts
      ? { current: 2, trial: { previous: 1, starts: starts + 1 } }
      : { current: 1, trial: null };
  const found = there.state();
  if (![before, after].some((state) => isDeepStrictEqual(state, found))) {
    return { violation: `it is ${JSON.stringify(found)}` };
  }
  const expected = starts < mostStarts ? "0.2.0" : "0.1.0";
  if (ran !== undefined && ran !== expected) return { violation: `${JSON.stringify(ran)} was started` };
  const left = found.trial === null ? 0 : mostStarts - found.trial.starts;
  for (let start = 0; start <= mostStarts; start += 1) {
    const [is, due] = [there.start(), start < left ? 2 : 1];
    if (is !== due) return { violation: `start ${start + 1} after it was of version ${is}, not ${due}` };
  }
  there.install(3);
  const isWell = there.start() === 3 && there.damage(3) === undefined && there.leftovers().length === 0;
  if (!isWell) return { violation: `an update after it: ${there.damage(3) ?? there.leftovers().join()}` };
  const what = found.trial === null ? "went back" : `${found.trial.starts} starts counted`;
  return { outcome: ran === undefined ? `killed, ${what}` : `${ran} started, ${what}` };
}
