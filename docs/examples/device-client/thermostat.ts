// Reports a temperature and follows the setpoint that the cloud gives.
// usage: node thermostat.ts BASE_URL CIK [ROUNDS]     (Node 22.18 or newer runs TypeScript as it is)
import { DeviceClient, UnauthorizedError, withRetry } from "gateway-engine/device-client";

const [baseUrl = "", cik = "", rounds = "Infinity"] = process.argv.slice(2);
const client = new DeviceClient({ baseUrl, cik, userAgent: "thermostat/1.0" });
// What fails for a passing reason is tried again, where repeating it is safe.
const murano = withRetry(client, { attempts: 10 });

let setpoint = 20;
let temperature = 18;
let sinceMs: number | undefined;

for (let round = 0; round < Number(rounds); round++) {
  temperature += Math.sign(setpoint - temperature) * 0.5;
  try {
    // One round trip: the write happens before the read.
    const { values } = await murano.writeRead({ temperature: temperature.toFixed(1) }, ["setpoint"]);
    setpoint = Number(values.get("setpoint") ?? setpoint);

    // Then wait: a new setpoint takes effect at once, and none written between two polls is missed.
    const poll = await murano.longPoll("setpoint", {
      timeoutMs: 2_000,
      ...(sinceMs !== undefined && { sinceMs }),
    });
    if (poll.changed) {
      setpoint = Number(poll.value);
      sinceMs = poll.lastModifiedMs;
    }
  } catch (error) {
    // The type says what to do; texts are for people.
    if (!(error instanceof UnauthorizedError)) throw error;
    console.error("the CIK is void: the device has to be activated again");
    process.exitCode = 6;
    break;
  }
}
console.log(`temperature ${temperature.toFixed(1)}, setpoint ${setpoint}`);
client.close();
