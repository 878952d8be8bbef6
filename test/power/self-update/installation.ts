import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTrial } from "../../../src/core/engine-trial.ts";
import { EngineInstallation } from "../../../src/platform/engine-installation.ts";
import { RigError } from "../errors.ts";
import { Dice } from "../random.ts";
import type { InstalledState } from "./events.ts";

const repository = join(import.meta.dirname, "../../..");
/** Stands in for Node: prints the bundle that it is to run, which holds its version's number. */
const runtime = '#!/bin/sh\nfor word; do case $word in *.js) exec cat "$word" ;; esac; done\n';
const bundle = "dist/gwe.js";

export type Syncing = "of this disk alone" | "never";

/** Versions of an engine on a disk, placed by install.sh and started by bin/gwe as they are, with little in them. */
export class SmallInstallation implements Disposable {
  readonly prefix: string;
  private readonly etc: string;
  private readonly tools: string;

  /** @param syncing what `sync` does: of all disks of the machine it would take long */
  constructor(directory: string, syncing: Syncing) {
    this.prefix = join(directory, "opt");
    this.etc = join(directory, "etc");
    this.tools = mkdtempSync(join(tmpdir(), "gwe-self-update-"));
    const sync = syncing === "never" ? "exit 0" : `exec /bin/sync -f ${this.prefix}`;
    writeFileSync(join(this.tools, "sync"), `#!/bin/sh\n${sync}\n`, { mode: 0o755 });
  }

  /** Only an activated gateway has trials. */
  activate(): void {
    mkdirSync(this.etc, { recursive: true });
    writeFileSync(join(this.etc, "Gateway.cfg"), `[device]\ncik = ${"c".repeat(40)}\n`);
  }

  /** As install.sh does it, the program's part. */
  install(number: number): void {
    const release = join(this.tools, `release-${number}`);
    for (const [path, content] of Object.entries(filesOf(number))) {
      mkdirSync(join(release, "tree", path, ".."), { recursive: true });
      writeFileSync(join(release, "tree", path), content, {
        mode: /^(bin|runtime)\//.test(path) ? 0o755 : 0o644,
      });
    }
    const variables = {
      here: release,
      prefix: this.prefix,
      etc: this.etc,
      packaged: "",
      version: versionOf(number),
      node: join(release, "tree/runtime/bin/node"),
    };
    const settings = Object.entries(variables).map(([name, value]) => `${name}='${value}'`);
    this.run("sh", "-c", ["set -eu; umask 022", ...settings, functions(), "place_program"].join("\n"));
    rmSync(release, { recursive: true });
  }

  /** As whatever runs the engine does. @returns the number of the version that then runs */
  start(): number {
    return numberOf(this.run(join(this.prefix, "current/bin/gwe")));
  }

  /** By the code of the engine that is current; undefined where none is. */
  engine(): EngineInstallation | undefined {
    const current = this.current();
    return current === 0
      ? undefined
      : EngineInstallation.at(join(this.prefix, "versions", versionOf(current)));
  }

  state(): InstalledState {
    const current = this.current();
    const file = join(this.prefix, "trial");
    const trial = existsSync(file) ? parseTrial(readFileSync(file, "utf8")) : undefined;
    if (trial === undefined || trial.version !== versionOf(current)) return { current, trial: null };
    return { current, trial: { previous: numberOf(trial.previous), starts: trial.starts } };
  }

  /** What of a version is not as it was placed; undefined where all is. */
  damage(number: number): string | undefined {
    for (const [path, content] of Object.entries(filesOf(number))) {
      const file = join(this.prefix, "versions", versionOf(number), path);
      if (!existsSync(file)) return `${file} is not there`;
      if (readFileSync(file, "utf8") !== content) return `${file} is not what was placed`;
    }
    return undefined;
  }

  /** Names that a cut may have left, of files that were being written. */
  leftovers(): readonly string[] {
    return [this.prefix, join(this.prefix, "versions")].flatMap((directory) =>
      readdirSync(directory).filter((name) => name.startsWith(".")),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.tools, { recursive: true });
  }

  /** Where its scripts find their programs. */
  get path(): string {
    return `${this.tools}:/usr/bin:/bin`;
  }

  private current(): number {
    const link = join(this.prefix, "current");
    const isThere = lstatSync(link, { throwIfNoEntry: false }) !== undefined;
    return isThere ? numberOf(readlinkSync(link).replace(/^versions\//, "")) : 0;
  }

  private run(command: string, ...args: readonly string[]): string {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      encoding: "utf8",
      env: { PATH: this.path },
    });
    if (status === 0) return stdout;
    throw new RigError(`${command} ended with ${error?.message ?? status}: ${stderr}`);
  }
}

function versionOf(number: number): string {
  return `0.${number}.0`;
}

/** @throws RigError for what is no version */
function numberOf(version: string): number {
  const number = /^0\.(\d+)\.0$/.exec(version)?.[1];
  if (number === undefined) throw new RigError(`no version: ${JSON.stringify(version.slice(0, 60))}`);
  return Number(number);
}

/** Path → content; different in every version. */
function filesOf(number: number): Readonly<Record<string, string>> {
  const dice = new Dice("engine", number);
  const scripts = ["gwe", "trial.sh", "node-launcher.sh"].map(
    (name) => [`bin/${name}`, readFileSync(join(repository, "bin", name), "utf8")] as const,
  );
  const data = [200, 5_000, 30_000].map((length) => [`dist/data-${length}`, dice.text(length)] as const);
  return Object.fromEntries([
    ...scripts,
    ["runtime/bin/node", runtime],
    [bundle, versionOf(number)],
    ...data,
  ]);
}

/** Those of install.sh: one a line, or from its name to a brace at a line's start. */
function functions(): string {
  const text = readFileSync(join(repository, "packaging/install.sh"), "utf8");
  return (text.match(/^[a-z_]+\(\) \{(.*\}$|(?:.|\n)*?^\}$)/gm) ?? []).join("\n");
}
