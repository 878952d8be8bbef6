import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseProvisioning, serialFor } from "../../../../src/cli/setup/provisioning.ts";

describe("a provisioning file", () => {
  it("has its own section, and any key of the two configuration files", () => {
    const text =
      "; batch 7\n[setup]\nproduct_id = abc\nserials = s.csv\n[device]\niface = eth0\n[engine]\ncheck_in = long-poll\n";
    expect(parseProvisioning(text, "f")).toEqual({
      productId: "abc",
      serials: "s.csv",
      changes: [
        { section: "device", key: "iface", value: "eth0" },
        { section: "engine", key: "check_in", value: "long-poll" },
      ],
    });
  });

  it.each([
    ["[setup]\nproduct = abc\n", "f:2: no such key"],
    ["[setup]\n\n[gateway]\niface = eth0\n", "f:4: no such section"],
    ["[setup]\nproduct_id\n", "f:2: neither a section nor"],
  ])("is refused with the line of what is not known: %j", (text, message) => {
    expect(() => parseProvisioning(text, "f")).toThrow(message);
  });
});

describe("a list of serial numbers", () => {
  const hex = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 });
  const written = (bytes: readonly number[], separator: string): string =>
    bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(separator);

  it("is searched by address, however that is written", () => {
    fc.assert(
      fc.property(hex, fc.constantFrom(":", "-", ""), fc.boolean(), (mac, separator, upper) => {
        const address = written(mac, separator);
        const list = `${upper ? address.toUpperCase() : address}, "SN 1"\r\n`;
        expect(serialFor([written(mac, ":").toUpperCase()], list, "f")).toBe("SN 1");
        const other = mac.map((byte, index) => (index === 5 ? byte ^ 1 : byte));
        expect(serialFor([written(other, ":")], list, "f")).toBeUndefined();
      }),
    );
  });

  it("that gives a gateway two, or has a torn line, is no list", () => {
    const two = "00:00:5e:00:53:01,a\n00:00:5e:00:53:02,b\n";
    expect(() => serialFor(["00:00:5E:00:53:01", "00:00:5E:00:53:02"], two, "f")).toThrow(
      "several serial numbers",
    );
    expect(serialFor(["00:00:5E:00:53:09"], two, "f")).toBeUndefined();
    expect(() => serialFor([], "00:00:5e:00:53\n", "f")).toThrow("f:1: expected");
  });
});
