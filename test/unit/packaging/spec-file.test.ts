import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { engineAliases } from "../../../src/core/dataports.ts";
import { gatewayAliases } from "../../../src/emulator/gateway-dataports.ts";
import { repositoryRoot } from "../../support/run-command.ts";

it("specs/gwe.spec, gwe doctor and the emulator know the same aliases", () => {
  const text = readFileSync(join(repositoryRoot, "packaging/release/specs/gwe.spec"), "utf8");
  const listed = [...text.matchAll(/^ {2}- alias: (\w+)\n {4}name: .+\n {4}format: string$/gm)].map(
    ([, alias]) => alias,
  );
  expect(listed).toEqual(engineAliases);
  expect([...gatewayAliases].sort()).toEqual([...engineAliases].sort());
});
