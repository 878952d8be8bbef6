import type { TestEmulator } from "./emulator.ts";

/** A gateway's side of the wire, said by hand: reports what a test wants it to. */
export class ReportingGateway {
  readonly rid: string;
  readonly sn: string;
  readonly #url: string;
  readonly #cik: string;

  private constructor(url: string, cik: string, { rid, sn }: { rid: string; sn: string }) {
    this.#url = url;
    this.#cik = cik;
    this.rid = rid;
    this.sn = sn;
  }

  static async activate(emulator: TestEmulator, product: string, sn: string): Promise<ReportingGateway> {
    const { device, cik } = await emulator.addActivated(product, sn);
    return new ReportingGateway(emulator.url, cik, { rid: await device.rid(), sn });
  }

  /** One check-in: writes these values; resolves to the command that waits. */
  async checkIn(values: Readonly<Record<string, unknown>>): Promise<string> {
    const fields = Object.entries(values).map(([alias, value]): [string, string] => [
      alias,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const response = await fetch(`${this.#url}/onep:v1/stack/alias?engine_fetch`, {
      method: "POST",
      headers: { "X-Exosite-CIK": this.#cik },
      body: new URLSearchParams(fields),
    });
    return new URLSearchParams(await response.text()).get("engine_fetch") ?? "";
  }

  /** An engine with these apps, each `[name, version, status]`. */
  report(apps: readonly (readonly [string, string, string])[], engine = "0.1.0"): Promise<string> {
    const entries = apps.map(([name, version, status]) => ({
      [name]: { status, uptime: "0:01:00", exitstatus: 0, version },
    }));
    const own = [
      { gwe: { status: "RUNNING", uptime: "1:00:00", exitstatus: 0, version: engine } },
      { gmq: { status: "RUNNING", uptime: "1:00:00", exitstatus: 0, version: engine, entries: 7 } },
    ];
    return this.checkIn({ engine_report: { apps: [...entries, ...own] } });
  }

  /** Takes the command that waits, as an engine does. */
  async take(): Promise<{ readonly id: string }> {
    const text = await this.checkIn({ usage_report: {} });
    await this.checkIn({ engine_fetch: "" });
    return JSON.parse(text) as { id: string };
  }

  /** Says how a command ended. */
  async answer(id: string, status: string, output = ""): Promise<void> {
    const app = { name: "meter", version: "2", status, exit_code: 0, output, output_cut: 0 };
    await this.checkIn({ fetch_status: { id, apps: [{ ...app, started: null, finished: null }] } });
  }

  /** Holds a long poll until aborted. */
  async poll(signal: AbortSignal): Promise<void> {
    await fetch(`${this.#url}/onep:v1/stack/alias?engine_fetch`, {
      headers: { "X-Exosite-CIK": this.#cik, "Request-Timeout": "60000" },
      signal,
    }).catch(() => undefined);
  }
}
