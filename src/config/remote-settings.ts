import { existsSync, readFileSync } from "node:fs";
import { isCik, unquoteEmpty } from "../core/cik.ts";
import { describeError } from "../core/errors.ts";
import { type IniDocument, IniValueError } from "../core/ini.ts";
import { readCik } from "./cik-store.ts";
import type { ConfigSection } from "./config-store.ts";
import { ConfigError, type ConfigFault } from "./errors.ts";
import { type ConfigFilesDependencies, type ConfigIo, changeConfigFile, readConfigFile } from "./files.ts";
import { configIn, loadConfig } from "./load.ts";
import { cikOption, deviceOptions, engineOptions } from "./options.ts";
import type { Config } from "./types.ts";

/**
 * What may be set from afar. Not who the gateway is and what it trusts: whoever gets hold of a Murano account must not
 * be able to switch signatures off, nor to say where the engine's own code comes from.
 */
const sectionOf: ReadonlyMap<string, ConfigSection> = new Map([
  ...(["serverUrl", "activationRetryIntervalS"] as const).map(
    (name) => [deviceOptions[name].key, "device"] as const,
  ),
  ...(
    [
      "updateIntervalS",
      "checkIn",
      "logLevel",
      "userAgent",
      "installerTimeoutS",
      "installerOutputKib",
      "fetchStatusFormat",
      "probationS",
      "keptVersions",
      "keptVersionsMib",
      "diskReserveMib",
      "downloadBytesPerSecond",
    ] as const
  ).map((name) => [engineOptions[name].key, "engine"] as const),
]);

const serverUrlKey = deviceOptions.serverUrl.key;

/** Settings by their keys, as they stand in the files; the empty text for one that is not set. */
type Texts = Readonly<Record<string, string>>;

export interface RemoteSettingsDependencies extends ConfigFilesDependencies {
  readonly io: ConfigIo & { readonly removePath: (path: string) => void };
  /** What the engine works by. */
  readonly running: Config;
}

/**
 * The settings of a running engine that may be changed from afar, with what their return needs: a server that was a
 * mistake may have given the gateway another CIK, so the one before is kept beside `Gateway.cfg` until the change has
 * proved itself.
 */
export class RemoteSettings {
  private readonly dependencies: RemoteSettingsDependencies;
  /** What the running engine was started with. */
  private readonly atStart: Texts;

  /** To be constructed when the engine reads its configuration. */
  constructor(dependencies: RemoteSettingsDependencies) {
    this.dependencies = dependencies;
    this.atStart = this.current([...sectionOf.keys()]);
  }

  /** What speaks against setting these, by key, with what is allowed; none when they may be set. */
  faultsOf(settings: Texts): readonly string[] {
    const unknown = Object.keys(settings).filter((key) => !sectionOf.has(key));
    const faults = unknown.map(
      (key) =>
        `${JSON.stringify(key.slice(0, 50))} cannot be set from afar; these can: ${[...sectionOf.keys()].join(", ")}`,
    );
    const known = Object.entries(settings).filter(([key]) => sectionOf.has(key));
    return [...faults, ...this.faultsOfValues(Object.fromEntries(known)), ...this.exposureBy(settings)];
  }

  /** As the files have them now. */
  current(keys: readonly string[]): Texts {
    const documents = this.documents();
    return Object.fromEntries(
      keys.map((key) => {
        const section = sectionOf.get(key);
        return [key, section === undefined ? "" : textIn(documents[section], section, key)];
      }),
    );
  }

  /**
   * Writes the new texts where the files still say the old ones; what somebody changed meanwhile stays. Each file is
   * replaced at most once, so a crash may come between the two: to be repeated then.
   * @throws ConfigError, ConfigAccessError when a file cannot be written
   */
  apply(before: Texts, after: Texts): void {
    if (serverUrlKey in after && after[serverUrlKey] !== before[serverUrlKey]) this.keepCik();
    this.replace(before, after, undefined);
  }

  /** The same the other way round, with the CIK that belongs to the old server. */
  putBack(before: Texts, after: Texts): void {
    this.replace(after, before, this.keptCik());
  }

  /** The change is settled: the CIK from before it is not needed any more. */
  forgetOld(): void {
    this.dependencies.io.removePath(this.cikFile);
  }

  areInForce(keys: readonly string[]): boolean {
    const now = this.current(keys);
    return keys.every((key) => now[key] === this.atStart[key]);
  }

  /** Why an engine could not start with the files as they are; undefined when it could. */
  startFault(): string | undefined {
    try {
      loadConfig(this.dependencies.paths);
      return undefined;
    } catch (error) {
      return describeError(error);
    }
  }

  private replace(from: Texts, to: Texts, cik: string | undefined): void {
    for (const section of ["device", "engine"] as const) {
      const keys = Object.keys(to).filter((key) => sectionOf.get(key) === section);
      if (keys.length === 0) continue;
      changeConfigFile(this.dependencies, this.fileOf(section), (document) => {
        const ours = keys.filter((key) => textIn(document, section, key) === from[key]);
        const changed = ours.reduce((text, key) => withText(text, section, key, to[key] ?? ""), document);
        const belongs = section === "device" && cik !== undefined && ours.includes(serverUrlKey);
        return belongs ? changed.with(section, cikOption.key, cik) : changed;
      });
    }
  }

  /** What the files' own rules have against the values, each key in the company of all others. */
  private faultsOfValues(settings: Texts): readonly string[] {
    const faults: string[] = [];
    const documents = { ...this.documents() };
    for (const [key, text] of Object.entries(settings)) {
      const section = sectionOf.get(key) ?? "engine";
      try {
        documents[section] = withText(documents[section], section, key, text);
      } catch (error) {
        if (!(error instanceof IniValueError)) throw error;
        faults.push(error.message);
      }
    }
    try {
      configIn(this.dependencies.paths, documents);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(...error.faults.map(describeFault));
    }
    return faults;
  }

  /** A CIK that has only ever travelled encrypted must not be sent in the clear because of a slip of the pen. */
  private exposureBy(settings: Texts): readonly string[] {
    const wanted = settings[serverUrlKey] ?? "";
    const { serverUrl } = this.dependencies.running.device;
    const isExposed = /^http:/i.test(wanted) && serverUrl?.startsWith("https:") === true;
    return isExposed
      ? [`${serverUrlKey} = ${JSON.stringify(wanted)}: from https:// to http:// only at the gateway`]
      : [];
  }

  private keepCik(): void {
    if (this.keptCik() !== undefined) return;
    const { io, paths } = this.dependencies;
    const cik = readCik(paths.gatewayCfg);
    if (cik === undefined) return;
    io.writeFileAtomic(this.cikFile, Buffer.from(`${cik}\n`), { mode: 0o600, enforceMode: true });
  }

  private keptCik(): string | undefined {
    if (!existsSync(this.cikFile)) return undefined;
    const text = readFileSync(this.cikFile, "latin1").trim();
    return isCik(text) ? text : undefined;
  }

  private get cikFile(): string {
    return `${this.dependencies.paths.etcDir}/.cik-before-configure`;
  }

  private documents(): Record<ConfigSection, IniDocument> {
    return {
      device: readConfigFile(this.fileOf("device")).document,
      engine: readConfigFile(this.fileOf("engine")).document,
    };
  }

  private fileOf(section: ConfigSection): string {
    const { paths } = this.dependencies;
    return section === "device" ? paths.gatewayCfg : paths.engineConfig;
  }
}

function textIn(document: IniDocument, section: ConfigSection, key: string): string {
  return unquoteEmpty(document.get(section, key)?.value ?? "");
}

/** A key that was not there is not there again when it goes back to its default. */
function withText(document: IniDocument, section: ConfigSection, key: string, text: string): IniDocument {
  return text === "" ? document.without(section, key) : document.with(section, key, text);
}

function describeFault({ key, value, expected }: ConfigFault): string {
  if (key === undefined) return expected;
  return value === undefined
    ? `${key}: ${expected}`
    : `${key} = ${JSON.stringify(value.slice(0, 200))}: expected ${expected}`;
}
