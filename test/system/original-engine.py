#!/usr/bin/env python3
"""Stands in for the original Gateway Engine: reads engine_fetch, installs what it names, writes fetch_status."""
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
import urllib.request
from configparser import ConfigParser

CFG = "/usr/local/lib/python2.7/dist-packages/GatewayEngine/Gateway.cfg"


def setting(key):
    parser = ConfigParser()
    parser.read(CFG)
    return parser.get("device", key)


def call(path, data=None):
    request = urllib.request.Request(setting("server_url") + path, data=data)
    request.add_header("X-Exosite-CIK", setting("cik"))
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def write(alias, value):
    call("/onep:v1/stack/alias", urllib.parse.urlencode({alias: value}).encode())


def install(name):
    vendor = setting("vendor")
    query = urllib.parse.urlencode({"vendor": vendor, "model": vendor, "id": name})
    directory = tempfile.mkdtemp(dir="/var/tmp")
    archive = os.path.join(directory, name)
    with open(archive, "wb") as file:
        file.write(call("/provision/download?" + query))
    with tarfile.open(archive) as tar:
        tar.extractall(directory)
    top = directory
    if not os.path.exists(os.path.join(top, "install.sh")):
        top = next(os.path.join(directory, d) for d in os.listdir(directory) if os.path.isdir(os.path.join(directory, d)))
    done = subprocess.run([os.path.join(top, "install.sh")], cwd=top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    write("fetch_status", "%s ended with %d\n%s" % (name, done.returncode, done.stdout.decode()))


if sys.argv[1:] == ["--gateway-cik"]:
    print(setting("cik"))
    sys.exit()
while True:
    try:
        fetched = urllib.parse.parse_qs(call("/onep:v1/stack/alias?engine_fetch").decode()).get("engine_fetch", [""])[0]
        if fetched:
            write("engine_fetch", "")
            for entry in json.loads(fetched)["install"]:
                install(entry["name"])
    except Exception as error:  # A gateway goes on.
        print(error, flush=True)
    time.sleep(0.5)
