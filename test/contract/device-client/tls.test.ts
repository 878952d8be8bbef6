import { describe, expect, test } from "vitest";
import { DeviceClientOptionsError, NetworkError } from "../../../src/device-client/index.ts";
import { createAuthority } from "../../support/device-client-certificates.ts";
import { answer, cik, connect, rejection } from "../../support/device-client-fixtures.ts";
import { serve } from "../../support/device-client-wire-server.ts";

const authority = createAuthority("GWE test authority");
const stranger = createAuthority("GWE stranger");
const loopback = authority.issue("loopback", "IP:127.0.0.1");

async function serveTls(material = loopback, clientCa?: string) {
  const tls = { ...material, ...(clientCa !== undefined && { clientCa }) };
  const server = await serve((_request, response) => answer(response, 204), tls);
  return { ...server, url: `https://127.0.0.1:${server.port}` };
}

describe("the server's certificate", () => {
  test("is good when the private authority signed it", async () => {
    const server = await serveTls();
    const { client } = connect(server.url, { ca: authority.cert });
    await client.write({ a: "1" });
    await client.write({ a: "2" });
    expect(server.connections).toHaveLength(1);
    expect(server.requests).toHaveLength(2);
  });

  test.each([
    ["another authority signed it", stranger.cert, loopback],
    ["no known authority signed it", undefined, loopback],
    ["it is another server's", authority.cert, authority.issue("other", "DNS:other.test")],
  ])("is refused when %s; nothing was sent", async (_what, ca, material) => {
    const server = await serveTls(material);
    const error = await rejection(connect(server.url, { ca }).client.write({ a: "1" }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ requestSent: false });
    expect(server.requests).toHaveLength(0);
  });
});

describe("a client certificate", () => {
  const device = authority.issue("device", "DNS:device.test");

  test("takes the CIK's place", async () => {
    const server = await serveTls(loopback, authority.cert);
    const { client } = connect(server.url, { ca: authority.cert, clientCertificate: device });
    await client.write({ a: "1" });
    expect(server.requests[0]?.headers).not.toHaveProperty("x-exosite-cik");
  });

  test.each([
    ["without one", undefined],
    ["with a stranger's", stranger.issue("device", "DNS:device.test")],
  ])("is demanded: %s the call fails", async (_what, clientCertificate) => {
    const server = await serveTls(loopback, authority.cert);
    const { client } = connect(server.url, { ca: authority.cert, clientCertificate });
    expect(await rejection(client.write({ a: "1" }))).toBeInstanceOf(NetworkError);
    expect(server.requests).toHaveLength(0);
  });

  test("never speaks for another identity: that gets a connection of its own", async () => {
    const server = await serveTls(loopback);
    const { client } = connect(server.url, { ca: authority.cert, clientCertificate: device });
    await client.write({ a: "1" });
    const sibling = client.as({ cik });
    await sibling.write({ a: "1" });
    await client.write({ a: "2" });
    expect(server.connections).toHaveLength(2);
    const [first, second, third] = server.requests;
    expect(first?.socket).toBe(third?.socket);
    expect(second?.headers).toMatchObject({ "x-exosite-cik": cik });
  });

  test("must fit its key", async () => {
    const mixed = { cert: device.cert, key: stranger.key };
    const { client } = connect("https://127.0.0.1:1");
    expect(() => client.as({ clientCertificate: mixed })).toThrow(DeviceClientOptionsError);
  });
});
