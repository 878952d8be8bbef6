import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConsoleOperator, consoleFetch } from "../../support/console-operator.ts";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";

let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await startTestEmulator({ products: ["pump"] });
});
afterAll(() => emulator.close());

/** Moves the server's clock on. */
function later(seconds: number): void {
  const { serverClock } = emulator.emulator;
  serverClock.setOffset(serverClock.offsetS + seconds);
}

const signIn = (token: string) => consoleFetch(emulator.url, "POST", "api/session", { body: { token } });

describe("signing in", () => {
  test("takes the owner's token and gives a cookie that scripts cannot read and other sites cannot send", async () => {
    const answer = await signIn(emulator.token);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("set-cookie")).toMatch(
      /^gwe_console=[\w-]{43}; Path=\/console; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(answer.body.csrf).toMatch(/^[\w-]{43}$/);
  });

  test("is Secure behind a proxy that speaks TLS", async () => {
    const answer = await consoleFetch(emulator.url, "POST", "api/session", {
      body: { token: emulator.token },
      headers: { "X-Forwarded-Proto": "https" },
    });
    expect(answer.headers.get("set-cookie")).toContain("; Secure");
  });

  test("refuses unknown tokens, and after ten of them makes the address wait", async () => {
    expect((await signIn("wrong")).status).toBe(401);
    for (let n = 1; n < 10; n++) await signIn("wrong");
    const answer = await signIn(emulator.token);
    expect(answer.status).toBe(429);
    later(Number(answer.headers.get("retry-after")));
    expect((await signIn(emulator.token)).status).toBe(200);
  });

  test("refuses what a form of another site could send", async () => {
    const answer = await consoleFetch(emulator.url, "POST", "api/session", {
      body: { token: emulator.token },
      headers: { "Content-Type": "text/plain" },
    });
    expect(answer.status).toBe(415);
  });
});

describe("a session", () => {
  const products = (operator: ConsoleOperator) => operator.call("GET", "products");

  test("is asked for by everything but the page", async () => {
    for (const path of ["fleet", "products", "commands", "events", "gateways/x"]) {
      expect((await consoleFetch(emulator.url, "GET", `api/${path}`)).status, path).toBe(401);
    }
    expect((await consoleFetch(emulator.url, "POST", "api/commands", { body: {} })).status).toBe(401);
  });

  test("changes nothing without its CSRF token", async () => {
    const { cookie, csrf } = await ConsoleOperator.signIn(emulator);
    const remove = (token: string) =>
      consoleFetch(emulator.url, "DELETE", "api/content/pump/x", {
        headers: { Cookie: cookie, "X-CSRF-Token": token },
      });
    expect((await remove("")).status).toBe(403);
    expect((await remove(`${csrf.slice(0, -1)}~`)).status).toBe(403);
    expect((await remove(csrf)).status).toBe(404);
  });

  test("ends by signing out", async () => {
    const operator = await ConsoleOperator.signIn(emulator);
    expect((await products(operator)).body).toEqual({ products: ["pump"] });
    expect((await operator.call("DELETE", "session")).status).toBe(204);
    expect((await products(operator)).status).toBe(401);
  });

  test("ends after 12 hours without a request, not 12 hours after sign-in", async () => {
    const operator = await ConsoleOperator.signIn(emulator);
    later(11 * 3600);
    expect((await products(operator)).status).toBe(200);
    later(11 * 3600);
    expect((await products(operator)).status).toBe(200);
    later(12 * 3600 + 1);
    expect((await products(operator)).status).toBe(401);
  });

  test("ends when its token is withdrawn", async () => {
    const headers = { "X-Exosite-CIK": emulator.cik };
    const made = await fetch(`${emulator.url}/provision/admin/auth/`, {
      method: "POST",
      headers,
      body: new URLSearchParams({ id: "night-shift" }),
    });
    const token = (await made.text()).trim();
    const operator = await ConsoleOperator.signIn({ url: emulator.url, token });
    expect((await products(operator)).status).toBe(200);
    await fetch(`${emulator.url}/provision/admin/auth/night-shift`, { method: "DELETE", headers });
    expect((await products(operator)).status).toBe(401);
  });

  test("is not needed by a program with a token or the owner's CIK", async () => {
    const headers = { "X-Exosite-Token": emulator.token };
    const answer = await consoleFetch(emulator.url, "DELETE", "api/content/pump/x", { headers });
    expect(answer.status).toBe(404);
    const byCik = { "X-Exosite-CIK": emulator.cik };
    expect((await consoleFetch(emulator.url, "GET", "api/products", { headers: byCik })).status).toBe(200);
  });
});

test("a session survives a restart of the server", async () => {
  await using first = await startTestEmulator();
  const { dataDirectory } = first;
  const { cookie, csrf } = await ConsoleOperator.signIn(first);
  await first.emulator.close();
  const second = await startTestEmulator({ dataDirectory });
  const operator = new ConsoleOperator(second.url, cookie, csrf);
  expect((await operator.call("GET", "fleet")).status).toBe(200);
  await second.close();
});

describe("the page", () => {
  test("may load nothing from elsewhere, run no inline script and be framed by nobody", async () => {
    const { status, headers, body } = await consoleFetch(emulator.url, "GET", "");
    expect(status).toBe(200);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(body).toContain("<title>Gateway Engine</title>");
    expect(body).not.toMatch(/https?:\/\//);
    expect(body).not.toMatch(/<script(?![^>]* src=)/);
  });

  test("is revalidated by its ETag", async () => {
    const { headers } = await consoleFetch(emulator.url, "GET", "console.js");
    const again = await consoleFetch(emulator.url, "GET", "console.js", {
      headers: { "If-None-Match": headers.get("etag") ?? "" },
    });
    expect(again.status).toBe(304);
  });

  test("is found without the slash, and has no other files", async () => {
    const answer = await fetch(`${emulator.url}/console`, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([308, "/console/"]);
    for (const name of ["index.html/..%2f..%2fpackage.json", "..%2fgwe.js", "constructor"]) {
      expect((await consoleFetch(emulator.url, "GET", name)).status, name).toBe(404);
    }
  });
});
