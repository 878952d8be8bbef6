import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { TestEmulator } from "../support/emulator.ts";

/** Where screenshots are kept. */
const artefacts = process.env.GWE_CONSOLE_ARTEFACTS ?? join(tmpdir(), "gwe-console-screenshots");

/** Debian's Chromium on the console of one emulator. Whatever the page complains of fails the test. */
export class OperatorBrowser implements AsyncDisposable {
  readonly browser: Browser;
  readonly #emulator: TestEmulator;
  readonly #complaints: string[] = [];

  private constructor(browser: Browser, emulator: TestEmulator) {
    this.browser = browser;
    this.#emulator = emulator;
  }

  static async launch(emulator: TestEmulator): Promise<OperatorBrowser> {
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // Its own sandbox needs a user other than root, who runs continuous integration.
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
    return new OperatorBrowser(browser, emulator);
  }

  /** A page that nobody has signed in on. */
  async open(options: BrowserContextOptions = {}): Promise<Page> {
    // axe comes in by the debugger, past the page's policy, so that the policy itself stays in force.
    const context = await this.browser.newContext({
      viewport: { width: 1360, height: 800 },
      reducedMotion: "reduce",
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => this.#complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.#complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(this.#emulator.url)) this.#complaints.push(`asked ${request.url()}`);
    });
    await page.goto(`${this.#emulator.url}/console/`);
    return page;
  }

  async signedIn(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.open(options);
    await page.getByLabel("Owner's token").fill(this.#emulator.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    return page;
  }

  /** What pages complained of so far, but for what the test brought about itself. */
  complaints(expected?: RegExp): readonly string[] {
    return this.#complaints.filter((text) => !expected?.test(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
  }
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(artefacts, { recursive: true });
  await page.screenshot({ path: join(artefacts, `${name}.png`), animations: "disabled" });
}
