"""The learning rate of every step against torch.optim.lr_scheduler."""
import pytest
import torch
from torch.optim import lr_scheduler

from driver import run


def reference(name, base, total, warmup, minimum):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=base)
    phases, ends = [], []
    if warmup:
        # LinearLR divides by its length: one step of warm-up is at the base rate already.
        phases.append(lr_scheduler.LinearLR(optimizer, 1 / warmup, 1.0, warmup - 1) if warmup > 1
                      else lr_scheduler.ConstantLR(optimizer, 1.0, 1))
        ends.append(warmup)
    if name == "cosine":
        phases.append(lr_scheduler.CosineAnnealingLR(optimizer, total - warmup, minimum))
    else:
        phases.append(lr_scheduler.ConstantLR(optimizer, 1.0, 1))
    schedule = lr_scheduler.SequentialLR(optimizer, phases, ends)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(total):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@pytest.mark.parametrize("minimum", (0.0, 1e-4))
@pytest.mark.parametrize("total, warmup", ((10, 0), (100, 1), (100, 5), (1000, 137), (50, 49)))
@pytest.mark.parametrize("name", ("constant", "cosine"))
def test_every_step(name, total, warmup, minimum):
    ours = run("schedule", {"name": name, "base_lr": 0.03, "total": total, "warmup": warmup, "min_lr": minimum})
    # Both of PyTorch's schedulers go from one rate to the next, and gather rounding errors on the way.
    assert ours == pytest.approx(reference(name, 0.03, total, warmup, minimum), rel=1e-12, abs=1e-15)
