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
    if (this.text() !== text) this.system.writeFileAtomic(this.file, text, { mode: 0o640 });
  }

  /** The apps whose packages are still on disk; none when there is no copy, or one that nobody can read. */
  read(): readonly DesiredApp[] {
    try {
      const apps = schema.parse(JSON.parse(this.text() ?? "[]"));
      return apps.filter(({ directory }) => existsSync(directory));
    } catch {
      // The database was lost, and so is the copy: there is nothing left to go by.
      return [];
    }
  }

  private text(): string | undefined {
    try {
      return readFileSync(this.file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }
}
