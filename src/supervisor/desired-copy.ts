import { existsSync, readFileSync } from "node:fs";
import * as z from "zod/mini";
import { type DesiredApp, wantedFields } from "./desired-state.ts";
import type { SupervisorSystem } from "./system.ts";

const schema = z.array(
  z.object({
    ...wantedFields,
    installedAtMs: z.int(),
    wantedSinceMs: z.int(),
    processes: z._default(z.array(z.string()), []),
    stoppedProcesses: z._default(z.array(z.string()), []),
  }),
);

/**
 * A second copy of what is wanted, beside the database: when that is lost, what runs must not be taken for
 * something that nobody wants.
 */
export class DesiredCopy {
  private readonly file: string;
  private readonly system: Pick<SupervisorSystem, "writeFileAtomic">;

  constructor(file: string, system: Pick<SupervisorSystem, "writeFileAtomic">) {
    this.file = file;
    this.system = system;
  }

  /** Durable when it returns; a copy that says so already is left as it is. */
  save(apps: readonly DesiredApp[]): void {
    const text = `${JSON.stringify(apps, null, 1)}\n`;
    if (readText(this.file) !== text) this.system.writeFileAtomic(this.file, text, { mode: 0o640 });
  }

  /** The apps whose packages are still on disk; none when there is no copy, or one that nobody can read. */
  read(): readonly DesiredApp[] {
    try {
      return readDesiredCopy(this.file).filter(({ directory }) => existsSync(directory));
    } catch {
      // The database was lost, and so is the copy: there is nothing left to go by.
      return [];
    }
  }
}

/** @throws when it is no such copy, or not for this user */
export function readDesiredCopy(file: string): readonly DesiredApp[] {
  return schema.parse(JSON.parse(readText(file) ?? "[]"));
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
