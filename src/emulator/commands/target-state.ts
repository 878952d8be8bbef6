import { isFailure } from "../fleet/facts.ts";
import type { FetchStatus } from "../fleet/fetch-status.ts";
import type { TargetState } from "../store/target-states.ts";

export interface StateChange {
  readonly state: TargetState;
  readonly detail: string;
}

export interface TargetFacts {
  readonly state: TargetState;
  /** The command as it was written. */
  readonly text: string;
  /** What `engine_fetch` holds now. */
  readonly fetch: string;
  /** The gateway's answer to this command; undefined while there is none. */
  readonly status: FetchStatus | undefined;
}

/** What has become of a command at one gateway; undefined: nothing new. */
export function nextTargetState(facts: TargetFacts): StateChange | undefined {
  const { state, status } = facts;
  if (state !== "waiting" && state !== "taken") return undefined;
  if (status) return outcome(status, facts.text);
  if (state === "taken" || facts.fetch === facts.text) return undefined;
  if (facts.fetch === "") return { state: "taken", detail: "" };
  return { state: "replaced", detail: "another command was written over it" };
}

function outcome({ apps, error }: FetchStatus, text: string): StateChange {
  const askedBack = rollbacksIn(text);
  const failed = apps.filter(
    ({ name, status }) => isFailure(status) && !(status === "rolled-back" && askedBack.has(name)),
  );
  const detail = (failed.length > 0 ? failed : apps)
    .map(({ name, version, status }) => [name, version, status].filter((part) => part !== "").join(" "))
    .join(", ");
  if (failed.length === 0) {
    return error === undefined ? { state: "succeeded", detail } : { state: "failed", detail: error };
  }
  const isBack = failed.every(({ status }) => status === "rolled-back");
  return { state: isBack ? "rolled-back" : "failed", detail: [detail, lastLine(failed)].join(": ") };
}

/** Why, in the engine's own words, which come last in the output. */
function lastLine(apps: FetchStatus["apps"]): string {
  return apps
    .map(({ output }) => output.trimEnd().split("\n").at(-1) ?? "")
    .join("; ")
    .slice(0, 300);
}

/** Apps that the command itself asks to roll back: there the word means success. */
function rollbacksIn(text: string): ReadonlySet<string> {
  const { rollback } = JSON.parse(text) as { rollback?: unknown };
  return new Set(Array.isArray(rollback) ? rollback.map(String) : []);
}
