import { createHash } from "node:crypto";
import type { Clock, Random } from "../../src/core/clock.ts";
import { parsePackageName } from "../../src/core/package-name.ts";
import type { ReportOutbox } from "../../src/core/reports.ts";
import { type DeviceApi, withRetry } from "../../src/device-client/index.ts";
import { parseCommand } from "../../src/ota/command.ts";
import type { Verb } from "../../src/ota/task.ts";
import type { TaskEntry } from "../../src/ota/task-entries.ts";

/** What `fetch_status` says of a verb that was carried out. */
const words: Readonly<Record<Verb, string>> = {
  install: "installed",
  remove: "removed",
  rollback: "rolled-back",
  start: "started",
  stop: "stopped",
  restart: "restarted",
  cancel: "cancelled",
  logs: "logs",
  configure: "configured",
};

export interface PretendedAppsParts {
  readonly api: DeviceApi;
  readonly outbox: ReportOutbox;
  readonly clock: Clock;
  readonly random: Random;
  /** Chance that an installation fails. */
  readonly failing: number;
  /** How long an installation takes on average, milliseconds. */
  readonly installMs: number;
  readonly stop: AbortSignal;
  readonly onFinished: () => void;
}

/**
 * The update pipeline with supervisor and disk left out: commands are read as the engine reads them, a package is looked
 * up and downloaded, "installing" it takes time and may fail.
 */
export class PretendedApps {
  readonly #parts: PretendedAppsParts;
  readonly #versions = new Map<string, string>();
  readonly #before = new Map<string, string>();
  readonly #uncleared = new Set<string>();
  #work: Promise<void> = Promise.resolve();

  constructor(parts: PretendedAppsParts) {
    this.#parts = parts;
  }

  /** App → version. */
  get versions(): ReadonlyMap<string, string> {
    return this.#versions;
  }

  accept({ text, serverTimestamp }: { readonly text: string; readonly serverTimestamp?: number }): {
    readonly key: string;
  } {
    const command = parseCommand(text);
    const id = command.kind === "command" ? command.id : undefined;
    const key =
      id ?? `${serverTimestamp ?? ""}-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
    if (this.#uncleared.has(key)) return { key };
    this.#uncleared.add(key);
    this.#work = this.#work.then(() => this.#perform(text, id ?? key)).catch(() => undefined);
    return { key };
  }

  acknowledgeCleared(key: string): void {
    this.#uncleared.delete(key);
  }

  acknowledgeEmpty(): void {
    this.#uncleared.clear();
  }

  async #perform(text: string, id: string): Promise<void> {
    const { outbox, onFinished } = this.#parts;
    const command = parseCommand(text);
    const apps: unknown[] = [];
    if (command.kind === "malformed") {
      outbox.put("fetch_status", JSON.stringify({ id, apps, error: command.problem }), id);
      return onFinished();
    }
    for (const entry of command.tasks) apps.push(this.#do(entry));
    for (const install of command.installs) {
      if (install.kind === "package") apps.push(await this.#install(install.package.file));
    }
    outbox.put("fetch_status", JSON.stringify({ id, apps }), id);
    onFinished();
  }

  #do(entry: TaskEntry): unknown {
    const { name } = entry;
    if (entry.kind === "refused") return { name, version: "", status: "failed", output: entry.reason };
    const { verb } = entry.task;
    const version = this.#versions.get(name) ?? "";
    if (verb === "remove") this.#versions.delete(name);
    if (verb === "rollback") {
      const before = this.#before.get(name);
      if (before === undefined)
        return { name, version, status: "failed", output: "no version before this one\n" };
      this.#versions.set(name, before);
      this.#before.delete(name);
    }
    return { name, version, status: words[verb], output: "" };
  }

  async #install(file: string): Promise<unknown> {
    const { api, clock, random, failing, installMs, stop } = this.#parts;
    const { app: name, version } = parsePackageName(file);
    const entry = { name, version, exit_code: 0, output: "", output_cut: 0 };
    try {
      // The pipeline has more patience still.
      const patient = withRetry(api, { attempts: 10 });
      await patient.contentInfo(file, { signal: stop });
      const download = await patient.download({ id: file }, { signal: stop });
      for await (const _ of download.body);
    } catch (error) {
      return { ...entry, status: "failed", output: error instanceof Error ? error.message : String(error) };
    }
    await clock.sleep(installMs * (0.5 + random()), stop);
    if (random() < failing) return { ...entry, status: "failed", exit_code: 1, output: "fated to fail\n" };
    const before = this.#versions.get(name);
    if (before !== undefined) this.#before.set(name, before);
    this.#versions.set(name, version);
    return { ...entry, status: "installed" };
  }
}
