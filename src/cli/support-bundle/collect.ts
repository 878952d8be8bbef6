import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { engineBuild, type Paths } from "../../config/index.ts";
import { describeError } from "../../core/errors.ts";
import { ControlClient } from "../control-client.ts";
import { runCommand } from "../doctor/command-output.ts";
import { examine } from "../doctor/doctor.ts";
import { describeExamination } from "../gwe-doctor.ts";
import { QueueClient } from "../queue-client.ts";
import type { TarballFile } from "../tarball.ts";

const kibi = 1024;
const engineLogBytes = 1024 * kibi;
const appLogBytes = 64 * kibi;
const commandBytes = 256 * kibi;

export interface CollectOptions {
  readonly paths: Paths;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
}

/** Everything that helps to see from afar what is wrong, unmasked. What cannot be had says why in its place. */
export async function collect(options: CollectOptions): Promise<readonly TarballFile[]> {
  const { paths } = options;
  const examination = await examine(options);
  const client = new ControlClient({ socketPath: paths.controlSocket });
  const queue = new QueueClient({ socketPath: paths.controlSocket });
  return [
    { path: "doctor.txt", content: describeExamination(examination, false) },
    { path: "doctor.json", content: asJson(examination) },
    {
      path: "version.txt",
      content: `gateway-engine ${engineBuild}\nnode ${process.version} ${process.arch}\n`,
    },
    await answerOf("status.json", () => client.status()),
    await answerOf("history.json", () => client.history()),
    await answerOf("processes.json", () => client.processes()),
    await answerOf("queue.json", () => queue.queue()),
    ...configuration(paths),
    ...logs(paths),
    ...(await Promise.all(commands(paths).map(outputOf))),
  ];
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

async function answerOf(path: string, ask: () => Promise<unknown>): Promise<TarballFile> {
  try {
    return { path, content: asJson(await ask()) };
  } catch (error) {
    return { path, content: asJson({ unavailable: describeError(error) }) };
  }
}

function configuration({
  gatewayCfg,
  engineConfig,
  gmqCfg,
  loggingCfg,
  keysDir,
}: Paths): readonly TarballFile[] {
  const files = {
    "Gateway.cfg": gatewayCfg,
    "Engine.config": engineConfig,
    "gmq.cfg": gmqCfg,
    "logging.cfg": loggingCfg,
  };
  return [
    ...Object.entries(files).map(([name, file]) => ({
      path: `config/${name}`,
      content: textOf(() => readFileSync(file)),
    })),
    { path: "config/keys.txt", content: textOf(() => Buffer.from(readdirSync(keysDir).join("\n"))) },
  ];
}

/** The engine's own log, pm2's, and the end of each application's. */
function logs({ engineLog, pm2Home, logDir, appsDir }: Paths): readonly TarballFile[] {
  const apps = namesIn(appsDir);
  // Also those of processes with names of their own (`meter_01.log`) and of stderr.
  const ofApps = namesIn(logDir).filter(
    (name) => name.endsWith(".log") && apps.some((app) => name.startsWith(app)),
  );
  return [
    { path: "logs/gwe.log", content: textOf(() => tailOf(engineLog, engineLogBytes)) },
    { path: "logs/pm2.log", content: textOf(() => tailOf(`${pm2Home}/pm2.log`, appLogBytes)) },
    ...ofApps.map((name) => ({
      path: `logs/apps/${name}`.slice(0, 100),
      content: textOf(() => tailOf(`${logDir}/${name}`, appLogBytes)),
    })),
  ];
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    // Not there before the first app, or not for this user: then there is nothing to name.
    return [];
  }
}

function textOf(read: () => Buffer): string {
  try {
    return read().toString("utf8");
  } catch (error) {
    return `(${describeError(error)})\n`;
  }
}

function tailOf(file: string, maxBytes: number): Buffer {
  const fd = openSync(file, "r");
  try {
    const { size } = fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    const read = readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    const text = buffer.subarray(0, read);
    // A torn first line may begin inside a secret, which could then not be recognised.
    return size > maxBytes ? text.subarray(text.indexOf("\n") + 1) : text;
  } finally {
    closeSync(fd);
  }
}

type Command = readonly [path: string, command: string, ...args: readonly string[]];

function commands({ libDir, etcDir, runDir }: Paths): readonly Command[] {
  const journal = ["-o", "short-precise", "--no-pager", "-n", "3000"];
  return [
    ["system/uname.txt", "uname", "-a"],
    ["system/os-release.txt", "cat", "/etc/os-release"],
    ["system/uptime.txt", "uptime"],
    ["system/df.txt", "df", "-h"],
    ["system/df-inodes.txt", "df", "-i"],
    ["system/meminfo.txt", "cat", "/proc/meminfo"],
    ["system/mounts.txt", "cat", "/proc/mounts"],
    ["system/processes.txt", "ps", "axo", "pid,ppid,user,stat,rss,etime,args"],
    ["system/addresses.txt", "ip", "address"],
    ["system/routes.txt", "ip", "route"],
    ["system/resolv.conf", "cat", "/etc/resolv.conf"],
    ["system/listening.txt", "ss", "-ltnp"],
    ["system/clock.txt", "timedatectl"],
    ["system/kernel.txt", "dmesg", "--level=emerg,alert,crit,err,warn"],
    ["system/files.txt", "ls", "-la", etcDir, libDir, runDir, `${libDir}/apps`],
    [
      "system/units.txt",
      "systemctl",
      "--no-pager",
      "-l",
      "status",
      "gateway-engine.service",
      "gateway-engine-pm2.service",
    ],
    ["logs/journal-engine.txt", "journalctl", "-u", "gateway-engine.service", ...journal],
    ["logs/journal-pm2.txt", "journalctl", "-u", "gateway-engine-pm2.service", ...journal],
  ];
}

async function outputOf([path, command, ...args]: Command): Promise<TarballFile> {
  const output = await runCommand(command, args, { maxBytes: commandBytes, acceptFailure: true });
  return {
    path,
    content: output === undefined ? `(${command} is not there, or took too long)\n` : `${output}\n`,
  };
}
