"""The INI file of a device: `cik`, `vendor`, `model`, `uuid` and more, in a section [device] or, as older ones have it, in none."""

import os
import re
import stat
import tempfile

_SECTION = "device"
_HEADER = re.compile(r"^\[([^\]]*)\]")
_OPTION = re.compile(r"^([^\s=:#;\[][^=:]*?)\s*[=:]\s*(.*)$")


def read_device_file(path):
    """dict of option to text. An empty value, or `''`, means empty. Raises IOError or OSError."""
    options = {}
    section = _SECTION
    for line in _lines(path):
        header = _HEADER.match(line)
        if header:
            section = header.group(1).strip()
        option = _OPTION.match(line) if section == _SECTION else None
        if option:
            value = re.split(r"\s;", " " + option.group(2), maxsplit=1)[0].strip()
            options[option.group(1).strip().lower()] = "" if value in ("''", '""') else value
    return options


def write_option(path, option, value):
    """Changes one option and leaves every other line; after a power cut the file is the old or the new one, whole.
    Raises IOError or OSError."""
    lines = _lines(path)
    new_line = "{0} = {1}\n".format(option, value)
    place = _place_of(lines, option)
    if place is None:
        end = _end_of_section(lines)
        if end > 0 and not lines[end - 1].endswith("\n"):
            lines[end - 1] += "\n"
        lines.insert(end, new_line)
    else:
        lines[place] = new_line
    _replace(path, "".join(lines))


def _lines(path):
    with open(path) as file:
        return file.readlines()


def _place_of(lines, option):
    section = _SECTION
    place = None
    for number, line in enumerate(lines):
        header = _HEADER.match(line)
        if header:
            section = header.group(1).strip()
        found = _OPTION.match(line) if section == _SECTION else None
        if found and found.group(1).strip().lower() == option:
            place = number
    return place


def _end_of_section(lines):
    section = _SECTION
    end = 0
    for number, line in enumerate(lines):
        header = _HEADER.match(line)
        if header:
            section = header.group(1).strip()
        if section == _SECTION and line.strip():
            end = number + 1
    return end


def _replace(path, text):
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    old = os.stat(path)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".device-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            # The file holds a secret: what was private stays so, and nothing becomes readable for everybody.
            os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode) & ~0o007)
            if os.geteuid() == 0:
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    folder_handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(folder_handle)
    finally:
        os.close(folder_handle)
