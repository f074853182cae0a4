"""What the machine is, and whether the program runs on it."""

import json
import subprocess


def told_by(command):
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return (result.stdout or result.stderr).strip()
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"{command[0]}: {problem}"


def write(session):
    query = "name,driver_version,memory.total,power.limit,clocks.max.sm,clocks.sm,temperature.gpu,compute_mode,mig.mode.current"
    facts = {"nvidia-smi": told_by(["nvidia-smi", f"--query-gpu={query}", "--format=csv"]),
             "cpu": told_by(["sh", "-c", "lscpu | grep -E 'Model name|^CPU\\(s\\)'"]),
             "system": told_by(["sh", "-c", ". /etc/os-release; echo $PRETTY_NAME; ldd --version | head -1"])}
    code, log = session.run([session.mpbench, "info", "--json"], "info", limit_s=180)
    if code != 0:
        session.fail(f"mpbench info ended with exit code {code}: {log.strip()[-300:]}")
    else:
        facts["mpbench"] = json.loads(log[log.index("{"):])
        devices = [device["name"] for device in facts["mpbench"]["devices"]]
        session.say(f"devices: {', '.join(devices)}")
        if not session.rehearse and len(devices) < 2:
            session.fail("mpbench finds no GPU; logs/load.log says which libraries were looked for")
            session.run([session.mpbench, "train", "--device", "cuda", "--steps", 1, "--out", session.out / "load"], "load",
                        limit_s=120, env={"LD_DEBUG": "files"})
    (session.out / "machine.json").write_text(json.dumps(facts, indent=2) + "\n")
