import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Paths, resolvePaths } from "../../src/config/index.ts";

export interface GweHome extends Disposable {
  readonly home: string;
  readonly paths: Paths;
  /** Writes `Gateway.cfg`, as a person or the original engine would. */
  gatewayCfg(text: string): void;
  engineConfig(text: string): void;
}

/** A directory for one engine, removed at the end of the test (`using home = gweHome()`). */
export function gweHome(): GweHome {
  const home = mkdtempSync(join(tmpdir(), "gwe-"));
  const paths = resolvePaths({ GWE_HOME: home });
  const write = (file: string, text: string): void => {
    mkdirSync(paths.etcDir, { recursive: true });
    writeFileSync(file, text, { mode: 0o640 });
  };
  return {
    home,
    paths,
    gatewayCfg: (text) => write(paths.gatewayCfg, text),
    engineConfig: (text) => write(paths.engineConfig, text),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}
