import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestEmulator, type TestEmulator } from "../support/emulator.ts";
import { expectAccessible } from "./accessible.ts";
import { OperatorBrowser, screenshot } from "./operator-browser.ts";
import { storeFleet } from "./stored-fleet.ts";

const count = 10_000;
let directory: string;
let emulator: TestEmulator;
let browser: OperatorBrowser;
let page: Page;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "large-fleet-"));
  await storeFleet(directory, count);
  emulator = await startTestEmulator({ dataDirectory: directory });
  await emulator.addContent("pump-station", "meter.v1.3.0.tar.gz", new Uint8Array(18_000));
  browser = await OperatorBrowser.launch(emulator);
  page = await browser.signedIn();
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await emulator.close();
  rmSync(directory, { recursive: true, force: true });
});

const filter = () => page.getByRole("searchbox", { name: "Filter" });
const shown = () => page.getByRole("status").filter({ hasText: /of 10,000/ });

/** Class of the element that has the focus. */
const focused = () => page.evaluate<string>("document.activeElement.className");

describe("with 10,000 gateways", () => {
  test("all are there, and only those in view are drawn", async () => {
    await page.getByRole("button", { name: "All 10,000" }).waitFor();
    expect(await page.getByRole("table", { name: "Gateways" }).getAttribute("aria-rowcount")).toBe("10001");
    expect(await page.getByRole("row").count()).toBeLessThan(60);
    await expectAccessible(page);
    await screenshot(page, "fleet");
  });

  test("a filter chooses while it is typed", async () => {
    await filter().fill("app.meter<1.1 disk>90");
    await expect.poll(() => shown().textContent()).toMatch(/^\d+ of 10,000$/);
    const chosen = Number((await shown().textContent())?.split(" ")[0]);
    const server = await emulator.owner(
      "GET",
      `/console/api/fleet?filter=${encodeURIComponent("app.meter<1.1 disk>90")}`,
    );
    expect(((await server.json()) as { gateways: unknown[] }).gateways).toHaveLength(chosen);
    expect(chosen).toBeGreaterThan(0);
    await filter().fill("prodct:x");
    await page.getByText("there is no 'prodct' to filter by").waitFor();
    await filter().fill("");
  });

  test("scrolling to the end draws the last rows and no more than before", async () => {
    await page.evaluate("document.querySelector('.table-frame').scrollTop = 1e9");
    await page.getByRole("row", { name: "00:40:9D:00:27:0F" }).waitFor();
    expect(await page.getByRole("row").count()).toBeLessThan(60);
    await page.evaluate("document.querySelector('.table-frame').scrollTop = 0");
    await page.getByRole("row", { name: "00:40:9D:00:00:00" }).waitFor();
  });

  test("a sort goes both ways and keeps what has no value last", async () => {
    const first = (text: string) => page.getByRole("row").nth(1).filter({ hasText: text }).waitFor();
    const order = () => page.getByRole("columnheader", { name: "Disk" }).getAttribute("aria-sort");
    await page.getByRole("button", { name: "Disk" }).click();
    await first("20 %");
    expect(await order()).toBe("ascending");
    await page.getByRole("button", { name: "Disk" }).click();
    await first("96 %");
    expect(await order()).toBe("descending");
    await page.getByRole("button", { name: "Gateway" }).click();
    await first("00:40:9D:00:00:00");
  });

  test("the keyboard alone reaches a gateway and comes back to the same filter", async () => {
    await filter().fill("is:failing product:pump-station");
    await page.getByRole("region", { name: "Gateways" }).focus();
    await page.keyboard.press("Tab");
    for (let n = 0; n < 20 && (await focused()) !== "identity"; n++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: /^00:40/ }).waitFor();
    expect(await page.evaluate("document.activeElement.tagName")).toBe("H1");
    await page.goBack();
    await expect.poll(() => filter().inputValue()).toBe("is:failing product:pump-station");
    await filter().fill("");
  });

  test("a command to hundreds is followed in one page", async () => {
    await filter().fill("sn:*:00:?? product:pump-station");
    await page.getByRole("link", { name: "Deploy…" }).click();
    await page.getByRole("button", { name: "Deploy to 205 gateways" }).click();
    await page.getByRole("img", { name: "205 waiting" }).waitFor();
    await expectAccessible(page);
    await page.getByRole("link", { name: "Fleet", exact: true }).click();
    await page.getByRole("button", { name: "Waiting 205" }).waitFor();
  });

  test("nothing made the page complain", () => {
    expect(browser.complaints()).toEqual([]);
  });
});
