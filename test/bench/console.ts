import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { OperatorBrowser } from "../console/operator-browser.ts";
import { storeFleet } from "../console/stored-fleet.ts";
import { startTestEmulator } from "../support/emulator.ts";
import { atMost, type Figure, median, plain } from "./figures.ts";

const gateways = 10_000;
const promisedMs = 100;
/** A phone's. */
const throttling = 4;
const frameMs = 1000 / 60;

/** How the console's table answers with ten thousand gateways in it, from an action to the frame that shows it. */
export async function benchConsole(): Promise<readonly Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "bench-console-"));
  await storeFleet(directory, gateways);
  await using emulator = await startTestEmulator({ dataDirectory: directory });
  await using browser = await OperatorBrowser.launch(emulator);
  const signedInAt = performance.now();
  const page = await browser.signedIn();
  await page.getByRole("button", { name: "All 10,000" }).waitFor();
  const liveMs = performance.now() - signedInAt;
  const figures = await answering(page, "");
  const debugged = await page.context().newCDPSession(page);
  await debugged.send("Emulation.setCPUThrottlingRate", { rate: throttling });
  const slow = await answering(page, `, processor ${throttling} times slower`);
  const fleet = await emulator.owner("GET", "/console/api/fleet?filter=");
  const json = Buffer.from(await fleet.arrayBuffer());
  rmSync(directory, { recursive: true, force: true });
  return [
    plain("sign-in to the whole fleet on screen", `${liveMs.toFixed(0)} ms`),
    plain("the fleet on the wire", `${kilobytes(gzipSync(json, { level: 3 }))} of ${kilobytes(json)}`),
    plain("two frames of the browser, which every figure holds", `${(2 * frameMs).toFixed(0)} ms`),
    ...figures,
    ...slow,
  ];
}

async function answering(page: Page, where: string): Promise<readonly Figure[]> {
  const actions: Readonly<Record<string, readonly string[]>> = {
    filter: ["m", "me", "met", "app:meter", "app.meter<1.1", "disk>50", "is:failing", ""].map(typing),
    scroll: [2000, 40_000, 120_000, 360_000, 180_000, 0].map(scrollingTo),
    sort: ["Disk", "Memory", "Queue", "Product", "Gateway"].map(sortingBy),
  };
  const figures: Figure[] = [];
  for (const [what, own] of Object.entries(actions)) {
    const all = await times(page, own);
    figures.push(
      atMost(`${what}${where}, median`, median(all), promisedMs, "ms"),
      plain(`${what}${where}, worst`, `${Math.max(...all).toFixed(0)} ms`),
    );
  }
  return figures;
}

function kilobytes({ length }: Buffer): string {
  return `${Math.round(length / 1000)} kB`;
}

async function times(page: Page, actions: readonly string[]): Promise<number[]> {
  const all: number[] = [];
  for (const action of actions) {
    // As text: by the debugger, which the page's policy does not bind.
    all.push(
      await page.evaluate<number>(`(async () => {
        const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
        await frame();
        const start = performance.now();
        ${action};
        await frame();
        await frame();
        return performance.now() - start;
      })()`),
    );
  }
  return all;
}

function typing(text: string): string {
  return `const input = document.querySelector("input[type=search]");
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, ${JSON.stringify(text)});
    input.dispatchEvent(new Event("input", { bubbles: true }))`;
}

function scrollingTo(top: number): string {
  return `document.querySelector(".table-frame").scrollTop = ${top}`;
}

function sortingBy(name: string): string {
  return `[...document.querySelectorAll(".sort")].find((one) => one.textContent.startsWith("${name}")).click()`;
}
