import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { redactor } from "../../../src/core/redact.ts";
import { type LoggingOptions, openLogging } from "../../../src/daemon/logging.ts";
import { RotatingFile } from "../../../src/platform/rotating-file.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const cik = "0123456789abcdefghij0123456789ABCDEFGHIJ";

function logTo(file: string, options: Partial<LoggingOptions> = {}) {
  return openLogging({ level: "info", file, journal: false, redact: (text) => text, ...options });
}

describe("the engine's log", () => {
  it("keeps every line to the end, one line an entry, with what is secret taken out", async () => {
    const file = join(temporaryDirectory(), "gwe.log");
    const { logger, close } = logTo(file, { redact: redactor(() => [cik]) });
    for (let number = 0; number < 50; number++) logger.info("line", { number });
    logger.child({ part: "cloud" }).warn("trouble", {
      text: `two\nlines with ${cik}`,
      error: new RangeError(`no ${cik}`, { cause: new TypeError("why") }),
      nothing: undefined,
      message: "a field of that name",
    });
    logger.debug("below the level");
    await close();
    const lines = readFileSync(file, "utf8").split("\n");
    expect(lines).toHaveLength(52);
    expect(lines[49]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z INFO {2}line number=49$/);
    expect(lines[50]).toContain(
      'WARN  trouble part=cloud text="two\\nlines with [redacted]" error="no [redacted]: why" message="a field of that name"',
    );
  });

  it("survives fields that JSON cannot hold", async () => {
    const file = join(temporaryDirectory(), "gwe.log");
    const { logger, close } = logTo(file);
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    logger.info("odd", { circle, big: 1n });
    await close();
    expect(readFileSync(file, "utf8")).toContain('odd circle="[object Object]" big="1"');
  });

  it("gives the journal a priority and no time of its own", () => {
    const module = join(import.meta.dirname, "../../../src/daemon/logging.ts");
    const program = `
      import { openLogging } from ${JSON.stringify(module)};
      const { logger, close } = openLogging({ level: "debug", journal: true, redact: (text) => text });
      logger.error("bad");
      logger.warn("odd");
      logger.info("fine", { app: "meter" });
      logger.debug("detail");
      await close();
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
    });
    expect(stderr).toBe("<3>bad\n<4>odd\n<6>fine app=meter\n<7>detail\n");
    expect(stdout).toBe("");
  });

  it("stays within two files that others cannot read, whatever the mask", () => {
    const file = join(temporaryDirectory(), "gwe.log");
    const before = process.umask(0);
    try {
      const rotating = new RotatingFile({ file, maxBytes: 10_000, mode: 0o640 });
      for (let number = 0; number < 100; number++) rotating.append(`${"x".repeat(300)} ${number}`);
      rotating.close();
    } finally {
      process.umask(before);
    }
    for (const name of [file, `${file}.1`]) {
      expect(statSync(name).size).toBeLessThanOrEqual(10_000);
      expect(statSync(name).mode & 0o777).toBe(0o640);
    }
    const kept = readFileSync(`${file}.1`, "utf8") + readFileSync(file, "utf8");
    expect(kept.trimEnd().split("\n").at(-1)).toBe(`${"x".repeat(300)} 99`);
    expect(readdirSync(dirname(file))).toHaveLength(2);
  });

  it("goes on without its file, and tells how many lines are missing when it is back", async () => {
    const file = join(temporaryDirectory(), "gwe.log");
    mkdirSync(file);
    const { logger, close } = logTo(file);
    logger.info("lost");
    logger.info("lost too");
    rmdirSync(file);
    logger.info("back");
    await close();
    expect(readFileSync(file, "utf8")).toMatch(/^2 lines could not be written here\n.* back\n$/);
  });
});
