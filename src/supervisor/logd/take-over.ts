import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { type BootProcess, parseIdentity, renderIdentity } from "../launcher/boot-process.ts";

export interface TakeOverDependencies {
  readonly bootId: string;
  readonly startTicks: (pid: number) => number | undefined;
}

const patienceMs = 5_000;
const pollMs = 10;

/** Whether the process that a file names lives. */
export function isAlive(file: string, { bootId, startTicks }: TakeOverDependencies): boolean {
  const named = readIdentity(file);
  return named !== undefined && named.bootId === bootId && startTicks(named.pid) === named.startTicks;
}

/**
 * Becomes the log daemon that the file names. One that lives is asked to end first, and ended if it doesn't: two that
 * read the same FIFO would each get a part.
 */
export async function takeOver(file: string, deps: TakeOverDependencies): Promise<void> {
  const former = readIdentity(file);
  if (former !== undefined && isAlive(file, deps)) {
    process.kill(former.pid, "SIGTERM");
    for (let waitedMs = 0; isAlive(file, deps); waitedMs += pollMs) {
      if (waitedMs >= patienceMs) process.kill(former.pid, "SIGKILL");
      await setTimeout(pollMs);
    }
  }
  const startTicks = deps.startTicks(process.pid) ?? 0;
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, renderIdentity({ pid: process.pid, startTicks, bootId: deps.bootId }), {
    mode: 0o600,
  });
  renameSync(temporary, file);
}

function readIdentity(file: string): BootProcess | undefined {
  try {
    return parseIdentity(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
