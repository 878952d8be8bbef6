import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority } from "../../support/device-client-certificates.ts";
import { answer } from "../../support/device-client-fixtures.ts";
import { serve } from "../../support/device-client-wire-server.ts";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { gweHome } from "../../support/gwe-home.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";
import { pythons, runPython } from "./pythons.ts";

const product = "p4ckages";
const awkward = "a=b&c%20+ü\n\"'€";

describe.each(pythons())("exo under $version", (python) => {
  let murano: TestEmulator;
  let count = 0;

  beforeAll(async () => {
    murano = await startTestEmulator();
  });
  afterAll(() => murano.close());

  const activated = () => murano.addActivated(product, `sn-${python.version}-${++count}`);

  it("writes, reads and records values byte for byte", async () => {
    const { device, cik } = await activated();
    const text = JSON.stringify(awkward).replaceAll("\\n", "\\n");
    const out = await runPython(
      python,
      `
import json
from exo.api import ExositeAPI
api = ExositeAPI(cik='${cik}', url='${murano.url}')
value = json.loads(${JSON.stringify(text)} if not isinstance(b'', str) else ${JSON.stringify(text)}.decode('utf-8'))
assert api.http_write('fetch_status', value).success
assert api.http_write_multiple({'engine_report': 21.5, 'device_info': ''}).code == 204
read = api.http_read(['fetch_status', 'engine_report'])
assert read.code == 200, read
print(read.values['engine_report'])
both = api.http_readwrite(['usage_report'], {'usage_report': 'x'})
print(both.body)
assert api.http_record('update_interval', {1000: 'old', 2000: 'new'}).success
print(api.http_read('engine_fetch').code)
`,
    );
    expect(out.split("\n")).toEqual(["21.5", "usage_report=x", "204", ""]);
    expect(await device.latest("fetch_status")).toBe(awkward);
    expect(await device.latest("device_info")).toBe("");
    expect(await device.history("update_interval")).toEqual([
      [1000, "old"],
      [2000, "new"],
    ]);
  });

  it("polls: 304 when nothing comes, the value when one is newer than the last seen", async () => {
    const { device, cik } = await activated();
    await device.write("engine_fetch", "first");
    const out = await runPython(
      python,
      `
from exo.api import ExositeAPI
api = ExositeAPI(cik='${cik}', url='${murano.url}')
first = api.http_long_poll('engine_fetch', 1000, 1)
again = api._http_long_poll('engine_fetch', 50, first.last_modified)
print(first.code, first.values, first.success)
print(again.code, again.success)
`,
    );
    expect(out).toMatch(/200.*engine_fetch.*first.*True/);
    expect(out).toMatch(/304, True|304 True/);
  });

  it("answers a refused CIK, a missing server and a wrong one without raising", async () => {
    const out = await runPython(
      python,
      `
from exo.api import ExositeAPI
api = ExositeAPI(cik='${"0".repeat(40)}', url='${murano.url}')
resp = api.http_write('fetch_status', 'x')
print([resp.success, resp.code, api.activated(), api.online()])
gone = ExositeAPI(cik='${"0".repeat(40)}', url='127.0.0.1:1').http_write('fetch_status', 'x')
print([gone.success, gone.code, gone.online])
try:
    ExositeAPI(url='ftp://somewhere')
except ValueError as error:
    print('refused')
`,
    );
    expect(out.split("\n")).toEqual(["[False, 401, False, True]", "[False, 0, False]", "refused", ""]);
  });

  it("activates a device of a file, keeps its CIK there and leaves the rest of the file", async () => {
    const directory = temporaryDirectory();
    await murano.addSerial(product, `AF:14:${python.version}`);
    const file = join(directory, "temp_app.cfg");
    // As in the original's guide: no section, spaces, an empty CIK.
    writeFileSync(
      file,
      `# mine\ncik = ''\nvendor = ${product}\nmodel = ${product}\nuuid = AF:14:${python.version}\nserver_url = ${murano.url}\n\n[other]\ncik = keep\n`,
      { mode: 0o600 },
    );
    const out = await runPython(
      python,
      `
from exo.device import Device
class Sensor(Device):
    def __init__(self):
        Device.__init__(self, 'temp_sensor_v1', '${file}')
sensor = Sensor()
while not sensor.activated():
    sensor.activate()
print(sensor.http_write('fetch_status', 20).success, Sensor().activated())
`,
    );
    expect(out).toMatch(/True,? True/);
    const lines = readFileSync(file, "utf8").split("\n");
    expect(lines[1]).toMatch(/^cik = [0-9a-zA-Z]{40}$/);
    expect(lines.filter((_, index) => index !== 1)).toEqual([
      "# mine",
      `vendor = ${product}`,
      `model = ${product}`,
      `uuid = AF:14:${python.version}`,
      `server_url = ${murano.url}`,
      "",
      "[other]",
      "cik = keep",
      "",
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("takes the CIK that the engine renewed in the file when the old one is refused", async () => {
    const directory = temporaryDirectory();
    const { device, cik } = await activated();
    const file = join(directory, "Gateway.cfg");
    writeFileSync(
      file,
      `[device]\ncik = ${"0".repeat(40)}\nvendor = ${product}\nserver_url = ${murano.url}\n`,
    );
    const out = await runPython(
      python,
      `
from exo.device import Device
device = Device('reporter', '${file}')
print(device.http_write('fetch_status', 'refused').code)
text = open('${file}').read().replace('${"0".repeat(40)}', '${cik}')
open('${file}', 'w').write(text)
print(device.http_write('fetch_status', 'taken').code, device.activated())
`,
    );
    expect(out).toMatch(/401\n\(?204,? True/);
    expect(await device.history("fetch_status")).toEqual([[expect.any(Number), "taken"]]);
  });

  it("verifies the server's certificate", async () => {
    const directory = temporaryDirectory();
    const authority = createAuthority("authority of a private Murano");
    const server = await serve(
      (_request, response) => answer(response, 204),
      authority.issue("localhost", "DNS:localhost"),
    );
    const ca = join(directory, "ca.pem");
    writeFileSync(ca, authority.cert);
    const out = await runPython(
      python,
      `
from exo.api import ExositeAPI
def codes(host, ca):
    api = ExositeAPI(cik='${"1".repeat(40)}', url='https://' + host + ':${server.port}', ca_file=ca)
    return [api.http_write('a', 1).code, api.http_write('a', 2).code]
print(codes('localhost', None))
print(codes('127.0.0.1', '${ca}'))
print(codes('localhost', '${ca}'))
`,
    );
    expect(out.trim().split("\n")).toEqual(["[0, 0]", "[0, 0]", "[204, 204]"]);
    expect(server.requests).toHaveLength(2);
    expect(server.connections.length).toBeGreaterThan(0);
  });

  it("knows the gateway's CIK and configuration file by asking gwe", async () => {
    using home = gweHome();
    const cik = "c".repeat(40);
    home.gatewayCfg(`[device]\nvendor = ${product}\ncik = ${cik}\n`);
    const source = `
from GatewayEngine import utils
from GatewayEngine.utils import gwe_cik, gwe_conf
print(gwe_cik())
print(gwe_conf())
print(utils.engine_conf())
`;
    const out = await runPython(python, source, { env: { GWE_HOME: home.home } });
    expect(out.trim().split("\n")).toEqual([cik, home.paths.gatewayCfg, home.paths.engineConfig]);
    home.gatewayCfg(`[device]\nvendor = ${product}\n`);
    const empty = await runPython(python, "from GatewayEngine.utils import gwe_cik\nprint([gwe_cik()])", {
      env: { GWE_HOME: home.home },
    });
    expect(empty.trim()).toBe("['']");
  });
});
