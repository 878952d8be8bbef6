import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { runCommand } from "../../support/run-command.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const archive = Buffer.from("an archive of the engine");
const name = `GatewayEngine.v2.0-linux-${process.arch}.tar.gz`;
const sums = `${createHash("sha256").update(archive).digest("hex")}  ${name}\n`;

/** A release server with the given files, and a machine that knows its URL. */
async function setUp(files: Readonly<Record<string, string | Buffer>>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const file = files[request.url ?? ""];
    response.writeHead(file === undefined ? 404 : 200).end(file);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close().closeAllConnections());
  const directory = temporaryDirectory();
  const home = join(directory, "home");
  const cwd = join(directory, "here");
  mkdirSync(join(home, "etc"), { recursive: true });
  mkdirSync(cwd);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/releases/`;
  writeFileSync(join(home, "etc/Engine.config"), `[engine]\nrelease_url = ${url}\n`);
  return { asked, cwd, gwe: (area: string) => runCommand("gwe", ["--download-latest", area], { home, cwd }) };
}

const stable = { "/releases/stable/SHA256SUMS": sums, [`/releases/stable/${name}`]: archive };

it("brings the newest release and prints its path; what is here and whole is not fetched again", async () => {
  const { asked, cwd, gwe } = await setUp(stable);
  expect(await gwe("stable")).toMatchObject({ status: 0, stdout: `${join(cwd, name)}\n` });
  expect(readFileSync(join(cwd, name))).toEqual(archive);
  expect(await gwe("stable")).toMatchObject({ status: 0, stdout: `${join(cwd, name)}\n` });
  expect(asked.filter((url) => url.endsWith(name))).toHaveLength(1);
});

it("leaves nothing of an archive that is not what the list says", async () => {
  const { cwd, gwe } = await setUp({ ...stable, [`/releases/stable/${name}`]: "something else" });
  const result = await gwe("stable");
  expect(result).toMatchObject({ status: 1, stdout: "" });
  expect(result.stderr).toContain("is not what SHA256SUMS says");
  expect(readdirSync(cwd)).toEqual([]);
});

it("says what is missing: the area, a release for this machine, the URL", async () => {
  const { gwe } = await setUp({ "/releases/other/SHA256SUMS": "nothing here\n" });
  expect((await gwe("stable")).stderr).toContain("/releases/stable/SHA256SUMS answered 404");
  expect((await gwe("other")).stderr).toContain(`no release for ${process.arch}`);
  expect((await gwe("../other")).stderr).toContain("is no area's name");
  const home = temporaryDirectory();
  const unset = await runCommand("gwe", ["--download-latest", "stable"], { home });
  expect(unset).toMatchObject({ status: 1 });
  expect(unset.stderr).toContain("set release_url in");
});
