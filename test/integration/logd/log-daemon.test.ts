import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { followLog } from "../../../src/cli/log-tail.ts";
import { bootId, processStartTicks } from "../../../src/platform/process-table.ts";
import { eventually } from "../../support/eventually.ts";
import { LogDaemonProcess } from "../../support/log-daemon.ts";
import { NumberedLinesCheck, numberedLine } from "../../support/numbered-lines.ts";
import { runRotations } from "../../support/rotation-run.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const writerFile = join(import.meta.dirname, "../../support/numbered-writer.ts");

/** An app that writes numbered lines; resolves when it has ended. */
async function writeLines(fd: number, bytes: number, bytesPerSecond = 50e6): Promise<void> {
  const words = [writerFile, String(bytes), String(bytesPerSecond)];
  const app = spawn(process.execPath, words, { stdio: ["ignore", fd, "inherit"] });
  // It would wait for ever for somebody to read.
  onTestFinished(() => void app.kill("SIGKILL"));
  await once(app, "exit");
}

/** Numbers of whole lines, in their order, and how many bytes of others there are. */
function linesIn(text: string): { readonly numbers: readonly number[]; readonly tornBytes: number } {
  const lines = text.split("\n").slice(0, -1);
  const isWhole = (line: string): boolean => `${line}\n` === numberedLine(Number.parseInt(line, 10));
  const whole = lines.filter(isWhole);
  const torn = lines.filter((line) => !isWhole(line));
  return {
    numbers: whole.map((line) => Number.parseInt(line, 10)),
    tornBytes: torn.reduce((sum, line) => sum + line.length + 1, 0),
  };
}

test("lines go through rotations and restarts of the log daemon, each once and in order", async () => {
  const directory = temporaryDirectory();
  const { files } = await runRotations({
    directory,
    rotations: 60,
    maxBytes: 50_000,
    bytesPerSecond: 4e6,
    restarts: 4,
  });
  expect(files).toBeGreaterThan(60);
});

test("an app waits while the log daemon is away, and loses nothing", async () => {
  await using logd = new LogDaemonProcess({ directory: temporaryDirectory() });
  const fd = await logd.add("app", { maxBytes: 0 });
  logd.start();
  await logd.flush();
  await logd.end("SIGKILL");
  const app = spawn(process.execPath, [writerFile, "500000"], { stdio: ["ignore", fd, "inherit"] });
  onTestFinished(() => void app.kill("SIGKILL"));
  const ended = once(app, "exit");
  const written = (): number =>
    Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${app.pid}/io`, "utf8"))?.[1]);
  await eventually("output", () => written() > 30_000);
  expect(app.exitCode).toBeNull();
  expect(logd.log("app")).toBe("");
  logd.start();
  await ended;
  await logd.flush();
  const check = new NumberedLinesCheck();
  check.push(logd.log("app"));
  expect(logd.log("app").length).toBeGreaterThanOrEqual(500_000);
});

test("SIGKILL of the log daemon at work costs one read at most, and doubles nothing", async () => {
  await using logd = new LogDaemonProcess({ directory: temporaryDirectory() });
  const fd = await logd.add("app", { maxBytes: 0 });
  const kills = 5;
  const bytes = 8_000_000;
  let running = true;
  logd.start();
  await logd.flush();
  const app = writeLines(fd, bytes, 8e6).then(() => {
    running = false;
  });
  for (let kill = 1; kill <= kills; kill++) {
    await eventually("output", () => logd.log("app").length >= (bytes * kill) / (kills + 1));
    await logd.end("SIGKILL");
    logd.start();
  }
  await app;
  expect(running).toBe(false);
  await logd.flush();
  const { numbers, tornBytes } = linesIn(logd.log("app"));
  for (const [index, number] of numbers.entries()) expect(number).toBeGreaterThan(numbers[index - 1] ?? -1);
  const kept = numbers.reduce((sum, number) => sum + numberedLine(number).length, 0);
  const all = Array.from({ length: (numbers.at(-1) ?? 0) + 1 }, (_, number) => numberedLine(number).length);
  const lost = all.reduce((sum, length) => sum + length, 0) - kept - tornBytes;
  expect(lost).toBeLessThanOrEqual(kills * 64 * 1024);
});

test("a full disk holds nobody up; how much is missing is told once there is room", async () => {
  await using logd = new LogDaemonProcess({ directory: temporaryDirectory() });
  const fd = await logd.add("app");
  const file = join(logd.logDir, "app.log");
  symlinkSync("/dev/full", file);
  logd.start();
  await writeLines(fd, 300_000);
  await logd.flush();
  rmSync(file);
  await eventually("the log to go on", () => {
    writeSync(fd, "still here\n");
    return logd.log("app") !== "";
  });
  await logd.flush();
  expect(logd.log("app")).toMatch(
    /^gwe-logd: 3\d{5} bytes since \S+Z could not be written: ENOSPC\nstill here\n/,
  );
});

test("whoever follows a log sees each line once, however often it is rotated meanwhile", async () => {
  await using logd = new LogDaemonProcess({ directory: temporaryDirectory() });
  const fd = await logd.add("app", { maxBytes: 20_000, backups: 200 });
  logd.start();
  await logd.flush();
  const check = new NumberedLinesCheck();
  class Enough extends Error {}
  let running = true;
  const following = followLog({
    file: join(logd.logDir, "app.log"),
    begin: { lines: 0 },
    write: async (data) => check.push(Buffer.from(data).toString("latin1")),
    wait: async () => {
      const isLast = !running;
      await logd.flush();
      if (isLast) throw new Enough();
    },
    onGap: () => expect.fail("a file was dropped unseen"),
  });
  const app = writeLines(fd, 2_000_000, 2e6).finally(() => {
    running = false;
  });
  await expect(following).rejects.toThrow(Enough);
  await app;
  // Nothing of the last file is missing either.
  const last = logd.log("app").split("\n").at(-2) ?? logd.log("app", 1).split("\n").at(-2);
  expect(numberedLine(check.next - 1)).toBe(`${last}\n`);
});

test("the budget bounds a log that is never rotated, and leaves a modest one alone", async () => {
  const budgetBytes = 2_000_000;
  await using logd = new LogDaemonProcess({ directory: temporaryDirectory(), budgetBytes });
  const modest = await logd.add("modest", { maxBytes: 1000, backups: 3 });
  const chatty = await logd.add("chatty", { maxBytes: 0, backups: 10 });
  logd.start();
  await writeLines(modest, 4500);
  await writeLines(chatty, 10_000_000);
  await logd.flush();
  const sizes = readdirSync(logd.logDir).map((name) => statSync(join(logd.logDir, name)).size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  expect(total).toBeGreaterThan(budgetBytes / 2);
  // One current file grows until it is rotated, and only then is room made.
  expect(total).toBeLessThanOrEqual(budgetBytes * 1.25);
  expect(readdirSync(logd.logDir).filter((name) => name.startsWith("modest"))).toHaveLength(4);
  expect(logd.log("chatty").length + logd.log("chatty", 1).length).toBeGreaterThan(budgetBytes / 4);
});

test("a log daemon takes over from another that lives, without losing a line", async () => {
  const directory = temporaryDirectory();
  await using first = new LogDaemonProcess({ directory });
  await using second = new LogDaemonProcess({ directory });
  const fd = await first.add("app", { maxBytes: 0 });
  first.start();
  await first.flush();
  const app = writeLines(fd, 4_000_000, 8e6);
  await eventually("output", () => first.log("app").length > 1_000_000);
  second.start();
  await first.end();
  await app;
  await second.flush();
  const check = new NumberedLinesCheck();
  check.push(second.log("app"));
  expect(check.isAtLineEnd).toBe(true);
});

test("when pm2 ends, or stops it, one stays until the last launcher has ended", async () => {
  const directory = temporaryDirectory();
  await using logd = new LogDaemonProcess({ directory });
  const fd = await logd.add("app");
  const launcher = spawn("/bin/sleep", ["1000"], { stdio: "ignore" });
  onTestFinished(() => void launcher.kill("SIGKILL"));
  const ticks = processStartTicks(launcher.pid ?? 0);
  writeFileSync(join(directory, "launcher"), `${launcher.pid}:${ticks}:${bootId()}\n`);
  logd.start();
  await logd.flush();
  await logd.end("SIGINT");
  writeSync(fd, "one is left\n");
  await logd.flush();
  // Another, as after a start of pm2, takes over from it.
  logd.start();
  await eventually("the next", () => logd.identity().startsWith(`${logd.pid}:`));
  logd.closeStdin();
  writeSync(fd, "on my way out\n");
  await logd.flush();
  const ended = logd.end();
  launcher.kill("SIGKILL");
  await ended;
  expect(logd.log("app")).toBe("one is left\non my way out\n");
});

test("lines go to syslog after the process' name, and to the file where syslog is not all", async () => {
  const directory = temporaryDirectory();
  const syslogSocket = join(directory, "syslog");
  const script = `my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die $!;
    $| = 1;
    while (defined $socket->recv(my $message, 9000)) { print "$message\\n" }`;
  const receive = ["-MIO::Socket::UNIX", "-e", script, syslogSocket];
  const receiver = spawn("perl", receive, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void receiver.kill("SIGKILL"));
  let received = "";
  receiver.stdout.on("data", (data) => {
    received += data;
  });
  await using logd = new LogDaemonProcess({ directory, syslogSocket });
  const both = await logd.add("both", { syslog: "meter:0" });
  const only = await logd.add("only", { syslog: "meter", fileIsFallback: true });
  logd.start();
  await logd.flush();
  await eventually("the socket", () => readdirSync(directory).includes("syslog"));
  writeSync(both, "one\n\ntw");
  writeSync(both, "o\n");
  writeSync(only, "three\n");
  await eventually("the messages", () => received.split("\n").length > 3);
  receiver.kill();
  rmSync(syslogSocket);
  writeSync(only, "nobody listens any more\n");
  await logd.flush();
  expect(logd.log("both")).toBe("one\n\ntwo\n");
  expect(logd.log("only")).toBe("nobody listens any more\n");
  const messages = received
    .trim()
    .split("\n")
    .map((line) => line.replace(/^<14>.*? gwe: /, ""));
  expect(messages.sort()).toEqual(["meter three", "meter:0 one", "meter:0 two"]);
});
