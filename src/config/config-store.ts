import { unquoteEmpty } from "../core/cik.ts";
import { IniDocument, IniValueError } from "../core/ini.ts";
import { ConfigError, type ConfigFault } from "./errors.ts";
import { type ConfigFilesDependencies, changeConfigFile } from "./files.ts";
import { cikOption, deviceOptions, engineOptions, type Option } from "./options.ts";

export type ConfigSection = "device" | "engine";

/** One key to set; an empty value (or `''`) clears it, which restores its default. */
export interface ConfigChange {
  readonly section: ConfigSection;
  readonly key: string;
  readonly value: string;
}

/** Keys that the original always wrote to `Gateway.cfg`, in its order. */
const classicDeviceKeys = ["cik", "model", "vendor", "uuid", "iface"];

const known: Readonly<Record<ConfigSection, readonly Option<unknown>[]>> = {
  device: [cikOption, ...Object.values<Option<unknown>>(deviceOptions)],
  engine: Object.values<Option<unknown>>(engineOptions),
};

/** Writes configuration: validated, durable, and without touching any other byte of the file. */
export class ConfigStore {
  private readonly dependencies: ConfigFilesDependencies;

  constructor(dependencies: ConfigFilesDependencies) {
    this.dependencies = dependencies;
  }

  /**
   * Applies all changes, or none where one of them is invalid. Each file is replaced at most once.
   * @throws ConfigError naming each key that is unknown or has an invalid value
   * @throws ConfigAccessError when this user may not write
   */
  set(changes: readonly ConfigChange[]): void {
    const faults = changes.flatMap((change) => this.faultOf(change) ?? []);
    if (faults.length > 0) throw new ConfigError(faults);
    for (const section of ["device", "engine"] as const) {
      const ours = changes.filter((change) => change.section === section);
      if (ours.length === 0) continue;
      changeConfigFile(this.dependencies, this.fileOf(section), (document) => {
        const complete = section === "device" ? withClassicKeys(document) : document;
        return ours.reduce((changed, change) => changed.with(section, change.key, written(change)), complete);
      });
    }
  }

  /** Which file holds a section. */
  fileOf(section: ConfigSection): string {
    const { paths } = this.dependencies;
    return section === "device" ? paths.gatewayCfg : paths.engineConfig;
  }

  private faultOf({ section, key, value }: ConfigChange): ConfigFault | undefined {
    const file = this.fileOf(section);
    const option = known[section].find((candidate) => candidate.key === key);
    if (option === undefined) {
      return {
        file,
        section,
        key,
        expected: `no such key; known: ${known[section].map((o) => o.key).join(", ")}`,
      };
    }
    const text = unquoteEmpty(value);
    const unwritable = unwritableReason(section, key, text);
    if (unwritable !== undefined) return { file, expected: unwritable };
    if (text === "" || option.schema.safeParse(text).success) return undefined;
    return { file, section, key, ...(key === cikOption.key ? {} : { value }), expected: option.expected };
  }
}

function written({ value }: ConfigChange): string {
  return unquoteEmpty(value) === "" ? "''" : value;
}

function withClassicKeys(document: IniDocument): IniDocument {
  return classicDeviceKeys.reduce(
    (changed, key) =>
      changed.get("device", key) === undefined ? changed.with("device", key, "''") : changed,
    document,
  );
}

/** Why the file's format cannot hold a value: known before the first of several files is written. */
function unwritableReason(section: string, key: string, value: string): string | undefined {
  try {
    IniDocument.parse("").with(section, key, value);
    return undefined;
  } catch (error) {
    if (error instanceof IniValueError) return error.message;
    throw error;
  }
}
