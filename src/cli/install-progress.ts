import { setTimeout } from "node:timers/promises";
import type { JobStatus } from "../core/control-api.ts";
import type { PackageName } from "../core/package-name.ts";
import { type Progress, ProgressLine } from "./progress-line.ts";
import { jobProgress } from "./status-text.ts";
import { printable, type Terminal } from "./terminal.ts";

export interface InstallProgressOptions {
  readonly terminal: Terminal;
  /** What the engine is at. A failure is no trouble: there is nothing to show then. */
  readonly jobs: () => Promise<readonly JobStatus[]>;
  /** What is being installed. */
  readonly packages: readonly Pick<PackageName, "app" | "version">[];
}

const pollMs = 250;

/** The states of an installation from a file, in their order; an installation has come so many of these steps far. */
const steps = ["queued", "verifying", "unpacking", "installing", "activating", "probation"];

/**
 * Shows on stderr how far an installation is until it has ended: a bar on a terminal, a line for each new state
 * elsewhere. Resolves or rejects as the installation does.
 */
export async function showProgress<T>(installation: Promise<T>, options: InstallProgressOptions): Promise<T> {
  const over = new AbortController();
  const shown = follow(options, over.signal);
  try {
    return await installation;
  } finally {
    over.abort();
    await shown;
  }
}

async function follow(
  { terminal, jobs, packages }: InstallProgressOptions,
  over: AbortSignal,
): Promise<void> {
  // An engine that is slow to tell its status must not keep back the result.
  const ended = new Promise<readonly JobStatus[]>((resolve) => {
    over.addEventListener("abort", () => resolve([]), { once: true });
  });
  // Elsewhere than on a terminal each new state is worth a line.
  const line = new ProgressLine({ terminal, nowMs: () => performance.now(), lineMs: 0 });
  while (!over.aborted) {
    const found = await Promise.race([jobs().catch(() => []), ended]);
    const progress = progressOf(found, packages);
    if (progress !== undefined && !over.aborted) line.show(progress);
    await setTimeout(pollMs, undefined, { signal: over }).catch(() => undefined);
  }
  line.clear();
}

/** How far the installation of these packages is; undefined when none of them is under way. */
export function progressOf(
  jobs: readonly JobStatus[],
  packages: InstallProgressOptions["packages"],
): Progress | undefined {
  const isOurs = (job: JobStatus): boolean =>
    packages.some(({ app, version }) => app === job.app && version === job.version);
  const ours = jobs.filter(isOurs);
  const [current] = ours;
  if (current === undefined) return undefined;
  const ended = Math.max(0, packages.length - ours.length);
  const share = (ended + Math.max(0, steps.indexOf(current.state)) / steps.length) / packages.length;
  const count = packages.length === 1 ? "" : ` (${ended + 1} of ${packages.length})`;
  const [first] = jobs;
  // Others may be before it: what they are at is what there is to see.
  const waits = first !== undefined && !isOurs(first) ? `, waiting for ${describe(first)}` : "";
  return { share, text: printable(`${describe(current)}${count}${waits}`) };
}

function describe(job: JobStatus): string {
  const bytes = jobProgress(job);
  return [job.app, `${job.version}:`, job.state, ...(bytes === "" ? [] : [bytes])].join(" ");
}
