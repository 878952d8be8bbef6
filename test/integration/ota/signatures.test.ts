import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Logger } from "../../../src/core/logger.ts";
import { otaPlatform } from "../../../src/daemon/platform-ports.ts";
import { NetworkError, RejectedError } from "../../../src/device-client/index.ts";
import type { OtaPlatform } from "../../../src/ota/index.ts";
import { makeKeyPair, signFile } from "../../support/minisign-program.ts";
import { goodPackage, packageWith } from "../../support/ota-archives.ts";
import { OtaHarness, type OtaOverrides } from "../../support/ota-harness.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const name = "meter.v2.tar.gz";
const signatureName = `${name}.minisig`;

let gateway: OtaHarness;

afterEach(() => gateway.dispose());

/** A gateway that trusts key `a`, unless told otherwise, and runs meter 1; a vendor with keys `a` and `b`. */
async function scene({ trusts = ["a"], ...overrides }: OtaOverrides & { trusts?: readonly string[] } = {}) {
  gateway = new OtaHarness(overrides);
  gateway.ota.start();
  await gateway.pretendInstalled("meter", "1");
  gateway.content.files.set(name, goodPackage);
  const vendor = temporaryDirectory();
  writeFileSync(join(vendor, name), goodPackage);
  for (const key of ["a", "b"]) makeKeyPair(vendor, key);
  if (trusts.length > 0) mkdirSync(gateway.keys);
  for (const key of trusts) copyFileSync(join(vendor, `${key}.pub`), join(gateway.keys, `${key}.pub`));
  return {
    vendor,
    /** The `.minisig` that minisign makes for a file of the vendor's, by default the package. */
    sign: (key: string, file = name, ...args: readonly string[]): Buffer => {
      signFile(vendor, key, file, ...args);
      return readFileSync(join(vendor, `${file}.minisig`));
    },
    revoke: (key: string) => {
      const id = readFileSync(join(vendor, `${key}.pub`), "utf8")
        .split("\n", 1)[0]
        ?.replace(/^.* /, "");
      writeFileSync(join(gateway.keys, "revoked"), `${id} lost\n`);
    },
  };
}

function outcome(): readonly [string | undefined, string | undefined] {
  const app = gateway.reports().at(-1)?.apps[0];
  return [app?.status, app?.output];
}

/** The package was refused for that reason, and the version before runs on with nothing beside it. */
function expectRefused(reason: RegExp): void {
  expect(outcome()).toEqual(["failed", expect.stringMatching(reason)]);
  expect(gateway.versionsOf("meter")).toEqual(["1"]);
  expect(gateway.host.deployed).toEqual(["meter 1"]);
}

const install = (entry: object = {}) => gateway.send({ install: [{ name, ...entry }] });

describe("a signed package is installed", () => {
  it("with its signature as a content of its own, and the key is logged", async () => {
    const lines: unknown[] = [];
    const { sign, vendor } = await scene({ logger: recordingLogger(lines) });
    gateway.content.files.set(signatureName, sign("a"));
    await install();
    expect(outcome()).toEqual(["installed", "installing meter 2\n"]);
    const id = readFileSync(join(vendor, "a.pub"), "utf8").split("\n", 1)[0]?.replace(/^.* /, "");
    expect(lines).toContainEqual([
      "info",
      expect.any(String),
      expect.objectContaining({ keyId: id?.padStart(16, "0") }),
    ]);
  });

  it("with its signature in the command, which counts before a content", async () => {
    const { sign } = await scene();
    gateway.content.files.set(signatureName, sign("b"));
    await install({ signature: sign("a").toString() });
    expect(outcome()).toEqual(["installed", "installing meter 2\n"]);
    expect(gateway.content.requests).not.toContain(`download ${signatureName}`);
  });

  it("from a file, with its signature beside it", async () => {
    const { sign, vendor } = await scene();
    sign("a");
    const results = await gateway.ota.installFiles([join(vendor, name)]);
    expect(results).toMatchObject([{ name: "meter", status: "installed" }]);
  });

  it("with the signature of a command that an earlier run of the engine took", async () => {
    const { sign } = await scene();
    await gateway.ota.stop();
    gateway.ota.accept({ text: JSON.stringify({ install: [{ name, signature: sign("a").toString() }] }) });
    const { home, keys } = gateway;
    const restarted = new OtaHarness({ keysDirectory: keys, limits: { clearingGraceMs: 0 } }, home);
    try {
      restarted.content.files.set(name, goodPackage);
      restarted.ota.start();
      await restarted.ota.idle();
      expect(restarted.reports()).toMatchObject([{ apps: [{ name: "meter", status: "installed" }] }]);
    } finally {
      await restarted.dispose();
    }
  });

  it("by any of several keys", async () => {
    const { sign } = await scene({ trusts: ["a", "b"] });
    await install({ signature: sign("b").toString() });
    expect(outcome()[0]).toBe("installed");
  });

  it("when the way to its signature is bad for a while", async () => {
    const { sign } = await scene();
    const cut = new NetworkError("reset", { procedure: "download" });
    gateway.content.files.set(signatureName, sign("a"));
    // The package's own transfer takes the first of them, the signature's the rest.
    gateway.content.troubles.push(
      { at: "download", error: cut },
      { at: "body", afterBytes: goodPackage.length, error: cut },
      { at: "download", error: cut },
      { at: "body", afterBytes: 10, error: cut },
      { at: "download", error: cut },
    );
    await install();
    expect(outcome()[0]).toBe("installed");
    expect(gateway.content.troubles).toEqual([]);
  });
});

describe("a package is refused before anything is unpacked", () => {
  it("without a signature", async () => {
    await scene();
    await install();
    expectRefused(
      /a signature is required, and there is none \(no content "meter\.v2\.tar\.gz\.minisig".*404/,
    );
  });

  it("with a signature that this gateway may not have", async () => {
    await scene();
    const forbidden = new RejectedError("forbidden", { procedure: "download", status: 403 });
    const download = gateway.content.download.bind(gateway.content);
    gateway.content.download = async (request, options) => {
      if (request.id === signatureName) throw forbidden;
      return await download(request, options);
    };
    await install();
    expectRefused(/there is none \(this gateway may not have .*403/);
  });

  it("from a file without a signature beside it", async () => {
    const { vendor } = await scene();
    const results = await gateway.ota.installFiles([join(vendor, name)]);
    expect(results).toMatchObject([
      { status: "failed", output: expect.stringContaining("there is none (no file ") },
    ]);
    expect(gateway.versionsOf("meter")).toEqual(["1"]);
  });

  it.each([
    [
      "another key",
      /is by key [0-9A-F]{16}, which this gateway does not trust/,
      ({ sign }: Scene) => sign("b"),
    ],
    [
      "a revoked key",
      /is by key [0-9A-F]{16}, which is revoked/,
      ({ sign, revoke, vendor }: Scene) => {
        copyFileSync(join(vendor, "b.pub"), join(gateway.keys, "b.pub"));
        revoke("a");
        return sign("a");
      },
    ],
    [
      "another file of that name",
      /is of another file/,
      ({ sign, vendor }: Scene) => {
        writeFileSync(join(vendor, name), packageWith("#!/bin/sh\n"));
        return sign("a");
      },
    ],
    [
      "another version's name",
      /is for "meter\.v1\.tar\.gz", not for this package/,
      ({ sign, vendor }: Scene) => {
        copyFileSync(join(vendor, name), join(vendor, "meter.v1.tar.gz"));
        return sign("a", "meter.v1.tar.gz");
      },
    ],
    ["minisign's legacy kind", /legacy kind/, ({ sign }: Scene) => sign("a", name, "-l")],
    ["no signature's form", /the signature is malformed: /, () => Buffer.from("x")],
    ["a length that none has", /longer than 16384 bytes/, () => Buffer.alloc(1_000_000, "x")],
  ] satisfies [string, RegExp, (scene: Scene) => Buffer][])(
    "with a signature of %s",
    async (_what, reason, make) => {
      const made = await scene();
      gateway.content.files.set(signatureName, make(made));
      await install();
      expectRefused(reason);
    },
  );

  it("with a malformed signature in the command", async () => {
    await scene();
    await install({ signature: "trust me" });
    expectRefused(/the signature is malformed/);
  });
});

type Scene = Awaited<ReturnType<typeof scene>>;

describe("require_signature", () => {
  it("= if-keys installs unsigned packages where there is no key, and asks for no signature", async () => {
    await scene({ trusts: [] });
    await install();
    expect(outcome()[0]).toBe("installed");
    expect(gateway.content.requests).not.toContain(`download ${signatureName}`);
  });

  it("= if-keys refuses where the only key file is damaged, and names it", async () => {
    const lines: unknown[] = [];
    const { sign } = await scene({ logger: recordingLogger(lines) });
    writeFileSync(join(gateway.keys, "a.pub"), "torn");
    await install({ signature: sign("a").toString() });
    expectRefused(/no usable key \(a\.pub/);
    expect(lines).toContainEqual(["warn", expect.any(String), { problem: expect.stringContaining("a.pub") }]);
  });

  it("= always refuses where there is no key, even what is signed", async () => {
    const { sign } = await scene({ trusts: [], requireSignature: "always" });
    await install({ signature: sign("a").toString() });
    expectRefused(/a signature is required, and this gateway has no key/);
  });

  it("= never does not look at signatures", async () => {
    await scene({ requireSignature: "never" });
    await install({ signature: "trust me" });
    expect(outcome()[0]).toBe("installed");
  });
});

describe("the digest in a content's meta", () => {
  const other = "0".repeat(64);
  const goodSha256 = createHash("sha256").update(goodPackage).digest("hex");

  it("has to be the package's", async () => {
    await scene({ trusts: [] });
    gateway.content.metas.set(name, `stable; sha256=${other}`);
    await install();
    expectRefused(/the package's SHA-256 is [0-9a-f]{64}, the content's meta asks for 0{64}/);
  });

  it("is compared with the bytes as they came in: they are not read again for it", async () => {
    const tasks: unknown[] = [];
    const runWorker: OtaPlatform["runWorker"] = (options) => {
      tasks.push((options.request as { task: string }).task);
      return otaPlatform.runWorker(options);
    };
    await scene({ trusts: [], platform: { ...otaPlatform, runWorker } });
    gateway.content.metas.set(name, `sha256=${goodSha256}`);
    await install();
    expect(outcome()[0]).toBe("installed");
    expect(tasks).toEqual(["unpack"]);
  });

  it("is compared with what is on disk after a stop between the download and its check", async () => {
    let stopped: Promise<void> | undefined;
    const onTransition: OtaOverrides["onTransition"] = ({ to }) => {
      if (to === "verifying") stopped ??= gateway.ota.stop();
    };
    await scene({ trusts: [], onTransition });
    gateway.content.metas.set(name, `sha256=${goodSha256}`);
    gateway.ota.accept({ text: JSON.stringify({ install: [{ name }] }) });
    gateway.ota.acknowledgeEmpty();
    await expect.poll(() => stopped !== undefined).toBe(true);
    await stopped;
    const file = join(gateway.home, "packages", name);
    const damaged = readFileSync(file);
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    writeFileSync(file, damaged);
    const restarted = new OtaHarness({}, gateway.home);
    try {
      restarted.ota.start();
      await restarted.ota.idle();
      expect(restarted.reports()[0]?.apps).toMatchObject([
        {
          status: "failed",
          output: expect.stringMatching(/the package's SHA-256 is [0-9a-f]{64}, the content's/),
        },
      ]);
    } finally {
      await restarted.dispose();
    }
  });

  it("that contradicts the command's costs no transfer", async () => {
    await scene({ trusts: [] });
    gateway.content.metas.set(name, `sha256: ${other}`);
    await install({ sha256: "1".repeat(64) });
    expectRefused(/the command asks for SHA-256 1{64}, the content's meta for 0{64}/);
    expect(gateway.content.requests).toEqual([`info ${name}`]);
  });
});

describe("allow_downgrade", () => {
  it("= false refuses an older version before its download", async () => {
    await scene({ trusts: [], allowDowngrade: false });
    await gateway.pretendInstalled("meter", "10");
    await install();
    expect(outcome()).toEqual([
      "failed",
      "gwe: version 2 is older than the installed 10, and allow_downgrade is false\n",
    ]);
    expect(gateway.content.requests).toEqual([]);
    expect(gateway.versionsOf("meter")).toEqual(["1", "10"]);
  });

  it("= false lets newer and equal versions in, and goes back all the same", async () => {
    await scene({ trusts: [], allowDowngrade: false });
    await gateway.pretendKept("meter", "1.9", { "install.sh": "echo again" });
    await install();
    await install();
    expect(gateway.host.deployed.slice(-2)).toEqual(["meter 2", "meter 2"]);
    gateway.host.versionStates.set("3", "FATAL");
    await gateway.install({ "meter.v3.tar.gz": goodPackage });
    expect(outcome()[0]).toBe("rolled-back");
    expect(gateway.host.installed("meter")?.version).toBe("2");
  });

  it("= false does not hold up the verb rollback", async () => {
    await scene({ trusts: [], allowDowngrade: false });
    await gateway.pretendKept("meter", "1.9", { "install.sh": "echo again" });
    await install();
    await gateway.send({ rollback: ["meter"] });
    expect(outcome()[0]).toBe("rolled-back");
    expect(gateway.host.installed("meter")?.version).toBe("1.9");
  });

  it("= true installs an older version", async () => {
    await scene({ trusts: [] });
    await gateway.pretendInstalled("meter", "10");
    await install();
    expect(outcome()[0]).toBe("installed");
  });
});

function recordingLogger(lines: unknown[]): Logger {
  const at = (level: string) => (message: string, fields?: object) =>
    void lines.push([level, message, fields]);
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  return logger;
}
