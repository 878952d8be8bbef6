import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SystemCalls } from "../../src/telemetry/collectors/device-facts.ts";
import type { FilesystemCounts, MachineFiles } from "../../src/telemetry/collectors/machine-files.ts";

export interface RecordedMachine {
  readonly what: string;
  readonly files: MachineFiles;
  readonly calls: SystemCalls;
}

interface Recording {
  readonly what: string;
  readonly calls: Omit<SystemCalls, "addresses"> & { readonly addresses: readonly [string, string[]][] };
  readonly files: Readonly<Record<string, string>>;
  readonly directories: Readonly<Record<string, readonly string[]>>;
  readonly usage: Readonly<Record<string, FilesystemCounts>>;
}

/** One of `test/support/machines/`, as `record-machine.ts` wrote it. */
export function recordedMachine(name: string): RecordedMachine {
  const file = join(import.meta.dirname, "machines", `${name}.json`);
  const { what, calls, files, directories, usage } = JSON.parse(readFileSync(file, "utf8")) as Recording;
  return {
    what,
    calls: { ...calls, addresses: new Map(calls.addresses) },
    files: {
      read: async (path) => files[path],
      list: async (path) => directories[path] ?? [],
      usage: async (path) => usage[path],
    },
  };
}
