"""Adam, AdamW and SGD against torch.optim with fused=True: 50 steps, with and without a GradScaler."""
import pytest
import torch

from driver import decode, encode, run

STEPS = 50
SHAPES = [(3, 2, 3, 3), (5,), (4, 7), ()]
OPTIONS = {
    "adam": {"name": "adam", "lr": 1e-2},
    "adam with weight decay": {"name": "adam", "lr": 1e-2, "weight_decay": 0.1},
    "adam with other betas": {"name": "adam", "lr": 3e-3, "beta1": 0.8, "beta2": 0.95, "eps": 1e-4},
    "adamw": {"name": "adamw", "lr": 1e-2, "weight_decay": 0.05},
    "sgd": {"name": "sgd", "lr": 1e-2},
    "sgd with weight decay": {"name": "sgd", "lr": 1e-2, "weight_decay": 0.1},
    "sgd with momentum": {"name": "sgd", "lr": 1e-2, "momentum": 0.9},
    "sgd with nesterov": {"name": "sgd", "lr": 1e-2, "momentum": 0.9, "weight_decay": 1e-3, "nesterov": True},
}
EVERY_OPTION = pytest.mark.parametrize("options", OPTIONS.values(), ids=[k.replace(" ", "-") for k in OPTIONS])


def reference_optimizer(options, params, fused):
    shared = {"lr": options["lr"], "weight_decay": options.get("weight_decay", 0.0), "fused": fused}
    if options["name"] == "sgd":
        return torch.optim.SGD(
            params, momentum=options.get("momentum", 0.0), nesterov=options.get("nesterov", False), **shared
        )
    kind = torch.optim.Adam if options["name"] == "adam" else torch.optim.AdamW
    return kind(params, betas=(options.get("beta1", 0.9), options.get("beta2", 0.999)), eps=options.get("eps", 1e-8),
                **shared)


def random_steps(bad_at=(), idle_at=()):
    """A learning rate and a gradient for each parameter, step by step; an inf in the steps of `bad_at`."""
    generator = torch.Generator().manual_seed(7)
    steps = []
    for index in range(STEPS):
        gradients = [torch.randn(shape, generator=generator) * 10.0 ** (index % 3 - 1) for shape in SHAPES]
        if index in bad_at:
            gradients[2][1, 3] = float("inf") if index % 2 else float("nan")
        if index in idle_at:
            gradients[index % 3] = None
        steps.append((0.5 * (index % 4), gradients))
    return steps


def compare(options, steps, scaler=None, reference_fused=True, channels_last=False, tolerance=1e-6, **driver_options):
    generator = torch.Generator().manual_seed(5)
    start = [torch.randn(shape, generator=generator) for shape in SHAPES]
    script = {
        "options": {**options, **driver_options},
        "params": [encode(p) for p in start],
        "channels_last": channels_last,
        "steps": [
            {"lr": options["lr"] * (0.5 + factor), "gradients": [encode(g) for g in gradients]}
            for factor, gradients in steps
        ],
    }
    if scaler:
        script["scaler"] = scaler
    answer = run("optimizer", script)

    params = [p.clone().requires_grad_() for p in start]
    optimizer = reference_optimizer(options, params, reference_fused)
    torch_scaler = torch.amp.GradScaler("cpu", enabled=scaler is not None, **(scaler or {}))
    for index, (factor, gradients) in enumerate(steps):
        optimizer.zero_grad()
        optimizer.param_groups[0]["lr"] = options["lr"] * (0.5 + factor)
        torch_scaler.scale(torch.ones(()))
        for param, gradient in zip(params, gradients):
            if gradient is not None:
                param.grad = gradient * torch_scaler.get_scale()
        torch_scaler.step(optimizer)
        torch_scaler.update()
        for ours, param in zip(answer["params"][index], params, strict=True):
            torch.testing.assert_close(
                decode(ours, torch.float32), param.detach(), rtol=tolerance, atol=tolerance, msg=lambda m: f"step {index}: {m}"
            )
    assert answer["scale"] == torch_scaler.get_scale()
    return answer, optimizer, params


@EVERY_OPTION
def test_fifty_steps(options):
    answer, optimizer, params = compare(options, random_steps())
    for index, param in enumerate(params):
        for key, value in optimizer.state[param].items():
            if value is not None:
                torch.testing.assert_close(
                    decode(answer["state"][f"{key}.{index}"], torch.float32), value, rtol=1e-6, atol=1e-6
                )


@EVERY_OPTION
def test_with_a_scaler_that_skips(options):
    bad_at = (3, 4, 17, 30)
    scaler = {"init_scale": 1024.0, "growth_interval": 5}
    answer, _, _ = compare(options, random_steps(bad_at), scaler)
    assert answer["skipped_steps"] == len(bad_at)


@EVERY_OPTION
def test_with_a_scaler_on_the_host(options):
    bad_at = (3, 4, 17, 30)
    scaler = {"init_scale": 1024.0, "growth_interval": 5}
    answer, _, _ = compare(options, random_steps(bad_at), scaler, reference_fused=False, tolerance=2e-5, fused=False)
    assert answer["skipped_steps"] == len(bad_at)


@EVERY_OPTION
def test_a_skipped_first_step(options):
    # torch.optim.SGD(fused=True, momentum > 0) leaves its momentum uninitialised here; its non-fused form is right.
    scaler = {"init_scale": 1024.0, "growth_interval": 5}
    answer, _, _ = compare(options, random_steps(bad_at=(0, 1)), scaler, reference_fused=False, tolerance=2e-5)
    assert answer["skipped_steps"] == 2


@EVERY_OPTION
def test_missing_gradients(options):
    compare(options, random_steps(idle_at=(0, 1, 5, 6, 7, 20)), reference_fused=False, tolerance=2e-5)


@EVERY_OPTION
def test_channels_last_parameters_with_contiguous_gradients(options):
    compare(options, random_steps(), channels_last=True)


@EVERY_OPTION
def test_learning_rate_in_a_tensor(options):
    compare(options, random_steps(), tensor_lr=True, tolerance=2e-6)
