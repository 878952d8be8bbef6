import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestEmulator, type TestEmulator } from "../support/emulator.ts";
import { EngineProcess } from "../support/engine-process.ts";
import { packageTarball } from "../support/package-tarball.ts";
import { expectAccessible } from "./accessible.ts";
import { OperatorBrowser, screenshot } from "./operator-browser.ts";

const product = "pump-station";
const serials = ["GW-1", "GW-2", "GW-3"];

let emulator: TestEmulator;
let engines: EngineProcess[];
let browser: OperatorBrowser;
let page: Page;

beforeAll(async () => {
  emulator = await startTestEmulator({ products: [product] });
  for (const serial of serials) await emulator.addSerial(product, serial);
  engines = serials.map(
    (serial) =>
      new EngineProcess({
        serverUrl: emulator.url,
        product,
        serial,
        engineConfig: ["check_in = long-poll", "update_interval = 60", "disk_reserve_mib = 1"],
      }),
  );
  browser = await OperatorBrowser.launch(emulator);
});
afterAll(async () => {
  await Promise.allSettled(engines.map((engine) => engine[Symbol.asyncDispose]()));
  await browser[Symbol.asyncDispose]();
  await emulator.close();
});

/** An app that only stays there; its third version cannot be installed. */
async function pulse(version: number): Promise<{ name: string; mimeType: string; buffer: Buffer }> {
  const install = version === 3 ? "#!/bin/sh\necho 'cannot find libpulse'\nexit 3\n" : "#!/bin/sh\n";
  const files = {
    "install.sh": { content: install, mode: 0o755 },
    "supervisor.conf": {
      content: `[program:pulse]\ncommand=sh -c "echo pulse ${version}; exec sleep 10000"\nstartsecs=0\n`,
    },
  };
  return {
    name: `pulse.v${version}.tar.gz`,
    mimeType: "application/gzip",
    buffer: Buffer.from(await packageTarball(files)),
  };
}

const row = (serial: string) => page.getByRole("row").filter({ hasText: serial });
const go = (name: string) => page.getByRole("link", { name, exact: true }).click();

/** From the content area, as an operator would. */
async function deploy(version: number): Promise<void> {
  await go("Content");
  await page.getByRole("link", { name: `Deploy pulse.v${version}.tar.gz` }).click();
  await page.getByRole("button", { name: "Deploy to 3 gateways" }).click();
  await page.getByRole("heading", { name: `install pulse ${version}` }).waitFor();
}

test("signs in, and is told of a wrong token", async () => {
  page = await browser.open();
  await page.getByLabel("Owner's token").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("this token is not known").waitFor();
  await expectAccessible(page);
  await page.getByLabel("Owner's token").fill(emulator.token);
  await page.getByLabel("Owner's token").press("Enter");
  await page.getByText("Live", { exact: true }).waitFor();
  for (const serial of serials) expect(await row(serial).textContent()).toContain("not activated");
});

test("sees gateways come up", async () => {
  for (const engine of engines) engine.start();
  for (const serial of serials) await row(serial).getByText("connected").waitFor();
  await page.getByRole("button", { name: "Online 3" }).waitFor();
});

test("uploads packages, and is told what is none", async () => {
  await go("Content");
  const files = await Promise.all([1, 2, 3].map(pulse));
  await page.getByLabel("Packages to upload").setInputFiles(files);
  for (const { name } of files) await page.getByRole("link", { name: `Deploy ${name}` }).waitFor();
  const odd = { name: "pulse.v4.tar.gz", mimeType: "application/gzip", buffer: Buffer.from("no gzip") };
  await page.getByLabel("Packages to upload").setInputFiles([odd]);
  await page.getByText("this is no gzip file").waitFor();
  await expectAccessible(page);
  await screenshot(page, "content");
});

test("deploys to all and watches them succeed", async () => {
  await deploy(1);
  await page.getByRole("img", { name: "3 succeeded" }).waitFor();
  await deploy(2);
  await page.getByRole("img", { name: "3 succeeded" }).waitFor();
  await expectAccessible(page);
  await screenshot(page, "deployed");
  await go("Fleet");
  for (const serial of serials) await row(serial).getByText("pulse 2 RUNNING").waitFor();
});

test("sees a deploy that fails rolled back, with the reason, and the old version running", async () => {
  await deploy(3);
  await page.getByRole("img", { name: "3 rolled-back" }).waitFor();
  expect(await row("GW-1").textContent()).toMatch(/pulse 3 rolled-back/);
  await screenshot(page, "rolled-back");
  await page.getByRole("link", { name: "GW-1" }).click();
  await go("Jobs and logs");
  await page.getByText("cannot find libpulse").waitFor();
  await go("Overview");
  await page.getByRole("listitem").filter({ hasText: "pulse 2" }).getByText("RUNNING").waitFor();
});

test("rolls out in waves, which stop by themselves after the first one failed", async () => {
  await go("Roll-outs");
  await page.getByRole("button", { name: "New roll-out…" }).click();
  await page.getByLabel("Package", { exact: true }).selectOption({ label: "pulse 3" });
  await page.getByLabel("Name").fill("pulse for all");
  await page.getByLabel("Waves, up to").fill("1, 100%");
  await page.getByLabel("Soak, seconds").fill("0");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByRole("heading", { name: "pulse for all" }).waitFor();
  await page.getByText("stopped", { exact: true }).first().waitFor();
  await page.getByRole("row").filter({ hasText: "rolled-back" }).waitFor();
  expect(await page.getByRole("row").filter({ hasText: "pending" }).count()).toBe(2);
  await page.getByRole("button", { name: "Resume" }).waitFor();
  await expectAccessible(page);
  await screenshot(page, "rollout-stopped");
  await page.getByRole("button", { name: "Abort" }).click();
  await page.getByText("aborted", { exact: true }).first().waitFor();
  await go("Fleet");
  for (const serial of serials) await row(serial).getByText("pulse 2 RUNNING").waitFor();
  await page.getByRole("link", { name: "GW-1" }).click();
});

test("fetches a log, restarts, sets the interval and removes on one gateway", async () => {
  await go("Jobs and logs");
  await page.getByRole("button", { name: "Fetch the last 200 lines" }).click();
  await page
    .getByLabel("Output of pulse")
    .getByText(/^pulse 2$/m)
    .first()
    .waitFor();
  await expectAccessible(page);
  await go("Overview");

  await page.getByRole("button", { name: "Restart pulse" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Restart", exact: true }).click();
  await page.getByText("pulse 2 restarted").waitFor();
  await page.getByRole("link", { name: "GW-1" }).click();

  await page.getByLabel("Seconds").fill("45");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await page.getByText("GW-1 is told to check in every 45 s").waitFor();

  await page.getByRole("button", { name: "Remove pulse" }).click();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("img", { name: "1 succeeded" }).waitFor();
  await go("Fleet");
  await expect.poll(() => row("GW-1").textContent()).not.toContain("pulse");
  expect(await row("GW-2").textContent()).toContain("pulse");
  // Taken with the check-in that told of the removal.
  await emulator.device(product, "GW-1").waitForValue("update_interval", (value) => value === "", 20_000);
});

test("sees its reports as texts and charts", async () => {
  await page.getByRole("link", { name: "GW-1" }).click();
  await go("Reports");
  await page.getByRole("heading", { name: "Machine" }).waitFor();
  await page.getByText("Linux").first().waitFor();
  await expectAccessible(page);
  await go("Charts");
  await page.getByRole("img", { name: /^Apps over time: running/ }).waitFor();
  await page.getByRole("img", { name: /^Memory and disk over time: memory \d+ %/ }).waitFor();
  await expectAccessible(page);
});

test("is told when a gateway is gone, and signs out", async () => {
  await go("Fleet");
  await row("GW-3").getByText("connected").waitFor();
  await engines[2]?.end("SIGKILL");
  await row("GW-3").getByText("connected").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Owner's token").waitFor();
  await page.reload();
  await page.getByLabel("Owner's token").waitFor();
  expect(browser.complaints(/status of 401/)).toEqual([]);
});
