/**
 * To be run in a network namespace of its own: a real engine in another one, whose only way to Murano is a modem, `wwan0`
 * (one end of a veth pair), and traffic of which it is known how much it is. Prints what was sent and what was reported.
 */

import { writeFileSync } from "node:fs";
import { type RequestOptions, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ControlClient } from "../../src/cli/control-client.ts";
import { frameBytes, sendDatagrams } from "./datagrams.ts";
import { startTestEmulator } from "./emulator.ts";
import { EngineProcess, eventually } from "./engine-process.ts";
import { idleApp } from "./idle-gateway.ts";
import { NetworkNamespace, runCommand } from "./network-namespace.ts";

const [here, there] = ["10.77.0.1", "10.77.0.2"];
const product = "metered";

runCommand(["ip", "link", "set", "lo", "up"]);
await using namespace = await NetworkNamespace.create();
plugIn();
await using murano = await startTestEmulator({ host: here });
const device = await murano.addSerial(product, "GW-1");
const app = await murano.addSerial(product, "app");
await using engine = new EngineProcess({
  serverUrl: murano.url,
  product,
  serial: "GW-1",
  engineConfig: ["[budget:wwan*]", "daily_kib = 16000", "action = hold-all-but-urgent"],
  under: namespace.enter,
});
writeFileSync(join(engine.paths.etcDir, "gmq.cfg"), "[priorities]\n9 = alarm\n");
const sent = { down: 0, up: 0 };

await start();
await traffic(4_000, 2_000);
const first = await report();

runCommand(["ip", "link", "del", "gwe-modem"]);
plugIn();
await traffic(4_000, 3_000);
const exceeded = await report();
await murano.addContent(product, "meter.v1.tar.gz", await idleApp());
await device.write("engine_fetch", '{"install":[{"name":"meter.v1.tar.gz"}]}');
await checkInNow();
await eventually("the command", async () => (await engine.status())?.jobs[0]?.state === "downloading");
await write("now", "held");
await write("alarm", "urgent");
await eventually("what is urgent", async () => (await app.latest("alarm")) === "urgent");
const heldWrite = await app.latest("now");
const { held } = await queueStatus();
const heldDownloads = murano.requests({ procedure: "download" }).length;

await engine.end("SIGTERM");
await traffic(1_000, 1_000);
writeFileSync(engine.paths.engineConfig, "");
await start();
await eventually("what was held", async () => (await app.latest("now")) === "held");
await engine.running("meter", "1");
const restarted = await report();
console.log(JSON.stringify({ first, exceeded, held, heldWrite, heldDownloads, restarted }));

/** Also plugs in again: an interface of the same name with another index. */
function plugIn(): void {
  const peer = ["peer", "name", "wwan0", "netns", String(namespace.pid)];
  runCommand(["ip", "link", "add", "gwe-modem", "type", "veth", ...peer]);
  runCommand(["ip", "addr", "add", `${here}/30`, "dev", "gwe-modem"]);
  runCommand(["ip", "link", "set", "gwe-modem", "up"]);
  namespace.run("ip", "addr", "add", `${there}/30`, "dev", "wwan0");
  namespace.run("ip", "link", "set", "wwan0", "up");
  namespace.run("ip", "route", "add", "default", "via", here);
}

/** Starts the engine, and waits until it has counted for the first time: before it is a check-in. */
async function start(): Promise<void> {
  engine.start();
  await eventually("a check-in", async () => (await engine.status())?.checkIn.lastSuccessAtMs ?? undefined);
}

async function traffic(down: number, up: number): Promise<void> {
  await sendDatagrams(there, down);
  namespace.run(process.execPath, join(import.meta.dirname, "datagrams.ts"), here, String(up));
  sent.down += down * frameBytes;
  sent.up += up * frameBytes;
}

/** A fresh report, with what was sent until then. */
async function report(): Promise<unknown> {
  const before = (await device.history("usage_report")).length;
  await device.write("engine_fetch", '{"report":true}');
  await checkInNow();
  const reported = await eventually("the report", async () => {
    const all = await device.history("usage_report");
    return all.length > before ? JSON.parse(all.at(-1)?.[1] ?? "") : undefined;
  });
  return { sent: { ...sent }, reported: reported.wwan0 };
}

function checkInNow(): Promise<void> {
  return new ControlClient({ socketPath: engine.paths.controlSocket }).checkIn();
}

/** As an app would. */
function write(alias: string, value: string): Promise<void> {
  const headers = { "X-Exosite-VMS": `${product} ${product} app` };
  const path = "/onep:v1/stack/alias";
  return ask(
    { socketPath: engine.paths.queueSocket, method: "POST", path, headers },
    `${alias}=${value}`,
  ).then(() => undefined);
}

async function queueStatus(): Promise<{ readonly held: string }> {
  return JSON.parse(await ask({ socketPath: engine.paths.controlSocket, path: "/queue" }));
}

function ask(options: RequestOptions, body = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    request(options, (response) => {
      text(response).then((answer) => {
        if (response.statusCode === 200 || response.statusCode === 204) resolve(answer);
        else reject(new TypeError(`${options.path}: ${response.statusCode} ${answer}`));
      }, reject);
    })
      .once("error", reject)
      .end(body);
  });
}
