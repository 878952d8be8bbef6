import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeError } from "../../../src/core/errors.ts";
import { PackageNameError, parsePackageName } from "../../../src/core/package-name.ts";
import { redactedMark, redactor } from "../../../src/core/redact.ts";
import { retryDelayMs } from "../../../src/core/retry.ts";
import { formatUptime } from "../../../src/core/uptime.ts";

const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_+@-]{0,20}$/);
const version = fc
  .stringMatching(/^[A-Za-z0-9_][A-Za-uw-z0-9_.+-]{0,20}$/)
  .filter((text) => !/\.v/.test(text));

describe("a package's name", () => {
  it("is split into what it was made of", () => {
    fc.assert(
      fc.property(name, version, (app, number) => {
        expect(parsePackageName(`${app}.v${number}.tar.gz`)).toEqual({
          file: `${app}.v${number}.tar.gz`,
          app,
          version: number,
        });
      }),
    );
  });

  it("is split at the last '.v'", () => {
    expect(parsePackageName("a.v1.v2.0.tar.gz")).toMatchObject({ app: "a.v1", version: "2.0" });
  });

  it("never leads anywhere: parts of whatever is accepted are harmless as a directory's name", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 30 }),
        fc.string({ maxLength: 10 }),
        (app, number) => {
          try {
            const parsed = parsePackageName(`${app}.v${number}.tar.gz`);
            for (const part of [parsed.app, parsed.version]) expect(part).toMatch(/^(?!\.)[\w.+@-]{1,100}$/);
          } catch (error) {
            expect(error).toBeInstanceOf(PackageNameError);
          }
        },
      ),
    );
  });
});

describe("a pause before a retry", () => {
  it("grows, stays within its bounds, and is finite however often it is asked for", () => {
    const schedule = { firstDelayMs: 100, maxDelayMs: 60_000, factor: 2, jitter: 0.5 };
    fc.assert(
      fc.property(
        fc.integer({ min: -5, max: 100_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, random) => {
          const delay = retryDelayMs(schedule, attempt, () => random);
          expect(delay).toBeGreaterThanOrEqual(50);
          expect(delay).toBeLessThanOrEqual(60_000);
          expect(retryDelayMs(schedule, attempt + 1, () => random)).toBeGreaterThanOrEqual(delay);
        },
      ),
    );
  });
});

describe("taking secrets out", () => {
  it("leaves none of them in any text", () => {
    const secret = fc.stringMatching(/^[0-9a-zA-Z]{40}$/);
    fc.assert(
      fc.property(fc.array(secret, { maxLength: 3 }), fc.string(), fc.string(), (secrets, before, after) => {
        const redact = redactor(() => ["", ...secrets]);
        const text = redact(secrets.map((one) => before + one + after).join("\n"));
        for (const one of secrets) expect(text).not.toContain(one);
        if (secrets.length === 0) expect(redact(before)).toBe(before);
        else expect(text).toContain(redactedMark);
      }),
    );
  });
});

describe("a running time", () => {
  it("is in the form that dashboards parse, and goes back to what it was", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 9 }), (seconds) => {
        const match = /^(?:(\d+) days?, )?(\d{1,2}):(\d\d):(\d\d)$/.exec(formatUptime(seconds * 1000));
        const [, days = "0", hours, minutes, rest] = match ?? [];
        expect(((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(rest)).toBe(
          seconds,
        );
      }),
    );
  });
});

describe("describing an error", () => {
  it("tells the causes once each and does not follow a circle for ever", () => {
    const inner = new RangeError("why");
    const outer = new TypeError("what", { cause: inner });
    inner.cause = outer;
    expect(describeError(outer)).toBe("what: why");
    expect(describeError(undefined)).toBe("");
  });
});
