import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TakeOverContext } from "../../../src/cli/take-over/run-take-over.ts";
import type { ServiceSystem } from "../../../src/cli/take-over/service-system.ts";
import { type TakeOver, TakeOverJournal } from "../../../src/cli/take-over/state.ts";
import { enable, machinePlaces, takeOverUnit } from "../../../src/cli/take-over/steps.ts";
import { readCik } from "../../../src/config/index.ts";
import { type Paths, pathsUnder } from "../../../src/core/paths.ts";
import { writeFileAtomic } from "../../../src/platform/files.ts";
import { placeLink } from "../../../src/platform/symbolic-link.ts";
import { Dice } from "../random.ts";

const engineUnit = "gateway-engine.service";
const supervisorUnit = "supervisor.service";
const units = [engineUnit, "gateway-engine-pm2.service", "gateway-engine-apps.service", takeOverUnit];
const commands = ["gwe", "gdc", "gmq", "supervisorctl"];

/** What a file holds: the same for the load and for those who look. */
function textOf(path: string): string {
  return new Dice("file", path).text(300 + 40 * path.length);
}

/** A gateway with an original engine on a disk, and as much of systemd and supervisord as a take-over meets. */
export class Machine {
  readonly paths: Paths;
  readonly journal: TakeOverJournal;
  private readonly root: string;
  /** The original's files that are moved away, path → mode. */
  private readonly files: Readonly<Record<string, number>>;
  private readonly originalCfg: string;
  private readonly prefix: string;

  constructor(root: string) {
    this.root = root;
    this.paths = pathsUnder(join(root, "engine"));
    this.journal = new TakeOverJournal(this.paths);
    this.prefix = join(root, "opt/gateway-engine");
    this.originalCfg = join(root, "usr/lib/GatewayEngine/Gateway.cfg");
    this.files = Object.fromEntries([
      ...["gwe", "counter", "idle"].map((name) => [join(root, `etc/supervisor/conf.d/${name}.conf`), 0o644]),
      ...["gwe", "gdc"].map((name) => [join(root, `usr/local/bin/${name}`), 0o755]),
    ]);
  }

  /** As the factory left it. */
  placeOriginal(): void {
    for (const [path, mode] of Object.entries(this.files)) this.place(path, textOf(path), mode);
    this.place(this.originalCfg, `[device]\ncik = ${cikOf(0)}\n`, 0o640);
    placeLink(`/lib/systemd/system/${supervisorUnit}`, this.wants(supervisorUnit));
  }

  /** What `install.sh --beside` and `gwe import` place; this engine then activates anew. */
  placeEngine(number: number): void {
    for (const path of this.programFiles()) this.place(path, textOf(path), 0o755);
    placeLink("versions/1", join(this.prefix, "current"));
    for (const unit of units) this.place(this.unit(unit), textOf(unit), 0o644);
    this.place(this.paths.gatewayCfg, `[device]\ncik = ${cikOf(number)}\n`, 0o640);
  }

  /** The take-over from its beginning; it has no time to wait for a check-in. */
  async prepare(context: TakeOverContext): Promise<void> {
    context.journal.save({
      phase: "prepared",
      trialMs: 0,
      limitMs: 0,
      delayS: 0,
      supervisorctl: "supervisorctl",
      supervisorUnit,
      files: Object.keys(this.files),
      originalCfg: this.originalCfg,
      apps: ["counter", "idle"],
      formerStates: null,
      reason: "",
    });
    await enable(takeOverUnit, context);
  }

  async restore(context: TakeOverContext, state: TakeOver): Promise<void> {
    await enable(takeOverUnit, context);
    context.journal.save({ ...state, phase: "restoring", reason: "asked for" });
  }

  /** @param checksIn whether the new engine gets a check-in through */
  context(checksIn: () => boolean, journal = this.journal): TakeOverContext {
    return {
      paths: this.paths,
      journal,
      prefix: this.prefix,
      places: machinePlaces(this.root),
      services: this.services,
      sleep: async () => undefined,
      engine: async () => ({ hasCheckedIn: checksIn(), trouble: null, appsMissing: [] }),
      tell: async () => undefined,
      say: () => undefined,
    };
  }

  /** Why the original would not come up as it was; undefined when it would. */
  originalTrouble(): string | undefined {
    const damaged = Object.keys(this.files).map((path) => this.damage(path, path));
    const isEnabled = this.isEnabled(supervisorUnit) || `${supervisorUnit} is not enabled`;
    const cik = cikIn(this.originalCfg) === undefined ? `${this.originalCfg} has no CIK` : undefined;
    return [...damaged, isEnabled === true ? undefined : isEnabled, cik].find((one) => one !== undefined);
  }

  /** Of what is moved to and fro: each is whole in one of the two places. */
  keptTrouble(): string | undefined {
    for (const path of Object.keys(this.files)) {
      const [here, kept] = [this.damage(path, path), this.damage(this.journal.kept(path), path)];
      if (here !== undefined && kept !== undefined) return `${here}; ${kept}`;
    }
    return undefined;
  }

  /** Why the unit that goes on with a take-over would not. */
  takeOverTrouble(): string | undefined {
    return this.unitTrouble(takeOverUnit);
  }

  /** Why the new engine would not come up, or not be found by its commands. */
  engineTrouble(): string | undefined {
    for (const name of commands) {
      const path = join(machinePlaces(this.root).links, name);
      if (linkAt(path) !== join(this.prefix, "current/bin", name)) return `${path} is not the new engine's`;
    }
    return this.unitTrouble(engineUnit);
  }

  /** What of the new engine stays where the original is back. */
  leftBehind(): string | undefined {
    const links = commands.map((name) => join(machinePlaces(this.root).links, name));
    return [
      ...links.filter((path) => linkAt(path) !== undefined),
      ...[this.prefix, this.paths.libDir, this.paths.etcDir].filter((path) => existsSync(path)),
      ...units.map((unit) => this.wants(unit)).filter((path) => linkAt(path) !== undefined),
    ][0];
  }

  /** @returns whose take-over the original's CIK is from; undefined for none */
  originalCik(): string | undefined {
    return cikIn(this.originalCfg);
  }

  private readonly services: ServiceSystem = {
    // As the real one: links, and no sync.
    systemctl: async (verb, ...args) => {
      const unit = args.at(-1) ?? "";
      if (verb === "disable") rmSync(this.wants(unit), { force: true });
      if (verb === "enable" && !this.isEnabled(unit)) {
        mkdirSync(dirname(this.wants(unit)), { recursive: true });
        symlinkSync(this.unit(unit), this.wants(unit));
      }
      return "";
    },
    supervisord: () => ({
      states: async () => ({ counter: "RUNNING", idle: "STOPPED" }),
      update: async () => undefined,
      start: async () => undefined,
      stop: async () => undefined,
    }),
  };

  private unitTrouble(unit: string): string | undefined {
    if (!this.isEnabled(unit)) return `${unit} is not enabled`;
    if (linkAt(join(this.prefix, "current")) !== "versions/1") return "there is no current version";
    const files = [this.unit(unit), ...this.programFiles()];
    return files.map((path) => this.damage(path, path === this.unit(unit) ? unit : path)).find(Boolean);
  }

  private programFiles(): readonly string[] {
    return commands.map((name) => join(this.prefix, "versions/1/bin", name));
  }

  private damage(path: string, name: string): string | undefined {
    if (!existsSync(path)) return `${path} is not there`;
    if (readFileSync(path, "utf8") !== textOf(name)) return `${path} is not what it was`;
    const mode = this.files[name];
    const is = lstatSync(path).mode & 0o7777;
    return mode === undefined || is === mode ? undefined : `${path} has mode ${is.toString(8)}`;
  }

  private isEnabled(unit: string): boolean {
    return linkAt(this.wants(unit)) !== undefined;
  }

  private unit(unit: string): string {
    return join(machinePlaces(this.root).units, unit);
  }

  private wants(unit: string): string {
    return join(machinePlaces(this.root).wants, unit);
  }

  private place(path: string, text: string, mode: number): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileAtomic(path, text, { mode, enforceMode: true });
  }
}

/** A CIK for each take-over: 40 letters and digits. */
export function cikOf(number: number): string {
  return new Dice("cik", number).text(40);
}

function cikIn(file: string): string | undefined {
  return existsSync(file) ? readCik(file) : undefined;
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
