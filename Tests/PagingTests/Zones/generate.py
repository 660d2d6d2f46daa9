#!/usr/bin/env python3
"""Writes vectors.txt: zone files with what Python's zoneinfo says about them.

Needs Python 3.9 or later, `zic`, and the tz database as /usr/share/zoneinfo/tzdata.zi (Debian: tzdata). Lines:
    zone NAME
    file BASE64                 the compiled zone (zic -b slim)
    at UNIX OFFSET NAME         what clocks show then: seconds east of UTC and abbreviation
    civil YYYY-MM-DDTHH:MM:SS UNIX   the first instant at which clocks show that time or a later one
"""
import base64
import os
import random
import subprocess
import tempfile
import zoneinfo
from datetime import datetime, timedelta, timezone

ZONES = """Etc/UTC Europe/Vienna Europe/London Europe/Dublin Africa/Casablanca Africa/Cairo Asia/Gaza Asia/Tehran
Asia/Kolkata Asia/Kathmandu Australia/Sydney Australia/Lord_Howe Pacific/Apia Pacific/Kiritimati Pacific/Chatham
America/New_York America/Los_Angeles America/St_Johns America/Havana America/Santiago America/Sao_Paulo America/Nuuk
Antarctica/Troll""".split()
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FIRST, LAST = -2208988800, 4102444800  # 1900 to 2100


def shown(zone, unix):
    """What a clock shows, as seconds since 1970 on that clock."""
    local = (EPOCH + timedelta(seconds=unix)).astimezone(zone)
    return unix + int(local.utcoffset().total_seconds()), local


def changes(zone, first, last):
    """Instants at which the offset changes, found by halving days."""
    unix = first
    while unix < last:
        step = unix + 86400
        before = shown(zone, unix)[0] - unix
        if shown(zone, step)[0] - step != before:
            low, high = unix, step
            while high - low > 1:
                middle = (low + high) // 2
                if shown(zone, middle)[0] - middle == before:
                    low = middle
                else:
                    high = middle
            yield high
        unix = step


def first_instant(zone, civil):
    """By trying every minute of the two days around, then the seconds."""
    start = civil - 26 * 3600
    if shown(zone, start)[0] >= civil:
        return start
    minute = next(u for u in range(start, civil + 27 * 3600, 60) if shown(zone, u)[0] >= civil)
    return next(u for u in range(minute - 60, minute + 1) if shown(zone, u)[0] >= civil)


def main():
    random.seed(20260105)
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(here, "vectors.txt"), "w") as out:
        subprocess.run(["zic", "-b", "slim", "-d", folder, "/usr/share/zoneinfo/tzdata.zi"], check=True)
        zoneinfo.reset_tzpath(to=[folder])
        for name in ZONES:
            zone = zoneinfo.ZoneInfo(name)
            with open(os.path.join(folder, name), "rb") as file:
                content = base64.b64encode(file.read()).decode()
            print(f"zone {name}\nfile {content}", file=out)
            recent = list(changes(zone, 1262304000, 2240524800))  # 2010 to 2040
            chosen = random.sample(recent, min(6, len(recent)))
            chosen += [u for u in recent if abs(shown(zone, u)[0] - shown(zone, u - 1)[0]) > 40000 and u not in chosen]
            far = list(changes(zone, 3944678400, 3976214400))[:2]  # 2095
            instants = [random.randrange(FIRST, LAST) for _ in range(14)]
            instants += [unix + d for unix in chosen + far for d in (-1, 0)]
            for unix in sorted(instants):
                civil, local = shown(zone, unix)
                print("at", unix, civil - unix, local.tzname(), file=out)
            for unix in sorted(chosen + far):
                ends = sorted([shown(zone, unix - 1)[0] + 1, shown(zone, unix)[0]])
                for civil in sorted({ends[0], (ends[0] + ends[1]) // 2, ends[1], ends[1] + 60}):
                    text = (EPOCH + timedelta(seconds=civil)).strftime("%Y-%m-%dT%H:%M:%S")
                    print("civil", text, first_instant(zone, civil), file=out)


if __name__ == "__main__":
    main()
