import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import type { Caller, Series } from "../../../src/queue/types.ts";
import { RigError } from "../errors.ts";

/** An app on a connection of its own, which it keeps. */
export class App {
  private readonly port: number;
  private readonly identity: Readonly<Record<string, string>>;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port: number, caller: Caller) {
    this.port = port;
    this.identity =
      caller.kind === "cik"
        ? { "X-Exosite-CIK": caller.cik }
        : { "X-Exosite-VMS": `${caller.vendor} ${caller.model} ${caller.sn}` };
  }

  /** The newest point alone, at the time of its receipt. Resolves when it is acknowledged. */
  write({ alias, values }: Series): Promise<void> {
    return this.post("/onep:v1/stack/alias", [[alias, values.at(-1) ?? ""]]);
  }

  record({ alias, times, values }: Series): Promise<void> {
    const points = values.map((value, index) => [String((times[index] ?? 0) / 1000), value] as const);
    return this.post("/onep:v1/stack/record", [["alias", alias], ...points]);
  }

  private async post(path: string, form: readonly (readonly [string, string])[]): Promise<void> {
    const { port, agent, identity } = this;
    const call = request({ host: "127.0.0.1", port, agent, path, method: "POST", headers: identity });
    call.end(form.map((pair) => pair.map(encodeURIComponent).join("=")).join("&"));
    const [response] = (await once(call, "response")) as [IncomingMessage];
    response.resume();
    if (response.statusCode !== 204) throw new RigError(`the queue answered ${response.statusCode}`);
  }
}
