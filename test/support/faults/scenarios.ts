import { createHash } from "node:crypto";
import { noise } from "../download-scene.ts";
import { goodSupervisorConf, packageWith, type RawMember } from "../ota-archives.ts";

/** What an order finds, what it asks for, and what it comes to when nothing goes wrong. */
export interface Scenario {
  readonly name: string;
  /** Versions of meter that are there before, oldest first; the last one runs. */
  readonly before: readonly string[];
  /** What `{"install":…}` brings as version 2; undefined for another command. */
  readonly package?: (runsFile: string) => Buffer;
  readonly command?: unknown;
  /** Versions that do not start. */
  readonly fatal?: readonly string[];
  readonly status: string;
  /** The version that is registered in the end; undefined: none. */
  readonly finally: string | undefined;
  readonly isOneOff?: boolean;
}

/** A line in the file of runs for each script that ran. */
export const noteRun = (runsFile: string): string =>
  `echo "$(basename $0) $GWE_APP_VERSION" >> '${runsFile}'\n`;

/** More than one of the download's checkpoints. */
const ballast: RawMember = { name: "lib/deep/ballast", content: noise(150_000) };
const tree: readonly RawMember[] = [
  goodSupervisorConf,
  { name: "lib", type: "5", mode: 0o755 },
  ballast,
  { name: "lib/small", content: "small\n" },
  { name: "lib/link", type: "2", target: "small" },
];

/** More than what is synced one by one. */
const wide: readonly RawMember[] = Array.from({ length: 65 }, (_, index) => ({
  name: `wide/${index}`,
  type: "5",
  mode: 0o755,
}));

function appPackage(
  runsFile: string,
  installer: string,
  health?: string,
  others: readonly RawMember[] = [],
): Buffer {
  const script: RawMember[] =
    health === undefined
      ? []
      : [{ name: "health", mode: 0o755, content: `#!/bin/sh\n${noteRun(runsFile)}${health}\n` }];
  return packageWith(`#!/bin/sh\n${noteRun(runsFile)}${installer}\n`, [...tree, ...script, ...others]);
}

export const scenarios: readonly Scenario[] = [
  {
    name: "update",
    before: ["1"],
    package: (runs) => appPackage(runs, "echo installed", "exit 0"),
    status: "installed",
    finally: "2",
  },
  {
    name: "first installation",
    before: [],
    package: (runs) => appPackage(runs, "echo installed", undefined, wide),
    status: "installed",
    finally: "2",
  },
  {
    name: "one-off",
    before: [],
    package: (runs) => packageWith(`#!/bin/sh\n${noteRun(runs)}`, [{ name: "data", content: "x" }]),
    status: "installed",
    finally: "2",
    isOneOff: true,
  },
  {
    name: "unhealthy update",
    before: ["1"],
    package: (runs) => appPackage(runs, "echo installed", "exit 1"),
    status: "rolled-back",
    finally: "1",
  },
  {
    name: "update whose installer fails",
    before: ["1"],
    package: (runs) => appPackage(runs, "exit 3"),
    status: "rolled-back",
    finally: "1",
  },
  {
    name: "new app that does not start",
    before: [],
    package: (runs) => appPackage(runs, "echo installed"),
    fatal: ["2"],
    status: "failed",
    finally: undefined,
  },
  {
    name: "removal",
    before: ["1"],
    command: { remove: ["meter"] },
    status: "removed",
    finally: undefined,
  },
  {
    name: "rollback on request",
    before: ["1", "2"],
    command: { rollback: ["meter"] },
    status: "rolled-back",
    finally: "1",
  },
];

/** The text of `engine_fetch`. */
export function commandOf({ command }: Scenario, packageContent: Buffer | undefined): string {
  if (packageContent === undefined) return JSON.stringify(command);
  const sha256 = createHash("sha256").update(packageContent).digest("hex");
  return JSON.stringify({ install: [{ name: "meter.v2.tar.gz", sha256 }] });
}
