import { readFileSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fsyncDirectory, writeFileAtomic } from "./files.ts";
import { removePath } from "./remove-path.ts";
import { placeLink } from "./symbolic-link.ts";

/** Versions beside one another and a link to the one that is started, as install.sh places them. */
export class EngineInstallation {
  readonly prefix: string;
  /** Directory name of the version that this process runs from. */
  readonly running: string;

  private constructor(prefix: string, running: string) {
    this.prefix = prefix;
    this.running = running;
  }

  /** @param path of the program that runs; undefined where it lies in no such place, as in a checkout */
  static at(path: string): EngineInstallation | undefined {
    const versions = dirname(path);
    return basename(versions) === "versions"
      ? new EngineInstallation(dirname(versions), basename(path))
      : undefined;
  }

  /** The version that is started next; undefined where the link is not there or leads elsewhere. */
  current(): string | undefined {
    try {
      return /^versions\/([^/]+)$/.exec(readlinkSync(join(this.prefix, "current")))?.[1];
    } catch {
      return undefined;
    }
  }

  /** One step, durable when it returns. */
  makeCurrent(version: string): void {
    placeLink(`versions/${version}`, join(this.prefix, "current"));
  }

  program(version: string, command: string): string {
    return join(this.prefix, "versions", version, "bin", command);
  }

  /** Text of a file beside the versions; undefined where there is none. */
  read(name: string): string | undefined {
    try {
      return readFileSync(join(this.prefix, name), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  write(name: string, text: string): void {
    writeFileAtomic(join(this.prefix, name), text, { mode: 0o644 });
  }

  /** It stays away after a power cut. */
  remove(name: string): void {
    removePath(join(this.prefix, name));
    fsyncDirectory(this.prefix);
  }
}
