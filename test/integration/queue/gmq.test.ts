/** `gmq` and the queue as users meet them: a real engine, its control socket, its HTTP API, an emulated Murano. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { DeadLetterRecord } from "../../../src/core/queue-control.ts";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { EngineProcess, eventually } from "../../support/engine-process.ts";
import { type CommandResult, runCommand } from "../../support/run-command.ts";

const product = "p";
const base = 1_700_000_000;

class Gateway implements AsyncDisposable {
  readonly murano: TestEmulator;
  readonly engine: EngineProcess;

  private constructor(murano: TestEmulator) {
    this.murano = murano;
    this.engine = new EngineProcess({ serverUrl: murano.url, product, serial: "gateway" });
  }

  static async start(): Promise<Gateway> {
    const gateway = new Gateway(await startTestEmulator({ openActivation: true }));
    await gateway.startEngine();
    return gateway;
  }

  async startEngine(): Promise<void> {
    this.engine.start();
    await eventually("the queue to serve", () => this.port() !== undefined && this.answers());
  }

  async record(alias: string, points: string): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${this.port()}/onep:v1/stack/alias/${alias}`, {
      method: "POST",
      headers: { "X-Exosite-VMS": `${product} ${product} app` },
      body: points,
    });
    expect(answer.status).toBe(204);
  }

  gmq(...args: readonly string[]): Promise<CommandResult> {
    return runCommand("gmq", args, { home: this.engine.home });
  }

  async dead(): Promise<readonly DeadLetterRecord[]> {
    const { stdout } = await this.gmq("dead", "list", "--json");
    return JSON.parse(stdout) as DeadLetterRecord[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
    await this.murano.close();
  }

  private port(): string | undefined {
    try {
      return readFileSync(this.engine.paths.queuePort, "utf8").trim();
    } catch {
      return undefined; // Not there yet.
    }
  }

  private async answers(): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.port()}/healthz`).catch(() => undefined);
    return answer?.status === 200;
  }
}

describe("gmq dead", () => {
  it("lists what Murano refused, shows why, sends it again, and deletes it", async () => {
    await using gateway = await Gateway.start();
    const { murano } = gateway;
    expect((await gateway.gmq("dead", "list")).stdout).toBe("No dead letters.\n");
    murano.addFault({ match: { procedure: "record", device: "app" }, status: 400, body: "no such thing" });
    await gateway.record("temp", `${base}=one&${base + 1}=two%26%0Alines`);
    await gateway.record("temp", `${base + 2}=three`);
    expect(await gateway.gmq("drain")).toMatchObject({
      status: 0,
      stdout: "Nothing waits any more of 3 entries: 3 became dead letters (gmq dead list).\n",
    });
    const [three, two, one] = await gateway.dead();
    expect([one?.value, two?.value, three?.value]).toEqual(["one", "two&\nlines", "three"]);
    const list = (await gateway.gmq("dead", "list", "-n", "2")).stdout.split("\n");
    expect(list).toHaveLength(4);
    expect(list[1]).toMatch(
      new RegExp(`^${three?.seq} +p p app +temp +2023-11-14T22:13:22.000Z +rejected +400`),
    );

    const shown = await gateway.gmq("dead", "show", `${two?.seq}`);
    expect(shown.stdout).toMatch(/^Answer +no such thing/m);
    expect(JSON.parse((await gateway.gmq("dead", "show", `${two?.seq}`, "--json")).stdout)).toEqual(two);
    const nobody = await gateway.gmq("dead", "show", "999999");
    expect(nobody).toMatchObject({ stdout: "", stderr: expect.stringContaining("no dead letter 999999") });
    expect(nobody.status).not.toBe(0);
    for (const asked of [
      ["dead", "-h"],
      ["drain", "--help"],
      ["dead", "list", "-h"],
    ]) {
      expect(await gateway.gmq(...asked)).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^usage: gmq/),
      });
    }
    for (const wrong of [["retry"], ["purge", "--all", "1"], ["show", "x"], ["bury"]]) {
      expect((await gateway.gmq("dead", ...wrong)).status).toBe(2);
    }

    murano.clearFaults();
    expect((await gateway.gmq("dead", "retry", `${two?.seq}`)).stdout).toBe("1 put back into the queue.\n");
    expect(await gateway.gmq("drain")).toMatchObject({
      status: 0,
      stdout: "Nothing waits any more of 1 entry.\n",
    });
    expect(await murano.device(product, "app").history("temp")).toEqual([[base + 1, "two&\nlines"]]);
    expect((await gateway.dead()).map(({ seq }) => seq)).toEqual([three?.seq, one?.seq]);
    expect((await gateway.gmq("dead", "purge", `${three?.seq}`)).stdout).toBe("1 deleted.\n");
    expect((await gateway.gmq("dead", "purge", `${three?.seq}`)).stdout).toBe("0 deleted.\n");
    expect((await gateway.gmq("dead", "retry", "--all")).stdout).toBe("1 put back into the queue.\n");
    expect((await gateway.gmq("drain")).status).toBe(0);
    expect(await gateway.dead()).toEqual([]);
    expect(await murano.device(product, "app").history("temp")).toHaveLength(2);
  });
});

describe("an engine that is killed between Murano's commit and its own", () => {
  it("sends the same points again, and Murano has each once", async () => {
    await using gateway = await Gateway.start();
    const { murano, engine } = gateway;
    const device = murano.device(product, "app");
    // Of three within a second two move on: they must do so to the same seconds.
    await gateway.record("temp", `${base}=a&${base}.2=b&${base}.4=c&${base + 9}=d`);
    murano.addFault({ match: { procedure: "record", device: "app" }, drop: "after" });
    void gateway.gmq("drain");
    const points = await eventually("Murano to have them", async () => {
      const known = await device.history("temp").catch(() => []);
      return known.length === 4 && known;
    });
    await engine.end("SIGKILL");
    const sent = murano.requests({ procedure: "record", device: "app" }).length;
    murano.clearFaults();
    await gateway.startEngine();
    await gateway.record("temp", `${base}.6=e`);
    expect((await gateway.gmq("drain")).status).toBe(0);
    expect(murano.requests({ procedure: "record", device: "app" }).length).toBeGreaterThan(sent);
    expect(points.map(([, value]) => value)).toEqual(["a", "b", "c", "d"]);
    // The newcomer too takes no second that was used before the kill.
    expect(await device.history("temp")).toEqual(
      [...points, [base + 3, "e"]].sort(([one], [other]) => Number(one) - Number(other)),
    );
    const status = await gateway.gmq("status", "--json");
    expect(JSON.parse(status.stdout)).toMatchObject({ entries: 0, counts: { accepted: 5, delivered: 5 } });
  });
});
