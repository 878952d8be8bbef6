import { describe, expect, test } from "vitest";
import { DeviceClientOptionsError } from "../../../src/device-client/errors.ts";
import { proxyFor } from "../../../src/device-client/proxy.ts";

const murano = new URL("https://abc.m2.exosite.io");
const proxy = "http://proxy.corp:3128";

describe("the proxy for a server", () => {
  test.each([
    ["HTTPS_PROXY for https", murano, { HTTPS_PROXY: proxy, HTTP_PROXY: "http://other" }, "proxy.corp:3128"],
    [
      "HTTP_PROXY for http",
      new URL("http://m.test"),
      { HTTP_PROXY: proxy, HTTPS_PROXY: "http://o" },
      "proxy.corp:3128",
    ],
    [
      "the lower-case name first",
      murano,
      { https_proxy: proxy, HTTPS_PROXY: "http://other" },
      "proxy.corp:3128",
    ],
    ["a name without a scheme", murano, { HTTPS_PROXY: "proxy.corp:8080" }, "proxy.corp:8080"],
    ["the scheme's port", murano, { HTTPS_PROXY: "https://proxy.corp" }, "proxy.corp:443"],
    ["an IPv6 address", murano, { HTTPS_PROXY: "http://[fd00::1]:3128" }, "fd00::1:3128"],
  ])("is %s", (_what, server, environment, expected) => {
    const found = proxyFor(server, environment);
    expect(`${found?.host}:${found?.port}`).toBe(expected);
  });

  test.each([
    ["no variable", murano, {}],
    ["an empty variable", murano, { HTTPS_PROXY: "" }],
    ["loopback by name", new URL("https://localhost:8443"), { HTTPS_PROXY: proxy }],
    ["loopback by address", new URL("http://127.0.0.2"), { HTTP_PROXY: proxy }],
    ["IPv6 loopback", new URL("http://[::1]:80"), { HTTP_PROXY: proxy }],
    ["NO_PROXY=*", murano, { HTTPS_PROXY: proxy, NO_PROXY: "*" }],
    ["the very host", murano, { HTTPS_PROXY: proxy, NO_PROXY: "x.test, ABC.m2.exosite.io" }],
    ["a parent domain", murano, { HTTPS_PROXY: proxy, no_proxy: "exosite.io" }],
    ["a parent domain with a dot", murano, { HTTPS_PROXY: proxy, NO_PROXY: ".exosite.io" }],
    ["a parent domain with a star", murano, { HTTPS_PROXY: proxy, NO_PROXY: "*.exosite.io" }],
    ["host and port", murano, { HTTPS_PROXY: proxy, NO_PROXY: "abc.m2.exosite.io:443" }],
    ["a range of addresses", new URL("https://10.1.2.3"), { HTTPS_PROXY: proxy, NO_PROXY: "10.0.0.0/8" }],
    ["an IPv6 range", new URL("https://[fd00::5]"), { HTTPS_PROXY: proxy, NO_PROXY: "fd00::/64" }],
  ])("is none for %s", (_what, server, environment) => {
    expect(proxyFor(server, environment)).toBeUndefined();
  });

  test.each([
    ["another port", murano, "abc.m2.exosite.io:8443"],
    ["a name that only ends alike", murano, "site.io"],
    ["another range", new URL("https://11.1.2.3"), "10.0.0.0/8"],
    ["a bad range", new URL("https://10.1.2.3"), "10.0.0.0/99,ten/8"],
    ["a part of an address", new URL("https://10.1.2.3"), "2.3"],
  ])("is used in spite of %s in NO_PROXY", (_what, server, list) => {
    expect(proxyFor(server, { HTTPS_PROXY: proxy, NO_PROXY: list })).toBeDefined();
  });

  test("takes user and password, escaped or raw", () => {
    const authorization = (value: string) => proxyFor(murano, { HTTPS_PROXY: value })?.authorization;
    const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
    expect(authorization("http://me:p%40ss@proxy.corp")).toBe(basic("me:p@ss"));
    expect(authorization("http://me:100%@proxy.corp")).toBe(basic("me:100%"));
  });

  test.each(["socks5://me:hunter2@proxy.corp", "http://me:hunter2@:80", "http://me:hunter2@a b"])(
    "refuses %j naming the variable and not the password",
    (value) => {
      const attempt = () => proxyFor(murano, { HTTPS_PROXY: value });
      expect(attempt).toThrow(DeviceClientOptionsError);
      expect(attempt).toThrow(/^HTTPS_PROXY: (?!.*hunter2)/);
    },
  );
});
