import { describe, expect, it, onTestFinished } from "vitest";
import { formatTrial, parseFailedTrial, parseTrial } from "../../../src/core/engine-trial.ts";
import { silentLogger } from "../../../src/core/logger.ts";
import { pathsUnder } from "../../../src/core/paths.ts";
import { EngineUpdate, type Installation, probationMs } from "../../../src/daemon/engine-update.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** An installation in memory, and an engine of it that checks in when the test says so. */
class Scene implements Installation {
  readonly clock = new FakeClock();
  readonly files = new Map<string, string>();
  readonly judges: string[] = [];
  readonly reports: string[] = [];
  restarts = 0;
  isReachable = true;
  readonly stop = new AbortController();
  private readonly firstCheckIn = Promise.withResolvers<true>();
  link = "new";
  readonly running: string;

  constructor(running: string) {
    this.running = running;
    onTestFinished(() => this.stop.abort());
  }

  current = () => this.link;
  makeCurrent = (version: string) => {
    this.link = version;
  };
  program = (version: string, command: string) => `${version}/${command}`;
  read = (name: string) => this.files.get(name);
  write = (name: string, text: string) => void this.files.set(name, text);
  remove = (name: string) => void this.files.delete(name);

  checkIn(): void {
    this.firstCheckIn.resolve(true);
  }

  engine(home: string | null = null, installation: Installation | null = this): EngineUpdate {
    return new EngineUpdate({
      paths: pathsUnder(home),
      installation: installation ?? undefined,
      checkedIn: (ms, signal) =>
        Promise.race([this.firstCheckIn.promise, this.clock.sleep(ms, signal).then(() => false)]),
      lastTrouble: () => "401",
      reaches: async (gdc) => {
        this.judges.push(gdc);
        return this.isReachable;
      },
      restart: () => {
        this.restarts += 1;
      },
      report: (text) => void this.reports.push(text),
      logger: silentLogger,
    });
  }
}

const trial = formatTrial({ version: "new", previous: "old", starts: 2 });

describe("a version on trial", () => {
  it("has proved itself with its first check-in", async () => {
    const scene = new Scene("new");
    scene.files.set("trial", trial);
    const engine = scene.engine();
    engine.start(scene.stop.signal, false);
    const outcome = engine.outcome(scene.stop.signal);
    await scene.clock.advance(60_000);
    expect(scene.files.has("trial")).toBe(true);
    scene.checkIn();
    expect(await outcome).toEqual({ kind: "proved" });
    expect(scene.files.size).toBe(0);
    expect(scene.restarts).toBe(0);
  });

  it("is given up after ten minutes in which the former version could reach Murano, and it could not", async () => {
    const scene = new Scene("new");
    scene.files.set("trial", trial);
    scene.engine().start(scene.stop.signal, false);
    await scene.clock.advance(probationMs - 1);
    expect(scene.restarts).toBe(0);
    await scene.clock.advance(1);
    expect({ restarts: scene.restarts, link: scene.link }).toEqual({ restarts: 1, link: "old" });
    expect(scene.judges.every((judge) => judge === "old/gdc")).toBe(true);
    expect([...scene.files.keys()]).toEqual(["trial-failed"]);
    // What runs then is the former one, which tells why.
    const former = new Scene("old");
    former.link = "old";
    former.files.set("trial-failed", scene.files.get("trial-failed") ?? "");
    expect(await former.engine().outcome(former.stop.signal)).toEqual({
      kind: "went-back",
      reason: expect.stringMatching(
        /version new was given up, old runs again: no check-in in 10 minutes.*\(401\)/,
      ),
    });
  });

  it("is not blamed for a Murano that is away: neither time nor starts count", async () => {
    const scene = new Scene("new");
    scene.files.set("trial", trial);
    scene.isReachable = false;
    scene.engine().start(scene.stop.signal, false);
    await scene.clock.advance(20 * probationMs);
    expect(scene.restarts).toBe(0);
    expect(parseTrial(scene.files.get("trial") ?? "")?.starts).toBe(0);
    scene.isReachable = true;
    await scene.clock.advance(probationMs);
    expect(scene.link).toBe("old");
  });

  it("that is another's is nothing to this one", async () => {
    const scene = new Scene("third");
    scene.link = "third";
    scene.files.set("trial", trial);
    const engine = scene.engine();
    engine.start(scene.stop.signal, false);
    await scene.clock.advance(20 * probationMs);
    expect(scene.judges).toEqual([]);
    expect(await engine.outcome(scene.stop.signal)).toEqual({ kind: "proved" });
  });
});

describe("an update that came to nothing", () => {
  const former = (): Scene => {
    const scene = new Scene("old");
    scene.link = "old";
    scene.files.set(
      "trial-failed",
      formatTrial({ version: "new", previous: "old", reason: "it was started 3 times" }),
    );
    return scene;
  };

  it("is told of once, where no job waits for it", () => {
    const scene = former();
    scene.engine().start(scene.stop.signal, false);
    scene.engine().start(scene.stop.signal, false);
    expect(scene.reports).toEqual(["version new was given up, old runs again: it was started 3 times"]);
  });

  it("is told of by the job that waits for it, and by nobody else", async () => {
    const scene = former();
    scene.engine().start(scene.stop.signal, true);
    expect(await scene.engine().outcome(scene.stop.signal)).toMatchObject({ kind: "went-back" });
    scene.engine().start(scene.stop.signal, false);
    expect(scene.reports).toEqual([]);
  });
});

describe("a version that has just been placed", () => {
  it("is restarted into, and nothing is known until then", async () => {
    const scene = new Scene("old");
    const stop = new AbortController();
    const outcome = scene.engine().outcome(stop.signal);
    await scene.clock.advance(1);
    expect(scene.restarts).toBe(1);
    stop.abort(new DOMException("stopping", "AbortError"));
    await expect(outcome).rejects.toThrow("stopping");
  });

  it("is refused by an engine from a checkout, or under GWE_HOME", () => {
    const scene = new Scene("old");
    expect(scene.engine().refusal()).toBeUndefined();
    expect(scene.engine("/home/me/gwe").refusal()).toMatch(/cannot replace itself/);
    expect(scene.engine(null, null).refusal()).toMatch(/cannot replace itself/);
  });
});

it("the files of a trial are read as they are written, and nonsense is none", () => {
  expect(parseTrial(trial)).toEqual({ version: "new", previous: "old", starts: 2 });
  expect(parseTrial("version=new\nprevious=old\nstarts=\n")?.starts).toBe(0);
  for (const text of ["", "version=../x\nprevious=old\n", "version=new\n", "\0\0\0"])
    expect(parseTrial(text)).toBeUndefined();
  const failed = { version: "new", previous: "old", reason: "why\nnot" };
  expect(parseFailedTrial(formatTrial(failed))).toEqual({ ...failed, reason: "why not" });
});
