import { join } from "node:path";
import { readConfigFile } from "../../../src/config/files.ts";
import { CikStore } from "../../../src/config/index.ts";
import { isCik } from "../../../src/core/cik.ts";
import { pathsUnder } from "../../../src/core/paths.ts";
import { configIo } from "../../../src/daemon/config-io.ts";
import { promised } from "../errors.ts";
import type { CutState, Scenario } from "../scenario.ts";
import type { ConfigEvent } from "./events.ts";

export const config: Scenario<ConfigEvent> = {
  name: "config",
  promise: "configuration files: the old content or the new, whole; the CIK is never lost",
  load: join(import.meta.dirname, "load.ts"),
  control: "files replaced without fsync",
  weight: 2,
  check,
};

function check({ directory, events }: CutState<ConfigEvent>): void {
  const paths = pathsUnder(directory);
  const values = {
    cik: new CikStore({ paths, io: configIo }).current(),
    model: readConfigFile(paths.gatewayCfg).document.get("device", "model")?.value,
    update_interval: readConfigFile(paths.engineConfig).document.get("engine", "update_interval")?.value,
  };
  for (const key of ["cik", "model", "update_interval"] as const) {
    const allowed = allowedValues(events.filter((event) => event.key === key));
    const value = emptyAsNone(values[key]);
    promised(
      allowed.includes(value),
      `${key} is ${JSON.stringify(value)} after the cut; it was ${allowed.map((v) => JSON.stringify(v)).join(" or ")}`,
    );
  }
  promised(values.cik === undefined || isCik(values.cik), "what is left of the CIK is none");
}

/** The last value that was durable, and those whose writing has begun since: one, or one more for each cut in between. */
function allowedValues(events: readonly ConfigEvent[]): readonly (string | undefined)[] {
  const lastDone = events.findLastIndex(({ kind }) => kind === "done");
  return [events[lastDone]?.value, ...events.slice(lastDone + 1).map(({ value }) => value)];
}

/** `''` is how the files say that there is none. */
function emptyAsNone(value: string | undefined): string | undefined {
  return value === "" || value === "''" ? undefined : value;
}
