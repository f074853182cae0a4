"""What a comparison says of bf16 where the processor has arithmetic for it, and where it has none."""
import pytest
from mpbench_command import FASHION_MNIST, rows, run

# A processor of AVX2 alone, as the three libraries that ask are told.
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MPBENCH_KERNELS": "avx2"}


@pytest.mark.parametrize("limits", [{}, AVX2], ids=["this processor", "AVX2 alone"])
def test_bf16_is_faster_only_where_there_is_arithmetic_for_it(limits, tmp_path):
    out = tmp_path / "out"
    run("compare", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", 200, "--model", "resnet18", "--image-size", 128,
        "--batch-size", 8, "--device", "cpu", "--precision", "fp32,bf16", "--speed-only", "--sessions", 3, "--max-time", "60s",
        "--out", out, "--progress", "never", env=limits)
    arm, = (row for row in rows(out / "comparison.csv") if row["arm_kind"] == "arm")
    told = run("info", env=limits).stdout
    bf16, = (line.split() for line in told.splitlines() if line.split()[:1] == ["bf16"])
    if bf16[1] == "native":
        withheld = "two copies of the baseline differ" in arm["note"]
        assert arm["speed_verdict"] == "faster" or withheld and float(arm["speedup"]) > 1.1, (arm, told)
    else:
        assert bf16[1] == "emulated" and arm["speed_verdict"] in ("slower", "equivalent", "unresolved"), (arm, told)
    if limits:
        assert bf16[1] == "emulated", "the limits have an effect"
