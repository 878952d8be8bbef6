import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { LogFile, type LogFileOptions } from "../../../../src/supervisor/logd/log-file.ts";
import { temporaryDirectory } from "../../../support/temp-directory.ts";

let directory: string;
let file: string;
let nowMs: number;

beforeEach(() => {
  directory = temporaryDirectory();
  file = join(directory, "meter.log");
  nowMs = Date.UTC(2026, 10, 26, 12);
});

function log(options: Partial<LogFileOptions> = {}, maxBytes = 10): LogFile {
  return new LogFile({
    file,
    maxBytes: () => maxBytes,
    backups: 2,
    now: () => nowMs,
    onRotated: () => undefined,
    ...options,
  });
}

function write(to: LogFile, text: string): void {
  to.write(Buffer.from(text));
}

function read(number = 0): string | undefined {
  const name = number === 0 ? file : `${file}.${number}`;
  return existsSync(name) ? readFileSync(name, "utf8") : undefined;
}

test("files are rotated at maxBytes, kept up to backups, and the oldest is dropped", () => {
  const dropped: (string | undefined)[] = [];
  const meter = log({ beforeDrop: (name) => dropped.push(readFileSync(name, "utf8")) });
  write(meter, "line 0001\nline 0002\nline 0003\nline 0004\nli");
  write(meter, "ne 0005");
  expect([read(), read(1), read(2), read(3)]).toEqual(["line 0005", "line 0004\n", "line 0003\n", undefined]);
  expect(dropped).toEqual(["line 0001\n", "line 0002\n"]);
  expect(meter.usage).toEqual({ current: 9, backups: [10, 10] });
});

test("backups=0 begins the file anew; whoever reads the old one reads it to its end", () => {
  const meter = log({ backups: 0 });
  write(meter, "old\n");
  linkSync(file, join(directory, "reader"));
  write(meter, "old too\nnew\n");
  expect(read()).toBe("new\n");
  expect(readFileSync(join(directory, "reader"), "utf8")).toBe("old\nold too\n");
});

test("another log daemon goes on where one ended, between any two of its steps", () => {
  writeFileSync(`${file}.2`, "second\n");
  writeFileSync(`${file}.1`, "first\n");
  writeFileSync(file, "begun");
  const meter = log();
  write(meter, " and ended\nnext\n");
  expect([read(), read(1), read(2)]).toEqual(["next\n", "begun and ended\n", "first\n"]);
  // Ended after `.1` was renamed, before the log was.
  renameSync(`${file}.1`, `${file}.2`);
  const next = log();
  write(next, "line ten..\nx\n");
  expect([read(), read(1), read(2)]).toEqual(["x\n", "next\nline ten..\n", "begun and ended\n"]);
});

test("a log that somebody renames, removes or cuts is gone on with under its name", () => {
  const meter = log({}, 1000);
  write(meter, "one\n");
  renameSync(file, join(directory, "meter.log.old"));
  write(meter, "two\n");
  expect(read()).toBe("two\n");
  expect(readFileSync(join(directory, "meter.log.old"), "utf8")).toBe("one\n");
  rmSync(file);
  write(meter, "three\n");
  expect(read()).toBe("three\n");
  truncateSync(file, 0);
  write(meter, "four\n");
  expect(read()).toBe("four\n");
  expect(meter.usage.current).toBe(5);
});

test("mode and owner outlive a rotation, and a link stays a link until then", () => {
  const target = join(directory, "elsewhere.log");
  writeFileSync(target, "");
  symlinkSync(target, file);
  const meter = log();
  write(meter, "short\n");
  expect(readFileSync(target, "utf8")).toBe("short\n");
  rmSync(file);
  writeFileSync(file, "");
  chmodSync(file, 0o640);
  write(meter, "long enough\nnext\n");
  expect(read()).toBe("next\n");
  expect(statSync(file).mode & 0o777).toBe(0o640);
});

test("what can't be written is counted, and told as soon as the log takes some again", () => {
  const place = join(directory, "logs");
  const meter = log({ file: join(place, "a.log") }, 1000);
  write(meter, "lost 1\n");
  write(meter, "lost 2\nbegun");
  mkdirSync(place);
  // Not asked again at every line.
  write(meter, " and ended\n");
  expect(existsSync(join(place, "a.log"))).toBe(false);
  nowMs += 1_000;
  write(meter, "kept\n");
  expect(readFileSync(join(place, "a.log"), "utf8")).toBe(
    "gwe-logd: 30 bytes since 2026-11-26T12:00:00.000Z could not be written: ENOENT\nkept\n",
  );
});

test("a line whose beginning is lost is lost whole; a loss is told even if nothing more comes", () => {
  const place = join(directory, "logs");
  const meter = log({ file: join(place, "a.log") }, 1000);
  write(meter, "lost\nbeg");
  mkdirSync(place);
  nowMs += 5_000;
  meter.tellLoss();
  expect(existsSync(join(place, "a.log"))).toBe(false);
  write(meter, "un\nwhole\n");
  expect(readFileSync(join(place, "a.log"), "utf8")).toBe(
    "gwe-logd: 11 bytes since 2026-11-26T12:00:00.000Z could not be written: ENOENT\nwhole\n",
  );
  rmSync(place, { recursive: true });
  write(meter, "lost\n");
  mkdirSync(place);
  nowMs += 1_000;
  meter.tellLoss();
  expect(readFileSync(join(place, "a.log"), "utf8")).toMatch(/^gwe-logd: 5 bytes .*\n$/);
});
