import type { UrlProbeResult } from "../platform/http-probe.ts";
import type { ProcessIdentity, ProcessStateReader } from "../platform/process-table.ts";
import type { ProcessOutcome, RunProcessOptions } from "../platform/run-process.ts";
import type { SpawnDetachedOptions } from "../platform/spawn-detached.ts";

/** What supervision needs of the operating system; `platform/` has it all. */
export interface SupervisorSystem {
  bootId(): string;
  processStartTicks(pid: number): number | undefined;
  isSameProcessAlive(process: ProcessIdentity): boolean;
  /** To look again and again how a process is; undefined where it is dead. */
  openProcessState(process: ProcessIdentity): ProcessStateReader | undefined;
  writeFileAtomic(file: string, content: string, options: { readonly mode: number }): void;
  ensureDirectory(directory: string, mode: number): void;
  /** Removes a file or a tree; nothing there is fine. */
  removePath(path: string): void;
  /** Empties a file that has grown above `maxBytes`; nothing there is fine. */
  emptyFileAbove(file: string, maxBytes: number): void;
  /** @throws when another process holds it */
  acquireInstanceLock(file: string): { release(): void };
  spawnDetached(options: SpawnDetachedOptions): ProcessIdentity;
  /** In a process group of its own, with limits on time and output. Never rejects for what the program does. */
  runProcess(options: RunProcessOptions): Promise<ProcessOutcome>;
  /** Whether a URL answers GET with 2xx or 3xx in time. Never rejects. */
  probeUrl(
    url: string,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<UrlProbeResult>;
}
