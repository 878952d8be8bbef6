// Uploads history: a CSV file of <alias>,<unix seconds>,<value>.
// usage: node upload-history.mjs BASE_URL CIK FILE
import { readFileSync } from "node:fs";
import { ConflictError, DeviceClient, withRetry } from "gateway-engine/device-client";

const [baseUrl, cik, file] = process.argv.slice(2);
const client = new DeviceClient({ baseUrl, cik });
const murano = withRetry(client);

const series = new Map();
for (const line of readFileSync(file, "utf8").split("\n").filter(Boolean)) {
  const [alias, timestamp, ...value] = line.split(",");
  const points = series.get(alias) ?? [];
  points.push([Number(timestamp), value.join(",")]);
  series.set(alias, points);
}

try {
  // Several aliases in one request. Sending it again, after a lost answer say, adds no second point.
  await murano.record([...series].map(([alias, points]) => ({ alias, points })));
  console.log(`uploaded ${[...series.values()].flat().length} points`);
} catch (error) {
  if (!(error instanceof ConflictError)) throw error;
  // Points of one alias must lie a second apart; the server names those that it refused and keeps the others.
  for (const [alias, timestamps] of error.timestamps)
    console.log(`refused ${alias} at ${timestamps.join(", ")}`);
  process.exitCode = 1;
} finally {
  client.close();
}
