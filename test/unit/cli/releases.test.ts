import { describe, expect, it } from "vitest";
import { latestRelease } from "../../../src/cli/releases.ts";

const digest = "ab".repeat(32);
const line = (file: string): string => `${digest}  ${file}\n`;

describe("the newest release", () => {
  it("is told by its numbers, not by its letters", () => {
    const sums = line("GatewayEngine.v1.9.0.tar.gz") + line("GatewayEngine.v1.10.0.tar.gz");
    expect(latestRelease(sums, "x64")).toEqual({
      file: "GatewayEngine.v1.10.0.tar.gz",
      version: "1.10.0",
      sha256: digest,
    });
  });

  it("is one that runs here", () => {
    const sums = line("GatewayEngine.v2.0-linux-arm64.tar.gz") + line("GatewayEngine.v1.0-linux-x64.tar.gz");
    expect(latestRelease(sums, "x64")?.version).toBe("1.0");
    expect(latestRelease(sums, "arm64")?.version).toBe("2.0");
    expect(latestRelease(sums, "riscv64")).toBeUndefined();
  });

  it("brings its own runtime where there is a choice", () => {
    const sums = line("GatewayEngine.v2.0.tar.gz") + line("GatewayEngine.v2.0-linux-x64.tar.gz");
    expect(latestRelease(sums, "x64")?.file).toBe("GatewayEngine.v2.0-linux-x64.tar.gz");
  });

  it.each([
    "",
    "<html>",
    `${digest}  ../GatewayEngine.v1.tar.gz`,
    line("notes.txt"),
    `short  GatewayEngine.v1.tar.gz`,
  ])("is not in %j", (sums) => expect(latestRelease(sums, "x64")).toBeUndefined());
});
