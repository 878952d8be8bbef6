import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestEmulator, type TestEmulator } from "../support/emulator.ts";
import { expectAccessible } from "./accessible.ts";
import { OperatorBrowser, screenshot } from "./operator-browser.ts";
import { storeFleet } from "./stored-fleet.ts";

let directory: string;
let emulator: TestEmulator;
let browser: OperatorBrowser;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "console-pages-"));
  await storeFleet(directory, 60);
  emulator = await startTestEmulator({ dataDirectory: directory });
  await emulator.addContent("pump-station", "meter.v1.3.0.tar.gz", new Uint8Array(18_000));
  browser = await OperatorBrowser.launch(emulator);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await emulator.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Every place, with what is there once it is complete. */
const places: readonly (readonly [place: string, text: string])[] = [
  ["", "00:40:9D:00:00:00"],
  ["content/pump-station", "1.3.0"],
  ["deploy", "will be told"],
  ["commands", "No command has been given"],
  ["rollouts?package=meter.v1.3.0.tar.gz", "Waves, up to"],
];
const tabs: readonly (readonly [tab: string, text: string])[] = [
  ["Charts", "Memory and disk"],
  ["Jobs and logs", "No command has ended yet"],
  ["Reports", "Bandwidth"],
  ["Overview", "Fullest file system"],
];

async function open(page: Page, place: string, text: string): Promise<void> {
  await page.goto(`${emulator.url}/console/#/${place}`);
  await page.locator("main").filter({ hasText: text }).waitFor();
}

test("every page has names, labels and contrast", async () => {
  const page = await browser.signedIn({ colorScheme: "dark" });
  for (const [place, text] of places) {
    await open(page, place, text);
    await expectAccessible(page);
  }
  await open(page, "", "00:40:9D:00:00:00");
  await page.getByRole("link", { name: "00:40:9D:00:00:00" }).click();
  for (const [tab, text] of tabs) {
    await page.getByRole("link", { name: tab }).click();
    await page.locator("main").filter({ hasText: text }).waitFor();
    await expectAccessible(page);
  }
  await screenshot(page, "gateway-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await expectAccessible(page);
  await screenshot(page, "gateway-light");
  await open(page, "", "00:40:9D:00:00:00");
  await expectAccessible(page);
});

test("a phone shows every page without scrolling sideways", async () => {
  const phone = await browser.signedIn({
    viewport: { width: 390, height: 780 },
    hasTouch: true,
    isMobile: true,
  });
  const width = () => phone.evaluate<number>("document.documentElement.scrollWidth");
  for (const [place, text] of places) {
    await open(phone, place, text);
    expect(await width(), place).toBeLessThanOrEqual(390);
  }
  await open(phone, "", "00:40:9D:00:00:00");
  await expectAccessible(phone);
  await screenshot(phone, "phone");
  await phone.getByRole("link", { name: "00:40:9D:00:00:00" }).click();
  await phone.getByText("Fullest file system").waitFor();
  expect(await width()).toBeLessThanOrEqual(390);
});

test("the page lives through a restart of the server", async () => {
  const page = await browser.signedIn();
  const { port } = new URL(emulator.url);
  await emulator.emulator.close();
  await page.getByText("Connection lost").waitFor();
  emulator = await startTestEmulator({ dataDirectory: directory, port: Number(port) });
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByRole("button", { name: "All 60" }).waitFor();
  // What the break itself makes the browser say is no complaint of the page's.
  expect(browser.complaints(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET/)).toEqual(
    [],
  );
});
