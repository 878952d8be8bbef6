/** Load: the gateway's configuration files are changed over and over, as activation and `gwe` do it. */
import { renameSync, writeFileSync } from "node:fs";
import { CikStore, type ConfigIo, ConfigStore } from "../../../src/config/index.ts";
import { pathsUnder } from "../../../src/core/paths.ts";
import { configIo } from "../../../src/daemon/config-io.ts";
import { EventLog } from "../events.ts";
import { Dice } from "../random.ts";
import type { LoadRequest } from "../scenario.ts";
import type { ConfigEvent } from "./events.ts";

const changes = 120;

const request = JSON.parse(process.argv[2] ?? "") as LoadRequest;
const dice = new Dice(request.seed);
const events = new EventLog<ConfigEvent>(request.events, request.writeLog);
const paths = pathsUnder(request.directory);
const io: ConfigIo = request.control ? { ...configIo, writeFileAtomic: writeWithoutSync } : configIo;
const store = new ConfigStore({ paths, io });
const ciks = new CikStore({ paths, io });

for (let change = 0; change < changes; change += 1) {
  const key = dice.pick(["cik", "cik", "model", "update_interval"] as const);
  const value = key === "update_interval" ? String(dice.between(10, 9_999)) : dice.text(40);
  events.note({ kind: "begun", key, value });
  if (key === "cik") ciks.replace(value);
  else store.set([{ section: key === "model" ? "device" : "engine", key, value }]);
  events.note({ kind: "done", key, value });
}

/** What many programs do: a temporary file and a rename, and the operating system will see to the rest. */
function writeWithoutSync(file: string, content: Uint8Array): void {
  writeFileSync(`${file}.tmp`, content);
  renameSync(`${file}.tmp`, file);
}
