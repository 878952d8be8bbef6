import { readFileSync } from "node:fs";
import { processStartTicks } from "../../../src/platform/process-table.ts";
import type { EngineProcess } from "../../support/engine-process.ts";
import type { PackageFile } from "../../support/package-tarball.ts";

type PackageFiles = Readonly<Record<string, PackageFile>>;

/** Linux' unit of a process's start time, for programs. */
const ticksPerSecond = 100;

/** One start of an app, by its own account. */
export interface AppRun {
  readonly version: string;
  readonly pid: number;
  /** Seconds since boot. */
  readonly atS: number;
}

const clock = "$(cut -d' ' -f1 /proc/uptime)";

/** A one-off app: this install.sh and nothing else. */
export function oneOff(script: string): PackageFiles {
  return { "install.sh": { content: `#!/bin/sh\n${script}\n`, mode: 0o755 } };
}

/**
 * A long-running app that notes each start in its log, and complains there when another one of its name still runs:
 * no two versions, and no two copies of one, may ever run at a time.
 */
export function longRunning(
  { home }: EngineProcess,
  name: string,
  version: string,
  installScript = `echo "installing ${name} ${version}"`,
): PackageFiles {
  const pidFile = `${home}/${name}.pid`;
  const run = `#!/bin/sh
other=$(cat ${pidFile} 2>/dev/null)
if [ -n "$other" ] && kill -0 "$other" 2>/dev/null; then echo "overlap $other $$ ${clock}"; fi
echo $$ > ${pidFile}
echo "begin ${version} $$ ${clock}"
exec sleep 100000
`;
  return {
    ...oneOff(installScript),
    "run.sh": { content: run, mode: 0o755 },
    "supervisor.conf": { content: "[supervisord]\ncommand=./run.sh\nstartsecs=0\nstopwaitsecs=2\n" },
  };
}

/** Every start of a `longRunning` app, oldest first. Throws when two of them ran at a time. */
export function runsOf({ paths }: EngineProcess, name: string): readonly AppRun[] {
  const lines = readFileSync(`${paths.logDir}/${name}.log`, "utf8").split("\n");
  const overlap = lines.find((line) => line.startsWith("overlap"));
  if (overlap !== undefined) throw new TypeError(`${name} ran twice at a time: ${overlap}`);
  return lines.flatMap((line) => {
    const [word, version, pid, at] = line.split(" ");
    return word === "begin" && version !== undefined ? [{ version, pid: Number(pid), atS: Number(at) }] : [];
  });
}

/** The starts of an app that go on right now. */
export function aliveOf(engine: EngineProcess, name: string): readonly AppRun[] {
  return runsOf(engine, name).filter(({ pid, atS }) => {
    const startTicks = processStartTicks(pid);
    // Whoever began after that has been given the pid of a process that is gone.
    return startTicks !== undefined && startTicks / ticksPerSecond <= atS;
  });
}
