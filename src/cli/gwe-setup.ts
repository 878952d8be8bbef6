import { type ConfigChange, ConfigStore, loadConfig, type Paths, readCik } from "../config/index.ts";
import { GweError } from "../core/errors.ts";
import { configIo } from "../daemon/config-io.ts";
import { CommandClock } from "./command-clock.ts";
import { connectByClock } from "./connect-device.ts";
import { deviceSettings, type OpenDevice } from "./device.ts";
import { Dialogue } from "./dialogue.ts";
import { checkConnection } from "./doctor/check-connection.ts";
import { checkMurano } from "./doctor/check-murano.ts";
import { type Finding, ok } from "./doctor/finding.ts";
import { CommandError, TryLaterError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { describeFinding } from "./gwe-doctor.ts";
import { activateHere, engineOwner, hasUnits, startAndWait } from "./setup/activation.ts";
import { readWish, type SetupWish } from "./setup/wish.ts";

/** `gwe setup`: from a fresh installation to a gateway that Murano knows. May be repeated. */
export async function runSetup(argv: readonly string[], context: GweContext): Promise<number> {
  const { paths, terminal } = context;
  const { device } = loadConfig(paths);
  const wish = await readWish(argv, { terminal, device });
  const changes = changesFor(wish);
  const hadCik = readCik(paths.gatewayCfg) !== undefined;
  const isOther = hadCik && isOtherIdentity(device, wish);
  if (isOther) await allowReplacing(wish, argv, context);
  const store = new ConfigStore({ paths, io: configIo });
  store.set(isOther ? [...changes, { section: "device", key: "cik", value: "" }] : changes);
  await terminal.write(`${describeWish(wish)} written to ${paths.gatewayCfg}\n`);
  if (wish.isOffline) {
    await terminal.write("Nothing was asked of Murano. The gateway activates at the engine's first start.\n");
    return 0;
  }
  await meetMurano(wish, context);
  await terminal.write(await describeNext(paths));
  return 0;
}

function changesFor({ productId, serial, iface, changes }: SetupWish): readonly ConfigChange[] {
  const device = { vendor: productId, model: productId, uuid: serial ?? "", iface: iface ?? "" };
  const identity = Object.entries(device).map(([key, value]) => ({ section: "device", key, value }) as const);
  return [...identity, ...changes];
}

function isOtherIdentity(
  device: ReturnType<typeof loadConfig>["device"],
  { productId, serial }: SetupWish,
): boolean {
  return device.vendor !== productId || (serial !== undefined && device.serial !== serial);
}

/** Its CIK is its only way back to the device that it is now. */
async function allowReplacing(
  wish: SetupWish,
  argv: readonly string[],
  { paths, terminal }: GweContext,
): Promise<void> {
  const { device } = loadConfig(paths);
  const who = `this gateway is activated as ${device.serial ?? "?"} of ${device.vendor ?? "?"}`;
  if (wish.mayReplace) return;
  if (argv.length > 0) throw new CommandError(`${who}; with --replace it becomes another one`);
  const dialogue = new Dialogue(terminal, "--replace says yes");
  try {
    if (await dialogue.agrees(`${who}. Make it another one?`)) return;
  } finally {
    await dialogue.end();
  }
  throw new CommandError("left as it was");
}

function describeWish({ productId, serial, iface }: SetupWish): string {
  const who =
    serial === undefined ? `its serial number the MAC address of ${iface}` : `serial number ${serial}`;
  return `Product ${productId}, ${who}:`;
}

async function meetMurano(wish: SetupWish, { paths, terminal }: GweContext): Promise<void> {
  const settings = deviceSettings({ paths, caller: "nobody", url: undefined });
  const clock = new CommandClock(Date.now);
  const device = await connectByClock(settings, clock);
  try {
    const question = { baseUrl: settings.baseUrl, device, env: terminal.env, clock };
    const { findings, isReached } = await checkConnection(question);
    await tell(findings, terminal);
    if (!isReached) {
      throw new TryLaterError(
        "configured, but Murano cannot be reached; the engine activates by itself as soon as it can be. 'gwe doctor' looks further",
      );
    }
    await makeKnown(wish, device, { paths, terminal, clock });
  } finally {
    await device.close();
  }
}

interface MetContext extends GweContext {
  /** Murano has told it the time. */
  readonly clock: CommandClock;
}

/** By the engine, where systemd runs it or is to; else in this process. */
async function makeKnown(wish: SetupWish, device: OpenDevice, context: MetContext): Promise<void> {
  const { paths, terminal } = context;
  const { productId, serial = "", start } = wish;
  const owner = await engineOwner(paths);
  if (owner === "unit" || (start && hasUnits(paths))) {
    await startAndWait(paths);
    await isKnown(context);
    return;
  }
  if (await isKnown(context)) return;
  if (owner === "shell") {
    throw new TryLaterError(
      "an engine runs already: end it and start it anew, and it activates as the new one",
    );
  }
  try {
    await activateHere({ paths, device, productId, serial });
  } catch (error) {
    throw explained(error, productId, serial);
  }
  await tell([ok("murano", "activated")], terminal);
  await isKnown(context);
}

/** Tells whether Murano accepts what this gateway has: its CIK or its certificate. */
async function isKnown({ paths, terminal, clock }: MetContext): Promise<boolean> {
  const { device } = loadConfig(paths);
  if (readCik(paths.gatewayCfg) === undefined && device.certFile === undefined) return false;
  const own = deviceSettings({ paths, caller: "gateway", url: undefined });
  const gateway = await connectByClock(own, clock);
  try {
    const findings = await checkMurano(gateway, new URL(own.baseUrl).host);
    await tell(findings, terminal);
    return findings[0]?.level === "ok";
  } finally {
    await gateway.close();
  }
}

function explained(error: unknown, productId: string, serial: string): unknown {
  if (!(error instanceof GweError) || !("status" in error)) return error;
  if (error.status === 404) {
    return new CommandError(
      `Murano has no device ${serial} in the product ${productId}: add the serial number to the product, then 'gwe setup' again`,
      { cause: error },
    );
  }
  if (error.status === 409) {
    return new CommandError(
      `Murano does not let ${serial} activate: enable the device in the product (it was activated before, or 24 hours have passed), then 'gwe setup' again`,
      { cause: error },
    );
  }
  return error;
}

async function describeNext(paths: Paths): Promise<string> {
  const start = hasUnits(paths) ? "systemctl start gateway-engine" : "gwe";
  const steps: readonly (readonly [string, string])[] = [
    ...((await engineOwner(paths)) === "nobody" ? [[start, "start the engine"] as const] : []),
    ["gwe status", "what it does"],
    ["gwe doctor", "what may be wrong"],
  ];
  return `\nThe gateway is set up. Next:\n${steps.map(([command, what]) => `  ${command.padEnd(32)}# ${what}\n`).join("")}`;
}

async function tell(findings: readonly Finding[], terminal: GweContext["terminal"]): Promise<void> {
  const lines = findings.flatMap(describeFinding);
  if (lines.length > 0) await terminal.write(`${lines.join("\n")}\n`);
}
