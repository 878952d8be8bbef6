import { describe, expect, test } from "vitest";
import { NetworkError } from "../../../src/device-client/index.ts";
import { certificate, type DatedCertificate, root } from "../../support/dated-certificates.ts";
import { answer, connect, rejection } from "../../support/device-client-fixtures.ts";
import { serveProxy } from "../../support/device-client-proxy.ts";
import { serve } from "../../support/device-client-wire-server.ts";

// Certificates of 2030: to this machine they are not valid yet, as today's are to one in 1970.
const in2030 = Date.UTC(2030, 5, 1);
const in2040 = Date.UTC(2040, 5, 1);
const host = "subjectAltName=DNS:localhost";
const authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];

function leaf(issuer: DatedCertificate | undefined, change: Partial<Parameters<typeof certificate>[0]> = {}) {
  const request = { name: "localhost", from: "2030-01-01", days: 365, extensions: [host], ...change };
  return certificate({ ...request, ...(issuer && { issuer }) });
}

/** A server with this chain that tells the time of 2030. Sends `chain` after its own certificate. */
async function murano(own: DatedCertificate, chain: readonly DatedCertificate[] = []) {
  const cert = [own, ...chain].map((one) => one.cert).join("");
  const server = await serve(
    ({ url }, response) => {
      if (url === "/timestamp")
        response.writeHead(200, { "Content-Type": "text/plain" }).end(String(in2030 / 1000));
      else answer(response, 204);
    },
    { key: own.key, cert },
  );
  return { ...server, url: `https://localhost:${server.port}` };
}

/** What came of a write under a clock of another time than the system's. */
async function outcome(
  own: DatedCertificate,
  options: { ca: string; chain?: readonly DatedCertificate[]; timeMs?: number | undefined },
): Promise<unknown> {
  const server = await murano(own, options.chain);
  const { timeMs = in2030 } = options;
  const { client } = connect(server.url, { ca: options.ca, certificateTime: () => timeMs });
  const result = await client.write({ a: "1" }).then(
    () => "written",
    (error: unknown) => (error instanceof NetworkError ? error.context.code : error),
  );
  expect(server.requests).toHaveLength(result === "written" ? 1 : 0);
  return result;
}

describe("a device client whose machine does not know the time", () => {
  const ca = root("authority");

  test("verifies certificates at the time it is told", async () => {
    const server = await murano(leaf(ca));
    const bySystem = connect(server.url, { ca: ca.cert });
    expect(await rejection(bySystem.client.write({ a: "1" }))).toMatchObject({
      context: { code: "CERT_NOT_YET_VALID" },
    });
    expect(await outcome(leaf(ca), { ca: ca.cert })).toBe("written");
    expect(await outcome(leaf(ca), { ca: ca.cert, timeMs: Date.now() })).toBe("CERT_NOT_YET_VALID");
    expect(await outcome(leaf(ca), { ca: ca.cert, timeMs: in2040 })).toBe("CERT_HAS_EXPIRED");
  });

  test("takes a chain with an intermediate, a server that is its own authority, and Node's list", async () => {
    const middle = certificate({
      name: "intermediate",
      issuer: ca,
      from: "2029-01-01",
      days: 3_650,
      extensions: ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign"],
    });
    expect(await outcome(leaf(middle), { ca: ca.cert, chain: [middle] })).toBe("written");
    expect(await outcome(leaf(middle), { ca: ca.cert })).toBe("UNABLE_TO_GET_ISSUER_CERT");
    const own = leaf(undefined);
    expect(await outcome(own, { ca: own.cert })).toBe("written");
    const server = await murano(own);
    const { client } = connect(server.url, { certificateTime: () => in2030 });
    expect(await rejection(client.write({ a: "1" }))).toMatchObject({
      context: { code: "UNABLE_TO_GET_ISSUER_CERT" },
    });
  });

  const other = root("authority");
  const notAuthority = leaf(ca, { extensions: [host, "basicConstraints=critical,CA:FALSE"] });
  const short = certificate({
    name: "no further",
    issuer: ca,
    from: "2029-01-01",
    days: 3_650,
    extensions: ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign"],
  });
  const tooFar = certificate({
    name: "one too many",
    issuer: short,
    from: "2029-01-01",
    days: 3_650,
    extensions: authority,
  });
  const expired = certificate({
    name: "old",
    issuer: ca,
    from: "2021-01-01",
    days: 30,
    extensions: authority,
  });
  const constrained = certificate({
    name: "elsewhere",
    issuer: ca,
    from: "2029-01-01",
    days: 3_650,
    extensions: [...authority, "nameConstraints=permitted;DNS:example.com"],
  });
  test.each<[string, DatedCertificate, readonly DatedCertificate[], unknown]>([
    ["an authority of the same name", leaf(other), [], "UNABLE_TO_GET_ISSUER_CERT"],
    ["nobody but itself", leaf(undefined), [], "UNABLE_TO_GET_ISSUER_CERT"],
    ["a certificate that is none of an authority", leaf(notAuthority), [notAuthority], "INVALID_CA"],
    ["a chain that an authority forbids", leaf(tooFar), [tooFar, short], "PATH_LENGTH_EXCEEDED"],
    ["an authority that has expired", leaf(expired), [expired], "CERT_HAS_EXPIRED"],
    ["an authority for other names", leaf(constrained), [constrained], "UNHANDLED_CRITICAL_EXTENSION"],
    [
      "a certificate for clients",
      leaf(ca, { extensions: [host, "extendedKeyUsage=clientAuth"] }),
      [],
      "INVALID_PURPOSE",
    ],
    [
      "a key that signs certificates only",
      leaf(ca, { extensions: [host, "keyUsage=cRLSign"] }),
      [],
      "INVALID_PURPOSE",
    ],
    [
      "an unknown critical extension",
      leaf(ca, { extensions: [host, "1.2.3.4=critical,ASN1:NULL"] }),
      [],
      "UNHANDLED_CRITICAL_EXTENSION",
    ],
    [
      "another host",
      leaf(ca, { extensions: ["subjectAltName=DNS:murano.example"] }),
      [],
      "ERR_TLS_CERT_ALTNAME_INVALID",
    ],
    ["a hash that is broken", leaf(ca, { digest: "sha1" }), [], "CERT_TOO_WEAK"],
  ])("refuses %s, and sends it nothing", async (_what, own, chain, code) => {
    expect(await outcome(own, { ca: ca.cert, chain })).toBe(code);
    // Nor does it ask it for the time.
    const server = await murano(own, chain);
    const { client } = connect(server.url, { ca: ca.cert });
    expect(await rejection(client.timestampFromAnyTime(Date.now() / 1000))).toMatchObject({
      context: { code },
    });
    expect(server.requests).toHaveLength(0);
  });

  test("verifies an https proxy at the same time", async () => {
    const server = await murano(leaf(ca, { extensions: ["subjectAltName=DNS:murano.test"] }));
    const through = async (issuer: DatedCertificate) => {
      const tls = leaf(issuer, { extensions: ["subjectAltName=IP:127.0.0.1"] });
      const proxy = await serveProxy({ targetPort: server.port, tls });
      const proxyEnvironment = { HTTPS_PROXY: proxy.url };
      const certificateTime = () => in2030;
      return { proxy, ...connect("https://murano.test", { ca: ca.cert, certificateTime, proxyEnvironment }) };
    };
    const own = await through(ca);
    await own.client.write({ a: "1" });
    expect(own.proxy.asked).toHaveLength(1);
    const foreign = await through(other);
    expect(await rejection(foreign.client.write({ a: "1" }))).toMatchObject({
      context: { code: "UNABLE_TO_GET_ISSUER_CERT" },
    });
    expect(foreign.proxy.asked).toHaveLength(0);
  });
});

describe("the time of a machine that does not know it", () => {
  const ca = root("authority");
  const since = (time: number): number => Math.floor(time / 1000);

  test("is had from a server whose certificate is valid then, and nothing else is asked of it", async () => {
    const server = await murano(leaf(ca));
    const { client } = connect(server.url, { ca: ca.cert });
    expect(await client.timestampFromAnyTime(since(Date.now()))).toBe(in2030 / 1000);
    expect(server.requests.map(({ url, headers }) => [url, headers["x-exosite-cik"]])).toEqual([
      ["/timestamp", undefined],
    ]);
    // What follows is verified as ever.
    expect(await rejection(client.write({ a: "1" }))).toMatchObject({
      context: { code: "CERT_NOT_YET_VALID" },
    });
  });

  test("is not believed where the certificate had expired before, or is not valid at that time", async () => {
    const past = await murano(leaf(ca, { from: "2025-01-01", days: 30 }));
    const { client } = connect(past.url, { ca: ca.cert });
    expect(await rejection(client.timestampFromAnyTime(since(Date.now())))).toMatchObject({
      context: { code: "CERT_HAS_EXPIRED" },
    });
    expect(past.requests).toHaveLength(0);
    const later = await murano(leaf(ca, { from: "2031-01-01" }));
    const other = connect(later.url, { ca: ca.cert });
    expect(await rejection(other.client.timestampFromAnyTime(since(Date.now())))).toBeInstanceOf(
      NetworkError,
    );
    expect(later.requests.map(({ url }) => url)).toEqual(["/timestamp"]);
  });

  test("can be learned from any answer: its Date, and when its request left and it came", async () => {
    const date = "Sat, 01 Jun 2030 12:00:00 GMT";
    const server = await serve((_request, response) => answer(response, 204, "", { Date: date }));
    const heard: unknown[] = [];
    let nowMs = 1_000;
    const serverClock = { nowMs: () => nowMs++, heard: (time: unknown) => heard.push(time) };
    const { client } = connect(server.url, { serverClock });
    await client.write({ a: "1" });
    expect(heard).toEqual([{ dateMs: Date.parse(date), sentMs: 1_000, receivedMs: 1_001 }]);
    const portal = await serve((_request, response) => answer(response, 200, "<html>log in", { Date: date }));
    const behind = connect(portal.url, { serverClock });
    await rejection(behind.client.read(["a"]));
    expect(heard).toHaveLength(1);
  });
});
