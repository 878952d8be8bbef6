/** What the tests of an installed gateway have in common: the container, its Murano, its one app, and the steps' runner. */
import { type EmulatedDevice, startTestEmulator, type TestEmulator } from "../support/emulator.ts";
import { Container, network, prepareNetwork } from "./container.ts";
import { inNetworkOfItsOwn } from "./run-alone.ts";

export const product = "system-test";
export const serial = "gateway-1";
export const engineUnit = "gateway-engine.service";
export const pm2Unit = "gateway-engine-pm2.service";
export const prefix = "/opt/gateway-engine";

export interface Gateway {
  readonly container: Container;
  readonly emulator: TestEmulator;
  readonly device: EmulatedDevice;
}

/** Does one thing, checks what comes of it, and may have a figure to tell. */
export type Step<Scene = Gateway> = (scene: Scene) => Promise<string | undefined>;
/** Each builds on the ones before. `--short` leaves out the `long` ones. */
export type Steps<Scene = Gateway> = readonly (readonly [what: string, step: Step<Scene>, length?: "long"])[];

/** With `--true-durations`, trials take the minutes that they take on a gateway, in place of seconds. */
export const hasTrueDurations = process.argv.includes("--true-durations");

/** Runs a script of this directory in a network of its own: its steps, one after the other, in one container. */
export async function runSteps(
  script: string,
  steps: Steps,
  suite: string,
  readOnly: Readonly<Record<string, string>>,
): Promise<void> {
  if (process.env.GWE_SYSTEM_NETWORK === undefined) {
    process.exitCode = inNetworkOfItsOwn(script);
    return;
  }
  prepareNetwork();
  await using emulator = await startTestEmulator({ host: network.host });
  const device = await emulator.addSerial(product, serial);
  await using container = new Container(suite);
  container.boot(readOnly);
  await container.booted();
  const failed = await perform(steps, { container, emulator, device });
  process.exitCode = failed === 0 ? 0 : 1;
}

/** @returns how many have failed */
export async function perform<Scene extends Pick<Gateway, "container">>(
  steps: Steps<Scene>,
  scene: Scene,
): Promise<number> {
  let failed = 0;
  let passed = 0;
  const isShort = process.argv.includes("--short");
  for (const [what, step] of steps.filter(([, , length]) => !isShort || length !== "long")) {
    const began = performance.now();
    try {
      const figure = await step(scene);
      passed++;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`ok    ${what} (${seconds} s)${figure === undefined ? "" : `: ${figure}`}`);
    } catch (error) {
      failed++;
      console.log(`FAIL  ${what}`);
      console.log(error);
      console.log(await scene.container.diagnosis());
      // Each step builds on the ones before.
      break;
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed;
}

export interface AppStatus {
  readonly name: string;
  readonly state: string;
  readonly pid?: number;
}

/** The pid of the app once it is RUNNING. */
export function runningApp(container: Container): Promise<number> {
  return container.eventually("the app to run", async () => {
    const app = await appStatus(container);
    return app?.state === "RUNNING" && app.pid !== undefined ? app.pid : undefined;
  });
}

export async function appStatus(container: Container): Promise<AppStatus | undefined> {
  const { status, stdout } = await container.try("gwe status --json");
  if (status !== 0) return undefined;
  const { apps } = JSON.parse(stdout) as { readonly apps: readonly AppStatus[] };
  return apps.find(({ name }) => name === "beat");
}

export async function mainPid(container: Container, unit: string): Promise<number> {
  return Number(await container.sh(`systemctl show -P MainPID ${unit}`));
}

/** Resolves when an engine other than `former` answers. */
export async function untilOtherEngine(container: Container, former: number): Promise<void> {
  await container.eventually("another engine", async () => {
    const pid = await mainPid(container, engineUnit);
    return pid !== 0 && pid !== former && (await container.try("gwe status")).status === 0;
  });
}

/** One entry for each run of the app: its session. What it has just forked looks like it, but shares its session. */
export async function appSessions(container: Container): Promise<readonly number[]> {
  const text = await container.sh("ps -eo sid=,args= | grep run[.]sh || true");
  const lines = text.split("\n").filter((line) => line !== "");
  return [...new Set(lines.map((line) => Number.parseInt(line, 10)))];
}

/** Processes that run from the installation, or are the app, or its launcher. */
export function leftovers(container: Container): Promise<string> {
  return container.sh(
    `for p in /proc/[0-9]*; do case $(readlink $p/exe) in ${prefix}/*) echo $p;; esac; done; ` +
      "pgrep -af 'launcher[.]sh|run[.]sh|gwe-pm[2]' || true",
  );
}
