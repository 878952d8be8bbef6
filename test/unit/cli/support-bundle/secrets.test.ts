import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secretMask } from "../../../../src/cli/support-bundle/secrets.ts";

const mask = secretMask([]);

describe("what is taken out of a support bundle", () => {
  it.each([
    ["cik = 3803226073f6f2feb51a9010bd1d3e53143214a7", "3803226073f6f2feb51a9010bd1d3e53143214a7"],
    ["X-Exosite-CIK: short-one", "short-one"],
    ["Authorization: Bearer abc.def", "abc.def"],
    ['{"password":"two words","user":"joe"}', "two words"],
    ["MQTT_PASSWORD=hunter2 ./run.sh", "hunter2"],
    ["./run.sh --api-key hunter2 --verbose", "hunter2"],
    ["proxy http://joe:hunter2@proxy:3128/", "hunter2"],
    ["db_secret: hunter2, level: 3", "hunter2"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest", "MIIE"],
    ["-----BEGIN PRIVATE KEY-----\nMIIE", "MIIE"],
  ])("%j", (text, secret) => {
    expect(mask(text)).not.toContain(secret);
    expect(mask(text)).toContain("[redacted]");
  });

  it.each([
    "level: 3, state: RUNNING, server: https://abc.m2.exosite.io/x",
    "2026-11-27T02:00:00Z FF:10:C2:9B:A8:46 activated",
    "./run.sh --verbose --interval 5",
    "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
  ])("and what stays: %j", (text) => {
    expect(mask(text)).toBe(text);
  });

  it("what is known to be secret, wherever it stands and whatever it holds", () => {
    const secret = fc.string({ minLength: 8 }).filter((text) => !"[redacted]".includes(text));
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (known, before, after) => {
        // One that its surroundings make anew is another text's doing.
        fc.pre(!`${before}[redacted]${after}`.includes(known));
        expect(secretMask([known])(`${before}${known}${after}`)).not.toContain(known);
      }),
    );
  });
});
