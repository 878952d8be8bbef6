import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startQueueApi, vms } from "../../support/queue-api.ts";

const writePath = "/onep:v1/stack/alias";
const recordPath = "/onep:v1/stack/record";

describe("the queue's local API", () => {
  it("answers a write with 204 and keeps each value with the time of the request", async () => {
    const api = await startQueueApi();
    const reply = await api.call({ path: writePath, headers: vms, body: "a=1&b=2" });
    expect(reply).toMatchObject({ status: 204, body: "" });
    const second = Date.UTC(2026, 0, 1) / 1000;
    expect(await api.entries()).toMatchObject([
      { alias: "a", value: "1", second },
      { alias: "b", value: "2", second },
    ]);
  });

  it("takes records in both forms, with fractions of seconds", async () => {
    const api = await startQueueApi();
    const older = await api.call({
      path: `${writePath}/t%20x`,
      headers: vms,
      body: "1700000000.75=p&1700000002=q",
    });
    const newer = await api.call({ path: recordPath, headers: vms, body: "alias=u&5=r&alias=v&6=s&7=" });
    expect([older.status, newer.status]).toEqual([204, 204]);
    expect(
      (await api.entries()).map(({ alias, timeMs, second, value }) => [alias, timeMs, second, value]),
    ).toEqual([
      ["t x", 1_700_000_000_750, 1_700_000_000, "p"],
      ["t x", 1_700_000_002_000, 1_700_000_002, "q"],
      ["u", 5_000, 5, "r"],
      ["v", 6_000, 6, "s"],
      ["v", 7_000, 7, ""],
    ]);
  });

  it("brings any text through byte for byte", async () => {
    const api = await startQueueApi();
    let at = 0;
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 200 }), async (value) => {
        at += 1;
        const body = `alias=x&${at}=${encodeURIComponent(value)}`;
        expect((await api.call({ path: recordPath, headers: vms, body })).status).toBe(204);
        expect(await api.entries()).toMatchObject([{ value, second: at }]);
      }),
      { numRuns: 50, examples: [["a&b=c%20+\n\r\0"], [""], ["é€😀"], ["x".repeat(65_536)]] },
    );
  });

  it("takes what clients leave unescaped as it is", async () => {
    const api = await startQueueApi();
    await api.call({ path: writePath, headers: vms, body: "a=x=y 100%\n&b=1+1&c=%zz&d=ü" });
    expect((await api.entries()).map(({ value }) => value)).toEqual(["x=y 100%\n", "1 1", "%zz", "ü"]);
  });

  it.each([
    [writePath, "", "nothing to write"],
    [writePath, "a", "expected <name>=<value>"],
    [writePath, "=1", "an alias has"],
    [writePath, "a=%ff", "UTF-8"],
    [writePath, `a=${"x".repeat(65_537)}`, "65536"],
    [recordPath, "1=2", "expected alias="],
    [recordPath, "alias=a", "nothing to record"],
    [recordPath, "alias=a&yesterday=2", "unix seconds"],
    [recordPath, "alias=a&-1=2", "unix seconds"],
    [recordPath, "alias=a&1700000000000=2", "unix seconds"],
    [`${writePath}/a`, "", "nothing to record"],
  ])("refuses %s with %j, says why and keeps nothing", async (path, body, reason) => {
    const api = await startQueueApi();
    const reply = await api.call({ path, headers: vms, body });
    expect(reply.status).toBe(400);
    expect(reply.body).toContain(reason);
    expect(api.store.status().entries).toBe(0);
  });

  it("wants to know who is asking, and takes VMS before a CIK", async () => {
    const api = await startQueueApi();
    const cik = "c".repeat(40);
    const ask = async (headers: Record<string, string>) =>
      (await api.call({ path: writePath, headers, body: "a=1" })).status;
    expect(await ask({})).toBe(401);
    expect(await ask({ "X-Exosite-CIK": "short" })).toBe(400);
    expect(await ask({ "X-Exosite-VMS": "vendor model" })).toBe(400);
    expect(await ask({ "X-Exosite-VMS": "v m one, v m two" })).toBe(400);
    expect(await ask({ "X-Exosite-VMS": "only-one", "X-Exosite-CIK": cik })).toBe(400);
    expect(await ask({ ...vms, "X-Exosite-CIK": cik })).toBe(204);
    expect(api.store.identities.list()).toMatchObject([
      { vms: { vendor: "vendor", model: "model", sn: "serial" } },
    ]);
    expect(await ask({ "X-Exosite-CIK": cik })).toBe(204);
    expect(api.store.identities.list()).toMatchObject([{}, { vms: undefined, cik }]);
  });

  it.each([
    "localhost",
    "LOCALHOST:8090",
    "127.0.0.1:8090",
    "[::1]:8090",
    "localhost:",
    "[::1%25lo]:8090",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "abc123.m2.exosite.com",
    "m2.exosite.io.",
  ])("serves requests for host %s", async (host) => {
    const api = await startQueueApi();
    const reply = await api.call({ path: writePath, headers: { ...vms, Host: host }, body: "a=1" });
    expect(reply.status).toBe(204);
  });

  it.each([
    { Host: "evil.example" },
    { Host: "localhost.evil.example" },
    { Host: "m2.exosite.com.evil.example" },
    { Host: "127.0.0.1.evil.example:8090" },
    { Host: "0.0.0.0:8090" },
    { Host: "[::ffff:10.0.0.1]" },
    { Host: "[::1].evil.example" },
    { Origin: "http://localhost" },
    { Origin: "null" },
  ])("keeps web pages out: %j", async (headers) => {
    const api = await startQueueApi();
    const reply = await api.call({ path: writePath, headers: { ...vms, ...headers }, body: "a=1" });
    expect(reply.status).toBe(403);
    expect(api.store.status().entries).toBe(0);
  });

  it("understands targets as proxies' clients and cautious libraries write them, for no other host", async () => {
    const api = await startQueueApi();
    const ask = async (path: string) => (await api.call({ path, headers: vms, body: "a=1" })).status;
    expect(await ask(`http://p.m2.exosite.com${writePath}`)).toBe(204);
    expect(await ask(`HTTP://localhost:8090/onep%3Av1/stack/alias`)).toBe(204);
    expect(await ask("/onep%3av1/stack/alias/a?1=2")).toBe(400);
    expect(await ask(`http://evil.example${writePath}`)).toBe(403);
    expect(await ask(`http://localhost@evil.example${writePath}`)).toBe(403);
    expect(await ask("http://localhost")).toBe(404);
    expect(api.store.status().entries).toBe(2);
  });

  it("serves the same on ::1 and on a Unix socket, and a client without Host", async () => {
    const api = await startQueueApi();
    const call = { path: writePath, headers: vms, body: "a=1" };
    expect((await api.call(call, { host: "::1" })).status).toBe(204);
    expect((await api.call(call, { socketPath: api.socketPath })).status).toBe(204);
    const answer = await rawExchange(
      api.port,
      `POST ${writePath} HTTP/1.1\r\nX-Exosite-VMS: v m s\r\nContent-Length: 3\r\nConnection: close\r\n\r\na=1`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 204 /);
  });

  it("has limits on bodies, headers and connections", async () => {
    const api = await startQueueApi({ settings: { maxBodyBytes: 1_000, maxConnections: 2 } });
    const body = `a=${"x".repeat(1_000)}`;
    expect((await api.call({ path: writePath, headers: vms, body })).status).toBe(413);
    const chunked = { ...vms, "Transfer-Encoding": "chunked" };
    expect((await api.call({ path: writePath, headers: chunked, body })).status).toBe(413);
    const headers = { ...vms, "X-Long": "x".repeat(10_000) };
    expect((await api.call({ path: writePath, headers, body: "a=1" })).status).toBe(431);
    const idle = [connect(api.port, "127.0.0.1"), connect(api.port, "127.0.0.1")];
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
    await expect(api.call({ path: writePath, headers: vms, body: "a=1" })).rejects.toThrow();
    for (const socket of idle) socket.destroy();
  });

  it("takes a body as large as it may be, whatever it takes in memory by default", async () => {
    const api = await startQueueApi({ settings: { maxBodyBytes: 20 * 1024 * 1024 } });
    const body = `a=${"x".repeat(65_530)}&`.repeat(300);
    expect(Buffer.byteLength(body)).toBeGreaterThan(17 * 1024 * 1024);
    expect((await api.call({ path: writePath, headers: vms, body })).status).toBe(204);
    expect(api.store.status().entries).toBe(300);
  });

  it("gives up on a client that does not finish its request", async () => {
    const api = await startQueueApi({ settings: { requestTimeoutMs: 200 } });
    const answer = await rawExchange(
      api.port,
      `POST ${writePath} HTTP/1.1\r\nX-Exosite-VMS: v m s\r\nContent-Length: 100\r\n\r\na=`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(api.store.status().entries).toBe(0);
  });

  it("activates through its port: the CIK when there is one, else 204", async () => {
    const cik = "k".repeat(40);
    const api = await startQueueApi({
      ports: { activator: { activate: ({ sn }) => Promise.resolve(sn === "good" ? cik : undefined) } },
    });
    const path = "/provision/activate";
    const ask = (body: string, headers = {}) => api.call({ path, headers, body });
    expect(await ask("vendor=v&model=m&sn=good")).toMatchObject({ status: 200, body: cik });
    expect(await ask("vendor=v&model=m&sn=other")).toMatchObject({ status: 204, body: "" });
    expect((await ask("vendor=v&sn=good")).status).toBe(400);
    expect((await ask("id=good", { Host: "pid.m2.exosite.io" })).status).toBe(200);
    expect(api.store.identities.list().map(({ vms: known }) => known?.vendor)).toEqual(["v", "v", "pid"]);
  });

  it("passes reads through, and says 503 when Murano cannot be reached", async () => {
    let isOnline = false;
    const read = (_caller: unknown, aliases: readonly string[]) =>
      Promise.resolve(
        isOnline ? { status: 200, values: new Map(aliases.map((alias) => [alias, "a&b"])) } : undefined,
      );
    const api = await startQueueApi({ ports: { readThrough: { read } } });
    const ask = () => api.call({ method: "GET", path: `${writePath}?x&y%20z`, headers: vms });
    expect((await ask()).status).toBe(503);
    isOnline = true;
    expect(await ask()).toMatchObject({ status: 200, body: "x=a%26b&y%20z=a%26b" });
    const hybrid = await api.call({ path: `${writePath}?x`, headers: vms, body: "a=1" });
    expect(hybrid).toMatchObject({ status: 200, body: "x=a%26b" });
    expect(api.store.status().entries).toBe(1);
  });

  it("never lets a read that fails look as if the write beside it had", async () => {
    let status = 401;
    const read = () => Promise.resolve({ status, values: new Map<string, string>() });
    const api = await startQueueApi({ ports: { readThrough: { read } } });
    const hybrid = async (query: string) =>
      (await api.call({ path: `${writePath}?${query}`, headers: vms, body: "a=1" })).status;
    expect(await hybrid("x")).toBe(204);
    status = 429;
    expect(await hybrid("x")).toBe(204);
    expect(api.store.status().entries).toBe(2);
    // What is malformed is refused before anything is kept.
    expect([await hybrid("%ff"), await hybrid("&")]).toEqual([400, 400]);
    expect(api.store.status().entries).toBe(2);
  });

  it("answers unknown paths with 404 and other methods with 405", async () => {
    const api = await startQueueApi();
    expect((await api.call({ path: "/nothing" })).status).toBe(404);
    expect(await api.call({ method: "DELETE", path: writePath })).toMatchObject({
      status: 405,
      headers: { allow: "POST, GET" },
    });
  });

  it("tells Prometheus how it is", async () => {
    const api = await startQueueApi();
    const headers = { "X-Exosite-VMS": 'v"1 m\\ serial' };
    await api.call({ path: writePath, headers, body: "a=1" });
    const { body, status } = await api.call({ method: "GET", path: "/metrics" });
    expect(status).toBe(200);
    expect(body).toContain("gmq_entries 1\n");
    expect(body).toContain('gmq_identity_entries{identity="v\\"1 m\\\\ serial",lane="live"} 1\n');
    expect(body).toContain('gmq_upload_requests_total{result="204"} 3\n');
    // Prometheus' own judge of the format (Debian's package prometheus).
    const verdict = spawnSync("promtool", ["check", "metrics"], { input: body, encoding: "utf8" });
    expect(verdict).toMatchObject({ status: 0, stderr: "" });
    expect((await api.call({ method: "GET", path: "/healthz" })).body).toBe('{"status":"ok"}\n');
  });
});

/** @returns all that the server says until it closes the connection */
function rawExchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.setEncoding("latin1").on("data", (chunk) => {
      answer += chunk;
    });
    socket.once("close", () => resolve(answer));
    socket.once("error", reject);
  });
}
