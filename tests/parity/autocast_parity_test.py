"""AutocastGuard against torch.autocast on the CPU: dtypes operator by operator, nesting, and the cache of cast weights."""
import contextlib

import pytest
import torch
import torch.nn.functional as F

from driver import run

ONES = {
    "image": torch.ones(1, 4, 6, 6),
    "kernel": torch.ones(4, 4, 3, 3),
    "depthwise": torch.ones(4, 1, 3, 3),
    "channel": torch.ones(4),
    "matrix": torch.ones(3, 3),
    "batch": torch.ones(2, 3, 3),
    "bias": torch.ones(3),
}


def low(name):
    """A tensor as the layer before hands it on under autocast."""
    enabled = torch.is_autocast_enabled("cpu")
    return ONES[name].to(torch.get_autocast_dtype("cpu")) if enabled else ONES[name]


def full(name):
    return ONES[name]


LABELS = torch.zeros(3, dtype=torch.long)
OPERATORS = {
    "conv2d": lambda: F.conv2d(full("image"), full("kernel")),
    "conv2d_depthwise": lambda: F.conv2d(full("image"), full("depthwise"), full("channel"), 1, 1, 1, groups=4),
    "conv_transpose2d": lambda: F.conv_transpose2d(full("image"), full("kernel")),
    "linear": lambda: F.linear(full("matrix"), full("matrix"), full("bias")),
    "mm": lambda: torch.mm(full("matrix"), full("matrix")),
    "matmul": lambda: torch.matmul(full("batch"), full("matrix")),
    "bmm": lambda: torch.bmm(full("batch"), full("batch")),
    "addmm": lambda: torch.addmm(full("bias"), full("matrix"), full("matrix")),
    "baddbmm": lambda: torch.baddbmm(full("batch"), full("batch"), full("batch")),
    "batch_norm": lambda: F.batch_norm(low("image"), full("channel"), full("channel"), full("channel"), full("channel")),
    "relu": lambda: torch.relu(low("matrix")),
    "silu": lambda: F.silu(low("matrix")),
    "sigmoid": lambda: torch.sigmoid(low("matrix")),
    "max_pool2d": lambda: F.max_pool2d(low("image"), 2),
    "avg_pool2d": lambda: F.avg_pool2d(low("image"), 2),
    "adaptive_avg_pool2d": lambda: F.adaptive_avg_pool2d(low("image"), 1),
    "add_low_and_float32": lambda: low("matrix") + full("matrix"),
    "cat_low_and_float32": lambda: torch.cat([low("matrix"), full("matrix")]),
    "softmax": lambda: torch.softmax(low("matrix"), 1),
    "log_softmax": lambda: torch.log_softmax(low("matrix"), 1),
    "sum": lambda: low("matrix").sum(),
    "exp": lambda: torch.exp(low("matrix")),
    "layer_norm": lambda: F.layer_norm(low("matrix"), (3,)),
    "cross_entropy_loss": lambda: F.cross_entropy(low("matrix"), LABELS),
    "nll_loss": lambda: F.nll_loss(low("matrix"), LABELS),
    "binary_cross_entropy_with_logits": lambda: F.binary_cross_entropy_with_logits(low("matrix"), low("matrix")),
    "mse_loss": lambda: F.mse_loss(low("matrix"), low("matrix")),
    "smooth_l1_loss": lambda: F.smooth_l1_loss(low("matrix"), low("matrix")),
    "interpolate": lambda: F.interpolate(low("image"), scale_factor=2, mode="bilinear"),
}

MODES = [
    {"dtype": "bfloat16", "enabled": True},
    {"dtype": "float16", "enabled": True},
    {"dtype": "bfloat16", "enabled": False},
]
NESTS = [
    [{"dtype": "bfloat16", "enabled": True, "cache": True}],
    [
        {"dtype": "float16", "enabled": True, "cache": False},
        {"dtype": "bfloat16", "enabled": True, "cache": True},
        {"dtype": "float16", "enabled": False, "cache": True},
        {"dtype": "float16", "enabled": True, "cache": False},
    ],
    [{"dtype": "float16", "enabled": False, "cache": False}, {"dtype": "bfloat16", "enabled": True, "cache": True}],
]


def autocast(spec):
    return torch.autocast(
        "cpu", dtype=getattr(torch, spec["dtype"]), enabled=spec["enabled"], cache_enabled=spec.get("cache", True)
    )


@pytest.fixture(scope="module")
def traces():
    return run("autocast", {"dtypes": MODES, "nests": NESTS})


@pytest.mark.parametrize("index", range(len(MODES)), ids=["bfloat16", "float16", "off"])
@pytest.mark.parametrize("name", OPERATORS)
def test_dtype(traces, name, index):
    with autocast(MODES[index]):
        expected = OPERATORS[name]().dtype
    assert traces["dtypes"][index][name] == str(expected).removeprefix("torch.")


def test_both_sides_know_the_same_operators(traces):
    assert set(traces["dtypes"][0]) == set(OPERATORS)


def state():
    return {
        "enabled": torch.is_autocast_enabled("cpu"),
        "dtype": str(torch.get_autocast_dtype("cpu")).removeprefix("torch."),
        "cache": torch.is_autocast_cache_enabled(),
    }


@pytest.mark.parametrize("index", range(len(NESTS)))
def test_nesting(traces, index):
    expected = []
    with contextlib.ExitStack() as stack:
        for spec in NESTS[index]:
            expected.append(state())
            stack.callback(lambda: expected.append(state()))
            stack.enter_context(autocast(spec))
        expected.append(state())
    assert traces["nests"][index] == expected


@pytest.mark.parametrize("cache, key", [(True, "cached"), (False, "uncached")])
def test_cached_weights(traces, cache, key):
    x = torch.ones(1, 2)
    weight = torch.ones(2, 2, requires_grad=True)
    seen = []
    for _ in range(2):
        with torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=cache):
            for _ in range(2):
                seen.append(torch.mm(x, weight).float().sum().item())
                with torch.no_grad():
                    weight.add_(1.0)
    assert traces[key] == seen
