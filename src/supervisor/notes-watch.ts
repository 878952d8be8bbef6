import { type FSWatcher, readdirSync, watch } from "node:fs";
import { join } from "node:path";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";

export interface NotesWatchOptions {
  /** `run/apps`: a directory for each process in it. */
  readonly root: string;
  /** A process' launcher has noted something, or its directory came or went; by the process' key. */
  readonly onNoted: (key: string) => void;
  readonly logger: Logger;
}

/** What launchers write; the engine itself writes the rest. */
const notes: readonly (string | null)[] = ["state", "launcher", "child"];

/**
 * Has the kernel tell when a launcher notes something. Costs nothing as long as none does. Where the kernel has no
 * watches left, `isWatching` is false, and somebody must look instead.
 */
export class NotesWatch {
  private readonly options: NotesWatchOptions;
  private readonly watchers = new Map<string, FSWatcher>();
  private rootWatcher: FSWatcher | undefined;
  private hasFailed = false;

  constructor(options: NotesWatchOptions) {
    this.options = options;
  }

  /** Whether whatever is noted from now on is told. */
  get isWatching(): boolean {
    return this.rootWatcher !== undefined && !this.hasFailed;
  }

  /** The root must be there. */
  start(): void {
    const { root, onNoted } = this.options;
    this.rootWatcher = this.follow(root, (name) => {
      // Made anew under the same name, it is another directory: the old watch sees nothing of it.
      this.leave(name);
      if (this.keys().includes(name)) this.enter(name);
      onNoted(name);
    });
    for (const key of this.keys()) this.enter(key);
  }

  stop(): void {
    this.rootWatcher?.close();
    this.rootWatcher = undefined;
    for (const key of [...this.watchers.keys()]) this.leave(key);
  }

  private enter(key: string): void {
    const watcher = this.follow(join(this.options.root, key), (file) => {
      if (notes.includes(file)) this.options.onNoted(key);
    });
    if (watcher !== undefined) this.watchers.set(key, watcher);
  }

  private leave(key: string): void {
    this.watchers.get(key)?.close();
    this.watchers.delete(key);
  }

  private follow(directory: string, onChange: (name: string) => void): FSWatcher | undefined {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        if (name !== null) onChange(name);
      });
      return watcher.on("error", (error) => this.fail(directory, error));
    } catch (error) {
      // Gone before it could be watched, which its own end in the root tells.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.fail(directory, error);
      return undefined;
    }
  }

  private fail(directory: string, error: unknown): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.options.logger.warn("launchers' notes can't be watched: they are looked at every few seconds", {
      directory,
      error: describeError(error),
    });
  }

  private keys(): readonly string[] {
    try {
      return readdirSync(this.options.root);
    } catch (error) {
      this.fail(this.options.root, error);
      return [];
    }
  }
}
