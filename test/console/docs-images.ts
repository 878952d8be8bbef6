/**
 * `npm run docs:images [-- DIRECTORY]`: makes the console's pictures anew, those of docs/images or the same in another
 * directory. Needs Debian's `chromium` and `pngquant`.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { GweError } from "../../src/core/errors.ts";
import { seededRandom } from "../../src/emulator/faults/seeded-random.ts";
import { systemClock } from "../../src/platform/system-clock.ts";
import { SimulatedGateway } from "../fleet-sim/gateway.ts";
import { startTestEmulator, type TestEmulator } from "../support/emulator.ts";
import { eventually } from "../support/eventually.ts";
import { OperatorBrowser } from "./operator-browser.ts";
import { storeFleet } from "./stored-fleet.ts";

class PictureError extends GweError {
  readonly code = "PICTURE";
}

const product = "pump-station";
const viewport = { width: 1240, height: 640 };
/** What the gateways of the fleet are tagged with; the filter chooses them by their serials. */
const tags: Readonly<Record<string, string>> = {
  "hall-1": "product:pump-station sn:*0,*1,*2,*3,*4,*5,*6,*7",
  "hall-2": "product:pump-station -tag:hall-1",
  roof: "product:compressor",
  new: "sn:*:?3",
};
const pilots = 24;

const target = process.argv[2] ?? join(import.meta.dirname, "../../docs/images");
const data = mkdtempSync(join(tmpdir(), "docs-images-"));
try {
  mkdirSync(target, { recursive: true });
  await storeFleet(data, 10_000);
  await using emulator = await startTestEmulator({ dataDirectory: data });
  await using browser = await OperatorBrowser.launch(emulator);
  await fleetAndGateway(emulator, browser);
  await rollout(emulator, browser);
  const [complaint] = browser.complaints();
  if (complaint !== undefined) throw new PictureError(`the page complained: ${complaint}`);
} finally {
  rmSync(data, { recursive: true, force: true });
}

/** 10,000 gateways with tags in one table, and the page of one of them. */
async function fleetAndGateway(emulator: TestEmulator, browser: OperatorBrowser): Promise<void> {
  for (const [tag, filter] of Object.entries(tags))
    await ask(emulator, "POST", "tags", { filter, add: [tag] });
  const light = await browser.signedIn({ viewport });
  await light.getByRole("row").filter({ hasText: "new" }).first().waitFor();
  await picture(light, "console-fleet");
  const dark = await browser.signedIn({ viewport, colorScheme: "dark" });
  await dark.getByRole("link", { name: "00:40:9D:00:00:03" }).click();
  await dark.getByText("Fullest file system").waitFor();
  await picture(dark, "console-gateway");
}

/** Simulated gateways that install a package wave by wave, while the second wave is under way. */
async function rollout(emulator: TestEmulator, browser: OperatorBrowser): Promise<void> {
  const id = "meter.v2.0.tar.gz";
  await emulator.addContent(product, id, new Uint8Array(18_000));
  const random = seededRandom(7);
  const serials = Array.from({ length: pilots }, (_, index) => `00:40:9D:10:00:${10 + index}`);
  for (const sn of serials) await emulator.addSerial(product, sn);
  await ask(emulator, "POST", "tags", { filter: "sn:00:40:9D:10:*", add: ["pilot"] });
  const gateways = serials.map(
    (sn) =>
      new SimulatedGateway({
        url: emulator.url,
        product,
        sn,
        intervalS: 1,
        clock: systemClock,
        random,
        audit: () => undefined,
        observe: () => undefined,
        longPoll: false,
        failing: 0,
        installMs: 3_000,
        cutOff: 0,
      }),
  );
  const running = gateways.map((gateway) => gateway.run(0));
  try {
    await eventually("all gateways to be activated", () => gateways.every(({ isActivated }) => isActivated));
    const begun = await ask(emulator, "POST", "rollouts", {
      name: "Meter 2.0 for the pilots",
      filter: "tag:pilot",
      command: { install: [{ name: id }] },
      waves: ["3", "50%", "100%"],
      soakS: 1,
      successPercent: 90,
      maxFailurePercent: 10,
    });
    const { id: rolloutId } = (begun as { rollout: { id: string } }).rollout;
    const page = await browser.signedIn({ viewport });
    await page.goto(`${emulator.url}/console/#/rollouts/${rolloutId}`);
    await page.getByRole("heading", { name: "Meter 2.0 for the pilots" }).waitFor();
    await page
      .getByRole("img", { name: /^[4-9] succeeded/ })
      .first()
      .waitFor();
    await picture(page, "console-rollout");
  } finally {
    for (const gateway of gateways) gateway.stop();
    await Promise.allSettled(running);
  }
}

async function picture(page: Page, name: string): Promise<void> {
  const path = join(target, `${name}.png`);
  await page.screenshot({ path, animations: "disabled" });
  // 64 colours are as good for what is drawn with a dozen.
  execFileSync("pngquant", ["--force", "--strip", "--nofs", "--output", path, "64", path]);
}

async function ask(emulator: TestEmulator, method: string, path: string, body: object): Promise<unknown> {
  const response = await emulator.owner(method, `/console/api/${path}`, {
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
  });
  return response.json();
}
