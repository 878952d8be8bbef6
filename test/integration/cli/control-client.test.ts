import { mkdtempSync, rmSync } from "node:fs";
import { type Agent, type AgentOptions, globalAgent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ControlClient } from "../../../src/cli/control-client.ts";
import { controlServer } from "../../support/control-server.ts";

it("an installation may take longer than Node waits for an answer by itself", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gwe-control-"));
  // Node's types leave out what an agent was made with.
  const { options } = globalAgent as Agent & { readonly options: AgentOptions };
  const patience = options.timeout;
  options.timeout = 50;
  try {
    const results = [{ name: "meter", version: "2", status: "installed", exitCode: 0, output: "" }];
    await using _server = await controlServer(join(directory, "control.sock"), (_request, response) => {
      setTimeout(() => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify(results));
      }, 300);
      return undefined;
    });
    const client = new ControlClient({ socketPath: join(directory, "control.sock") });
    expect(await client.install(["/tmp/meter.v2.tar.gz"])).toEqual(results);
  } finally {
    options.timeout = patience;
    rmSync(directory, { recursive: true });
  }
});
