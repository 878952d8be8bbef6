import { describe, expect, test } from "vitest";
import {
  DeviceClient,
  type DeviceClientOptions,
  DeviceClientOptionsError,
} from "../../../src/device-client/index.ts";

const good: DeviceClientOptions = { baseUrl: "https://abc.m2.exosite.io", proxyEnvironment: {} };

describe("a client's options", () => {
  test.each([
    ["baseUrl", { baseUrl: "abc.m2.exosite.io" }],
    ["baseUrl", { baseUrl: "ftp://abc.m2.exosite.io" }],
    ["baseUrl", { baseUrl: "https://abc.m2.exosite.io/path" }],
    ["baseUrl", { baseUrl: "https://:hunter2@abc.m2.exosite.io" }],
    ["ca", { ca: "/etc/ssl/private-ca.pem" }],
    ["userAgent", { userAgent: "two\nlines" }],
    ["connectTimeoutMs", { connectTimeoutMs: 0 }],
    ["idleTimeoutMs", { idleTimeoutMs: Number.NaN }],
    ["keepAliveMs", { keepAliveMs: Number.POSITIVE_INFINITY }],
    ["maxAnswerBytes", { maxAnswerBytes: -1 }],
    ["clientCertificate", { clientCertificate: { cert: "hunter2", key: "hunter2" } }],
    ["clientCertificate", { baseUrl: "http://m.test", clientCertificate: { cert: "", key: "" } }],
  ])("%s is named when it cannot be used: %j", (option, change) => {
    const attempt = () => new DeviceClient({ ...good, ...change });
    expect(attempt).toThrow(DeviceClientOptionsError);
    expect(attempt).toThrow(new RegExp(`^${option}: (?!.*hunter2)`));
  });
});
