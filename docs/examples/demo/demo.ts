/**
 * `npm run demo`: a local Murano and a gateway engine on this machine, and the main job from end to end.
 * With `--exit` it ends by itself, with status 0 only if every step was verified against what Murano holds.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Gateway, Gateway as GatewayEngine } from "./gateway.ts";
import { startLocalMurano } from "./local-murano.ts";
import { type DeviceHandle, MuranoOwner } from "./murano-owner.ts";
import { packExample } from "./sample-packages.ts";

const product = "demo-product";
const serial = "GATEWAY-0001";
const stepDeadlineMs = 60_000;

interface Scene {
  readonly murano: MuranoOwner;
  readonly gateway: Gateway;
  readonly workDirectory: string;
}

/** A step did not come to what it should have. */
class StepFailedError extends Error {
  override readonly name = "StepFailedError";
}

interface ReportedApp {
  readonly status: string;
  readonly version: string;
  readonly uptime: string;
}

interface FetchStatus {
  readonly apps: readonly { name: string; version: string; status: string; output: string }[];
}

const say = (text: string): void => console.log(text);
const step = (text: string): void => say(`\n▸ ${text}`);
const shown = (text: string): void => {
  for (const line of text.trimEnd().split("\n")) say(`    ${line}`);
};

/** Asks again until there is an answer, for as long as a step may take. */
async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + stepDeadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new StepFailedError(`gave up waiting for: ${what}`);
    await delay(100);
  }
}

async function reportedApp(
  { murano }: Scene,
  device: DeviceHandle,
  app: string,
): Promise<ReportedApp | undefined> {
  const [text] = await murano.readAlias(device, "engine_report");
  if (text === undefined) return undefined;
  const report = JSON.parse(text) as { apps: Record<string, ReportedApp>[] };
  return report.apps.find((entry) => app in entry)?.[app];
}

/** Writes the command and waits until Murano holds its result and a report that agrees. */
async function install(scene: Scene, device: DeviceHandle, names: readonly string[]): Promise<void> {
  const { murano } = scene;
  const command = JSON.stringify({ install: names.map((name) => ({ name })) });
  step(`The operator writes engine_fetch: ${command}`);
  const before = (await murano.readAlias(device, "fetch_status", 100)).length;
  await murano.writeAlias(device, "engine_fetch", command);
  const result = await eventually("fetch_status", async () => {
    const values = await murano.readAlias(device, "fetch_status", 100);
    return values.length > before ? (JSON.parse(values[0] ?? "{}") as FetchStatus) : undefined;
  });
  say("  Murano received fetch_status:");
  for (const app of result.apps) {
    shown(`${app.name} ${app.version}: ${app.status}`);
    shown(app.output.trimEnd().replaceAll(/^/gm, "  | "));
    if (app.status !== "installed") throw new StepFailedError(`${app.name} ${app.version} is ${app.status}`);
  }
}

async function expectRunning(
  scene: Scene,
  device: DeviceHandle,
  app: string,
  version: string,
): Promise<void> {
  const entry = await eventually(`${app} ${version} RUNNING in engine_report`, async () => {
    await scene.gateway.gwe("check-in");
    const reported = await reportedApp(scene, device, app);
    return reported?.status === "RUNNING" && reported.version === version ? reported : undefined;
  });
  say(`  Murano received engine_report: ${app} ${entry.version} is ${entry.status}, up for ${entry.uptime}`);
}

async function pidOf({ gateway }: Scene, app: string): Promise<number | undefined> {
  const status = await gateway.status();
  const found = status.apps.find(({ name }) => name === app);
  return found?.state === "RUNNING" ? found.pid : undefined;
}

async function crash(scene: Scene, device: DeviceHandle): Promise<void> {
  const before = await eventually("the app's pid", () => pidOf(scene, "heartbeat"));
  step(`The app crashes (kill -9 ${before})`);
  process.kill(before, "SIGKILL");
  const after = await eventually("a new pid", async () => {
    const pid = await pidOf(scene, "heartbeat");
    return pid === before ? undefined : pid;
  });
  say(`  pm2 started it again as pid ${after}`);
  await expectRunning(scene, device, "heartbeat", "1");
}

async function play(scene: Scene): Promise<void> {
  const { murano, gateway, workDirectory } = scene;
  step(`The product owner registers product ${product} and serial number ${serial}`);
  await murano.createProduct();
  const device = await murano.addSerial(serial);
  say(`  Murano made device ${device.rid}; status: ${await murano.serialStatus(serial)}`);

  step("The gateway engine starts and activates");
  await gateway.start();
  await eventually("activation", async () => {
    if (!gateway.running) throw new StepFailedError("the engine ended; its output is in engine-output.log");
    return (await murano.serialStatus(serial)) === "activated" ? true : undefined;
  });
  say("  Murano says: activated");
  const deviceInfo = await eventually(
    "device_info",
    async () => (await murano.readAlias(device, "device_info"))[0],
  );
  say("  Murano received device_info, with:");
  shown((JSON.parse(deviceInfo) as { uname: string }).uname);

  step("The operator uploads three packages to the content area");
  for (const [app, version] of [
    ["heartbeat", "1"],
    ["heartbeat", "2"],
    ["hello", "1"],
  ] as const) {
    const content = await packExample(app, version, workDirectory);
    await murano.uploadContent(`${app}.v${version}.tar.gz`, content);
    say(`  ${app}.v${version}.tar.gz (${content.length} bytes)`);
  }

  await install(scene, device, ["heartbeat.v1.tar.gz", "hello.v1.tar.gz"]);
  await expectRunning(scene, device, "heartbeat", "1");
  const beat = await eventually(
    "the app's own data",
    async () => (await murano.readAlias(device, "heartbeat"))[0],
  );
  say(`  Murano received from the app itself, through gdc: heartbeat = ${beat}`);

  await crash(scene, device);

  await install(scene, device, ["heartbeat.v2.tar.gz"]);
  await expectRunning(scene, device, "heartbeat", "2");

  step("What `gwe status` says at the gateway");
  shown(await gateway.gwe("status"));
  step("What `gwe logs heartbeat -n 5` says");
  shown(await gateway.gwe("logs", "heartbeat", "-n", "5"));
}

async function cleanUp(gateway: Gateway): Promise<void> {
  await gateway.stop();
  await eventually("every process to end", async () =>
    gateway.strayProcesses().length === 0 ? true : undefined,
  );
}

async function main(): Promise<number> {
  const exitByItself = process.argv.includes("--exit");
  const workDirectory = mkdtempSync(join(tmpdir(), "gwe-demo-"));
  const interrupted = new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  const emulator = await startLocalMurano(join(workDirectory, "murano"));
  const gateway = new GatewayEngine({
    home: join(workDirectory, "gw"),
    product,
    serial,
    serverUrl: emulator.url,
  });
  let status = 1;
  try {
    say(`Murano (local emulator) listens on ${emulator.url}; everything lies under ${workDirectory}`);
    await Promise.race([
      play({ murano: new MuranoOwner(emulator, product), gateway, workDirectory }),
      interrupted,
    ]);
    status = 0;
    if (!exitByItself) {
      say("\n✔ Every step was verified against what Murano holds. Look around in another terminal:");
      shown(`export GWE_HOME=${join(workDirectory, "gw")}\nbin/gwe status\nbin/gwe logs heartbeat -f`);
      say(`  The operator console: ${emulator.url}/console/ with the token ${emulator.token}`);
      say("  Ctrl-C ends the demo and cleans up.");
      await interrupted;
    }
  } catch (error) {
    say(`\n✘ ${error instanceof Error ? error.message : String(error)}`);
    say(`  The engine's output: ${join(workDirectory, "gw/engine-output.log")} (kept)`);
  } finally {
    step("Cleaning up");
    await cleanUp(gateway);
    await emulator.stop();
    if (status === 0) rmSync(workDirectory, { recursive: true, force: true });
    say(status === 0 ? "  no process and no file of the demo is left" : "  no process of the demo is left");
  }
  if (status === 0 && exitByItself) say("\n✔ Every step was verified against what Murano holds.");
  return status;
}

process.exitCode = await main();
