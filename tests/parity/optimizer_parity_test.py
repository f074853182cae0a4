"""Adam, AdamW and SGD against torch.optim, 50 steps, with and without a GradScaler: to the bit where torch.optim is
told fused=True (the kernels are the same), and to float32's precision elsewhere."""
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
    "adamw without weight decay": {"name": "adamw", "lr": 1e-2},
    "sgd": {"name": "sgd", "lr": 1e-2},
    "sgd with weight decay": {"name": "sgd", "lr": 1e-2, "weight_decay": 0.1},
    "sgd with momentum": {"name": "sgd", "lr": 1e-2, "momentum": 0.9},
    "sgd with momentum and weight decay": {"name": "sgd", "lr": 1e-2, "momentum": 0.9, "weight_decay": 0.1},
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


def random_steps(bad_at=(), idle_at=(), frozen=()):
    """A learning rate and a gradient for each parameter, step by step; an inf or NaN in the steps of `bad_at`, a
    missing gradient in those of `idle_at`, and none ever for the parameters `frozen`."""
    generator = torch.Generator().manual_seed(7)
    steps = []
    for index in range(STEPS):
        gradients = [torch.randn(shape, generator=generator) * 10.0 ** (index % 3 - 1) for shape in SHAPES]
        if index in bad_at:
            gradients[2][1, 3] = float("inf") if index % 2 else float("nan")
        if index in idle_at:
            gradients[index % 3] = None
        for parameter in frozen:
            gradients[parameter] = None
        steps.append((0.5 * (index % 4), gradients))
    return steps


def start_values():
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(shape, generator=generator) for shape in SHAPES]


def make_script(options, start, steps, channels_last=False, **driver_options):
    return {
        "options": {**options, **driver_options},
        "params": [encode(p) for p in start],
        "channels_last": channels_last,
        "steps": [
            {"lr": options["lr"] * (0.5 + factor), "gradients": [encode(g) for g in gradients]}
            for factor, gradients in steps
        ],
    }


def compare(options, steps, scaler=None, reference_fused=True, tolerance=0.0, max_norm=None, **driver_options):
    start = start_values()
    script = make_script(options, start, steps, **driver_options)
    if scaler:
        script["scaler"] = scaler
    if max_norm:
        script["max_norm"] = max_norm
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
        if max_norm:
            torch_scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(params, max_norm)
        torch_scaler.step(optimizer)
        torch_scaler.update()
        for ours, param in zip(answer["params"][index], params, strict=True):
            torch.testing.assert_close(
                decode(ours, torch.float32), param.detach(), rtol=tolerance, atol=tolerance,
                msg=lambda m: f"step {index}: {m}"
            )
    assert answer["scale"] == torch_scaler.get_scale()
    return answer, optimizer, params


def assert_same_state(state, optimizer, params):
    for index, param in enumerate(params):
        for key, value in optimizer.state[param].items():
            if value is not None:
                torch.testing.assert_close(
                    decode(state[f"{key}.{index}"], torch.float32), value, rtol=0, atol=0
                )


@EVERY_OPTION
def test_fifty_steps(options):
    answer, optimizer, params = compare(options, random_steps())
    assert_same_state(answer["state"], optimizer, params)


@EVERY_OPTION
def test_pytorch_goes_on_from_our_state(options):
    steps = random_steps()
    ours = run("optimizer", make_script(options, start_values(), steps))
    half = run("optimizer", make_script(options, start_values(), steps[:25]))
    params = [decode(p, torch.float32).requires_grad_() for p in half["params"][-1]]
    optimizer = reference_optimizer(options, params, fused=True)
    for name, value in (half["state"] or {}).items():
        key, index = name.rsplit(".", 1)
        optimizer.state[params[int(index)]][key] = decode(value, torch.float32)
    for factor, gradients in steps[25:]:
        optimizer.param_groups[0]["lr"] = options["lr"] * (0.5 + factor)
        for param, gradient in zip(params, gradients, strict=True):
            param.grad = gradient
        optimizer.step()
    assert_same_state(ours["state"], optimizer, params)
    for our, param in zip(ours["params"][-1], params, strict=True):
        torch.testing.assert_close(decode(our, torch.float32), param.detach(), rtol=0, atol=0)


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
@pytest.mark.parametrize("fused", (True, False))
def test_frozen_parameters_with_a_scaler_that_skips(options, fused):
    bad_at = (3, 4, 17, 30)
    scaler = {"init_scale": 1024.0, "growth_interval": 5}
    frozen = (0, 3)
    answer, optimizer, params = compare(options, random_steps(bad_at, frozen=frozen), scaler, reference_fused=fused,
                                        tolerance=0.0 if fused else 2e-5, fused=fused)
    assert answer["skipped_steps"] == len(bad_at)
    for index in frozen:
        assert torch.equal(decode(answer["params"][-1][index], torch.float32), start_values()[index])


@EVERY_OPTION
@pytest.mark.parametrize("fused", (True, False))
def test_clipping_between_unscaling_and_step(options, fused):
    bad_at = (3, 4, 17, 30)
    scaler = {"init_scale": 1024.0, "growth_interval": 5}
    steps = random_steps(bad_at)
    norms = [torch.nn.utils.get_total_norm(gradients) for _, gradients in steps]
    assert 10 < sum(bool(norm > 2) for norm in norms) < 40
    answer, _, _ = compare(options, steps, scaler, reference_fused=fused, tolerance=0.0 if fused else 2e-5,
                           fused=fused, max_norm=2.0)
    assert answer["skipped_steps"] == len(bad_at)


@EVERY_OPTION
def test_channels_last_parameters_with_contiguous_gradients(options):
    compare(options, random_steps(), channels_last=True, tolerance=1e-6)


@EVERY_OPTION
def test_learning_rate_in_a_tensor(options):
    compare(options, random_steps(), tensor_lr=True, tolerance=2e-6)
