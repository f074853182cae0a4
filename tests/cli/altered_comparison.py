"""Copies of a comparison with other speeds: what a second one would leave, without the time that it takes."""
import csv
import shutil

from mpbench_command import rows


def write_rows(path, table):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def altered(source, folder, times, **facts):
    """A copy in which each session is the first one again, in so many times its seconds; `facts` are columns of runs.csv."""
    shutil.copytree(source, folder)
    first = [row for row in rows(source / "blocks.csv") if row["session"] == "1"]
    blocks = []
    for session, factor in enumerate(times, 1):
        for row in first:
            scaled = {name: repr(float(float(row[name]) * factor)) for name in ("time_s", "data_wait_s")}
            blocks.append({**row, **scaled, "session": session})
    write_rows(folder / "blocks.csv", blocks)
    write_rows(folder / "runs.csv", [{**row, **facts} for row in rows(source / "runs.csv")])
    return folder
