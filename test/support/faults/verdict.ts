import { join } from "node:path";
import { type JobRun, type JobSite, treeOf } from "./job-site.ts";
import type { Scenario } from "./scenarios.ts";

/** What a version's directory holds when it is whole, by version. */
export type WholeTrees = ReadonlyMap<string, readonly string[]>;

/** How a run with a fault came out: a word for the list, or what must not be. */
export type Verdict = { readonly outcome: string } | { readonly violation: string };

/** Trees of all versions, as a run without a fault leaves them. To be called at its end. */
export function wholeTrees(site: JobSite): WholeTrees {
  const trees = new Map<string, readonly string[]>();
  for (const version of [...site.scenario.before, "2"]) {
    for (const place of [join(site.directory, "template"), site.home]) {
      const tree = treeOf(join(place, "apps/meter", version));
      if (tree.length > 0) trees.set(version, tree);
    }
  }
  return trees;
}

/** At no moment, not even between the kill and the next start, is an app without a whole version that it runs from. */
export function registeredTrouble(site: JobSite, whole: WholeTrees): string | undefined {
  const { before, status } = site.scenario;
  const registered = site.registered();
  if (registered === undefined) {
    return before.length > 0 && status !== "removed" ? "no version is registered any more" : undefined;
  }
  const tree = treeOf(registered.directory);
  const expected = whole.get(registered.version) ?? [];
  const missing = expected.filter((entry) => !tree.includes(entry));
  if (missing.length === 0) return undefined;
  return `version ${registered.version} is registered and not whole: ${missing.slice(0, 3).join(", ")} missing`;
}

/** What holds once the pipeline has nothing left to do. */
function endTrouble(site: JobSite, run: JobRun, whole: WholeTrees): string | undefined {
  const { result } = run;
  if (run.end !== 0 || result === undefined) return `ended with ${run.end}: ${run.complaints.slice(-2_000)}`;
  if (result.unended !== 0) return `${result.unended} jobs have not ended`;
  if (result.reports.length !== 1)
    return `${result.reports.length} reports: ${JSON.stringify(result.reports)}`;
  return registeredTrouble(site, whole);
}

/** What is left of a job that nobody needs; it may be there until the next start where a disk refused its removal. */
function leftovers({ result }: JobRun): string | undefined {
  const staging = result?.versions.filter((name) => name.startsWith(".")) ?? [];
  const left = [...(result?.packages ?? []), ...staging];
  return left.length === 0 ? undefined : `left behind: ${left.join(", ")}`;
}

/** After a kill in `phase` and a restart: it ends as it would have, or, a one-off that had begun, as interrupted. */
export function judgeKill(site: JobSite, restart: JobRun, whole: WholeTrees, phase: string): Verdict {
  const trouble = endTrouble(site, restart, whole) ?? leftovers(restart);
  if (trouble !== undefined) return { violation: trouble };
  const { scenario } = site;
  const status = restart.result?.reports[0]?.status ?? "";
  const version = site.registered()?.version;
  if (scenario.isOneOff === true) {
    const times = site.runs().length;
    if (times > 1) return { violation: `the one-off ran ${times} times` };
    if (status === "interrupted" && phase === "installing") return { outcome: status };
  }
  if (status !== scenario.status || version !== scenario.finally) {
    return {
      violation: `${status} with version ${version ?? "none"}: ${restart.result?.reports[0]?.output}`,
    };
  }
  return { outcome: status };
}

/** After errors: it went on and ended as it would have, or it failed and says why; what ran before runs on. */
export function judgeError(site: JobSite, run: JobRun, whole: WholeTrees): Verdict {
  const trouble = endTrouble(site, run, whole);
  if (trouble !== undefined) return { violation: trouble };
  const report = run.result?.reports[0];
  const waited = (run.result?.stumbles ?? 0) > 0 ? ", after a pause" : "";
  if (report?.status === site.scenario.status) return { outcome: `${report.status}${waited}` };
  const { isOneOff = false } = site.scenario;
  // Its installer had started when the journal could not take what came of it.
  if (isOneOff && report?.status === "interrupted" && site.runs().length <= 1)
    return { outcome: "interrupted" };
  if (report?.status !== "failed" && report?.status !== "rolled-back") {
    return { violation: `reported as ${report?.status}: ${report?.output}` };
  }
  const reason = report.output.trim().split("\n").at(-1) ?? "";
  if (!/EIO|ENOSPC|EROFS|I\/O error|no space|read-only|disk/i.test(reason)) {
    return { violation: `${report.status} for no clear reason: ${reason}` };
  }
  const isBefore = sameVersion(site.scenario, site.registered()?.version);
  if (!isBefore)
    return { violation: `${report.status}, but version ${site.registered()?.version} is registered` };
  return { outcome: `${report.status}${waited}: ${reason.replace(/\/\S+\/home/g, "…")}` };
}

/** After the next start of an engine that had met errors: as after these, and all that they left is gone. */
export function judgeNextStart(site: JobSite, run: JobRun, whole: WholeTrees): Verdict {
  const left = leftovers(run);
  return left === undefined ? judgeError(site, run, whole) : { violation: left };
}

function sameVersion({ before, status }: Scenario, version: string | undefined): boolean {
  return version === before.at(-1) || (status === "removed" && version === undefined);
}
