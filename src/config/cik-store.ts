import { cikIn, cikRule, isCik } from "../core/cik.ts";
import { ConfigError } from "./errors.ts";
import { type ConfigFilesDependencies, changeConfigFile, readConfigFile } from "./files.ts";

/**
 * The gateway's CIK, kept in `Gateway.cfg`. The old one stays in force until a new one is durable: a false 401 must
 * never orphan a gateway (spec: device-api.md, "Provisioning procedures").
 */
export class CikStore {
  private readonly dependencies: ConfigFilesDependencies;
  private cached: { readonly cik: string | undefined } | undefined;
  private readonly seen = new Set<string>();

  constructor(dependencies: ConfigFilesDependencies) {
    this.dependencies = dependencies;
  }

  /**
   * The CIK in force; undefined when the gateway is not activated. Read once: hand edits count from the next start.
   * @throws ConfigError when the file holds something that is no CIK
   * @throws ConfigAccessError when this user may not read the file
   */
  current(): string | undefined {
    if (this.cached === undefined) {
      this.cached = { cik: readCik(this.dependencies.paths.gatewayCfg) };
      if (this.cached.cik !== undefined) this.seen.add(this.cached.cik);
    }
    return this.cached.cik;
  }

  /**
   * Returns when the new CIK is on disk; until then, and when this throws, the previous one is in force.
   * @throws ConfigError when `cik` is not 40 letters and digits
   */
  replace(cik: string): void {
    if (!isCik(cik)) throw invalidCik(this.dependencies.paths.gatewayCfg);
    this.write(cik);
  }

  /** Forgets the CIK, as `gwe --set-cik ''` does. */
  clear(): void {
    this.write("");
  }

  /** Every CIK that this process has met, former ones included: what a log must not show. */
  knownSecrets(): readonly string[] {
    return [...this.seen];
  }

  private write(cik: string): void {
    if (cik !== "") this.seen.add(cik);
    changeConfigFile(this.dependencies, this.dependencies.paths.gatewayCfg, (document) =>
      document.with("device", "cik", cik === "" ? "''" : cik),
    );
    this.cached = { cik: cik === "" ? undefined : cik };
  }
}

/**
 * The CIK that `Gateway.cfg` holds; undefined when the gateway is not activated.
 * @throws ConfigError when the file holds something that is no CIK
 * @throws ConfigAccessError when this user may not read the file
 */
export function readCik(gatewayCfg: string): string | undefined {
  const cik = cikIn(readConfigFile(gatewayCfg).document);
  if (cik === undefined) throw invalidCik(gatewayCfg);
  return cik === "" ? undefined : cik;
}

function invalidCik(file: string): ConfigError {
  return new ConfigError([{ file, section: "device", key: "cik", expected: cikRule }]);
}
