import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ConfigStore, type Paths, readConfigFile } from "../config/index.ts";
import { configIo } from "../daemon/config-io.ts";
import { durableFiles } from "../platform/durable-files.ts";
import { ensureDirectory } from "../platform/files.ts";
import { acquireInstanceLock } from "../platform/instance-lock.ts";
import { parseArguments } from "./arguments.ts";
import { Dialogue } from "./dialogue.ts";
import { socketAnswers } from "./doctor/check-engine.ts";
import { CommandError, UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { replaceDatabase, requireIdle } from "./image/fresh-database.ts";
import { filesWith } from "./image/traces.ts";
import { knownSecrets } from "./support-bundle/known-secrets.ts";

const flags = [{ long: "yes", short: "y", help: "Ask nothing." }] as const;

/** `gwe prepare-image [--yes]`: this gateway forgets who it is, so that its disk can be cloned. */
export async function prepareImage(argv: readonly string[], context: GweContext): Promise<number> {
  const { paths, terminal } = context;
  const { flags: given, positionals } = parseArguments(flags, argv);
  if (positionals.length > 0) throw new UsageError("usage: gwe prepare-image [--yes]");
  if (await socketAnswers(`${paths.pm2Home}/rpc.sock`)) {
    throw new CommandError(
      "applications run: stop them first ('systemctl stop gateway-engine gateway-engine-pm2')",
    );
  }
  ensureDirectory(paths.runDir, 0o755);
  const lock = acquireInstanceLock(paths.engineLock, {
    heldMessage: "an engine runs: stop it first ('systemctl stop gateway-engine')",
  });
  try {
    requireIdle(paths.gatewayDb);
    if (!given.has("yes")) await askLeave(context);
    const traces = [...(await knownSecrets(paths)), ...serials(paths)];
    await forget(paths);
    await terminal.write(
      `This gateway has forgotten serial number, CIKs, journal, queue and logs.\n${adviceFor(paths, traces)}`,
    );
  } finally {
    lock.release();
  }
  // It holds nothing, and nobody holds it.
  await durableFiles.remove(paths.engineLock);
  return 0;
}

async function askLeave({ terminal }: GweContext): Promise<void> {
  const dialogue = new Dialogue(terminal, "--yes asks nothing");
  try {
    const question =
      "Serial number, CIKs, journal, queue (with what it has not sent) and logs are erased. Go on?";
    if (!(await dialogue.agrees(question))) throw new CommandError("left as it was");
  } finally {
    await dialogue.end();
  }
}

function serials({ gatewayCfg }: Paths): readonly string[] {
  const serial = readConfigFile(gatewayCfg).document.get("device", "uuid")?.value;
  return serial === undefined ? [] : [serial];
}

/** May be repeated after a power cut: the CIK goes first. */
async function forget(paths: Paths): Promise<void> {
  new ConfigStore({ paths, io: configIo }).set([
    { section: "device", key: "cik", value: "" },
    { section: "device", key: "uuid", value: "" },
  ]);
  const { etcDir, libDir, logDir, runDir, appsDir } = paths;
  await removeMatching(etcDir, /^\.(cik-before-configure|.*\.tmp)$/);
  await replaceDatabase(paths.gatewayDb);
  // Also what was set aside as damaged.
  await removeMatching(libDir, /^(queue\.|gateway\.db.)/);
  for (const path of [paths.packagesDir, paths.scriptsDir, paths.pm2Home]) await durableFiles.remove(path);
  const owners = ["gwe", ...(await durableFiles.list(appsDir))].map((name) => name.replace(/[.+]/g, "\\$&"));
  await removeMatching(logDir, new RegExp(`^(${owners.join("|")})([_-].*)?\\.log(\\.\\d+)?$`));
  await removeMatching(runDir, /^(?!gwe\.lock)/);
}

async function removeMatching(directory: string, pattern: RegExp): Promise<void> {
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    if (pattern.test(name)) await durableFiles.remove(join(directory, name));
  }
}

function adviceFor(paths: Paths, traces: readonly string[]): string {
  const lines: string[] = [];
  const iface = readConfigFile(paths.gatewayCfg).document.get("device", "iface")?.value ?? "";
  if (iface === "" || iface === "''") {
    lines.push(
      "Clones get no serial number by themselves: set an interface ('gwe --set-iface eth0'), or run 'gwe setup' on each.",
    );
  } else lines.push(`Each clone takes the MAC address of its own ${iface} for its serial number.`);
  const found = filesWith(traces, [paths.appsDir, paths.etcDir]);
  if (found.length > 0)
    lines.push(
      "Files of applications still hold this gateway's CIK or serial number:",
      ...found.map((file) => `  ${file}`),
    );
  lines.push(
    "Of the system's own identity nothing was touched: empty /etc/machine-id, remove /etc/ssh/ssh_host_* and the journal (/var/log/journal).",
    "Do not start the engine before the image is taken: it would become somebody again.",
  );
  return `${lines.join("\n")}\n`;
}
