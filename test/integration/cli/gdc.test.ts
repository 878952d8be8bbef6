import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { gweHome } from "../../support/gwe-home.ts";
import { runCommand, startCommand } from "../../support/run-command.ts";

const cik = "3803226073f6f2feb51a9010bd1d3e53143214a7";

interface SeenRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly cik: string | string[] | undefined;
  readonly userAgent: string | undefined;
  readonly body: string;
}

interface TinyMurano extends AsyncDisposable {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
}

/** Answers every request as the test says. */
async function tinyMurano(answer: (response: ServerResponse) => void): Promise<TinyMurano> {
  const seen: SeenRequest[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url, headers } = request;
      const body = Buffer.concat(chunks).toString();
      seen.push({ method, url, cik: headers["x-exosite-cik"], userAgent: headers["user-agent"], body });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const status = (code: number) => (response: ServerResponse) => {
  response.writeHead(code).end();
};

const values = (body: string) => (response: ServerResponse) => {
  response.writeHead(200, { "content-type": "application/x-www-form-urlencoded; charset=utf-8" }).end(body);
};

describe("gdc", () => {
  it("writes a value to the configured server, byte for byte, and says nothing", async () => {
    using home = gweHome();
    await using murano = await tinyMurano(status(204));
    home.gatewayCfg(`[device]\nserver_url = ${murano.url}\n`);
    const result = await runCommand("gdc", ["write", cik, "fetch_status", "a=b&c\nü -n"], home);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(murano.seen).toEqual([
      {
        method: "POST",
        url: "/onep:v1/stack/alias",
        cik,
        userAgent: expect.stringMatching(/^GatewayEngine-v/),
        body: expect.any(String),
      },
    ]);
    expect([...new URLSearchParams(murano.seen[0]?.body)]).toEqual([["fetch_status", "a=b&c\nü -n"]]);
  });

  it("is the gateway itself, as an app's script would call it", async () => {
    using home = gweHome();
    await using murano = await tinyMurano(values("t=21%2E5"));
    home.gatewayCfg(`[device]\nserver_url = ${murano.url}\ncik = ${cik}\n`);
    const script = 'echo "$(gdc read "$(gwe --gateway-cik)" t) $(gdc read --gateway t)"';
    const bin = new URL("../../../bin", import.meta.url).pathname;
    const result = await runCommand("/bin/sh", ["-c", script], {
      home: home.home,
      env: { PATH: `${bin}:${process.env.PATH}` },
    });
    expect(result).toMatchObject({ status: 0, stdout: "21.5 21.5\n", stderr: "" });
    expect(murano.seen.map((request) => [request.method, request.url, request.cik])).toEqual([
      ["GET", "/onep:v1/stack/alias?t", cik],
      ["GET", "/onep:v1/stack/alias?t", cik],
    ]);
  });

  it("reads several aliases, with a URL and no configuration", async () => {
    using home = gweHome();
    await using murano = await tinyMurano(values("b=2&a=x%3Dy"));
    const result = await runCommand("gdc", ["read", "--url", murano.url, "a", "none", "b"], {
      home: home.home,
      env: { GWE_CIK: cik },
    });
    expect(result).toMatchObject({ status: 0, stdout: "a=x=y\nb=2\n", stderr: "" });
  });

  it.each([
    [401, 6],
    [400, 1],
    [503, 5],
    [429, 5],
  ])("HTTP status %i is exit status %i and one line without the CIK", async (code, exit) => {
    using home = gweHome();
    await using murano = await tinyMurano(status(code));
    const result = await runCommand("gdc", ["write", "--url", murano.url, cik, "a", "1"], home);
    expect(result).toMatchObject({ status: exit, stdout: "" });
    expect(result.stderr).toMatch(/^gdc: [^\n]+\n$/);
    expect(result.stderr).not.toContain(cik);
    expect(murano.seen).toHaveLength(1);
  });

  it("a server that is away is exit status 5", async () => {
    using home = gweHome();
    const gone = await tinyMurano(status(204));
    await gone[Symbol.asyncDispose]();
    const result = await runCommand("gdc", ["write", "--url", gone.url, cik, "a", "1"], home);
    expect(result).toMatchObject({ status: 5, stdout: "" });
    expect(result.stderr).toMatch(/^gdc: [^\n]+\n$/);
  });

  it("takes the CIK out of its title while it works", async () => {
    using home = gweHome();
    const waiting: ServerResponse[] = [];
    await using murano = await tinyMurano((response) => waiting.push(response));
    const child = startCommand("gdc", ["write", "--url", murano.url, cik, "a", "1"], home);
    const ended = new Promise((resolve) => child.once("close", (code) => resolve(code)));
    await eventually("the request", () => waiting.length === 1);
    expect(readFileSync(`/proc/${child.pid}/cmdline`, "latin1")).not.toContain(cik);
    waiting[0]?.writeHead(204).end();
    expect(await ended).toBe(0);
  });
});
