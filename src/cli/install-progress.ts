import { setTimeout } from "node:timers/promises";
import type { JobStatus } from "../core/control-api.ts";
import type { PackageName } from "../core/package-name.ts";
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
const barColumns = 20;

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
  let last = "";
  while (!over.aborted) {
    const found = await Promise.race([jobs().catch(() => []), ended]);
    const progress = progressOf(found, packages);
    if (progress !== undefined && !over.aborted) {
      if (terminal.columns !== undefined) terminal.prompt(`\r\u001b[K${bar(progress, terminal.columns)}`);
      else if (progress.text !== last) terminal.note(progress.text);
      last = progress.text;
    }
    await setTimeout(pollMs, undefined, { signal: over }).catch(() => undefined);
  }
  if (terminal.columns !== undefined && last !== "") terminal.prompt("\r\u001b[K");
}

export interface Progress {
  /** From 0 to 1. */
  readonly part: number;
  readonly text: string;
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
  const part = (ended + Math.max(0, steps.indexOf(current.state)) / steps.length) / packages.length;
  const count = packages.length === 1 ? "" : ` (${ended + 1} of ${packages.length})`;
  const [first] = jobs;
  // Others may be before it: what they are at is what there is to see.
  const waits = first !== undefined && !isOurs(first) ? `, waiting for ${describe(first)}` : "";
  return { part, text: printable(`${describe(current)}${count}${waits}`) };
}

function describe(job: JobStatus): string {
  const bytes = jobProgress(job);
  return [job.app, `${job.version}:`, job.state, ...(bytes === "" ? [] : [bytes])].join(" ");
}

/** One line of a terminal, not longer than that. */
export function bar({ part, text }: Progress, columns: number): string {
  const filled = Math.round(barColumns * Math.min(1, part));
  const line = `[${"#".repeat(filled)}${"-".repeat(barColumns - filled)}] ${String(Math.floor(100 * part)).padStart(3)} %  ${text}`;
  // The last column stays free: filling it makes some terminals begin a new line.
  return line.slice(0, Math.max(0, columns - 1));
}
