"""Gradient clipping against torch.nn.utils, weight averages against torch.optim.swa_utils, and 50 steps with both,
a GradScaler, label smoothing and now and then an infinite gradient."""
import pytest
import torch
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from driver import decode, encode, run

INF = float("inf")
SHAPES = [(3, 2, 3, 3), (5,), (4, 7), (), (1000,)]


def random_gradients(seed, size=1.0):
    generator = torch.Generator().manual_seed(seed)
    return [size * torch.randn(shape, generator=generator) for shape in SHAPES]


def clip(gradients, max_norm):
    """Ours and Python's: the norms and the clipped gradients."""
    encoded = [g if g is None else encode(g) | {"dtype": str(g.dtype)[6:]} for g in gradients]
    answer = run("ema_clip", {"what": "clip", "max": "inf" if max_norm == INF else max_norm, "gradients": encoded})
    params = [torch.zeros(()) if g is None else torch.zeros_like(g) for g in gradients]
    for param, gradient in zip(params, gradients, strict=True):
        param.grad = None if gradient is None else gradient.clone()
    norm = clip_grad_norm_(params, max_norm)
    return (decode(answer["norm"]), [decode(g) for g in answer["gradients"]]), (norm, [p.grad for p in params])


def assert_same_bits(ours, theirs):
    assert torch.equal(ours[0].nan_to_num(-1), theirs[0].double().nan_to_num(-1))
    for our, their in zip(ours[1], theirs[1], strict=True):
        assert (our is None) == (their is None)
        if our is not None:
            assert torch.equal(our.isnan(), their.isnan())
            assert torch.equal(our.nan_to_num(0), their.double().nan_to_num(0))


@pytest.mark.parametrize("size", (1e-12, 1e-3, 1.0, 1e4, 1e15))
@pytest.mark.parametrize("max_norm", (1e-3, 0.3, 1.0, 5.0, INF))
def test_clipping(max_norm, size):
    for seed in range(10):
        assert_same_bits(*clip(random_gradients(seed, size), max_norm))


def test_clipping_passes_over_missing_gradients():
    gradients = random_gradients(3)
    gradients[0] = gradients[3] = None
    assert_same_bits(*clip(gradients, 0.5))
    assert_same_bits(*clip([None, None], 0.5))


def test_clipping_of_two_dtypes():
    gradients = random_gradients(4)
    gradients[2:] = [g.double() for g in gradients[2:]]
    ours, theirs = clip(gradients, 0.5)
    torch.testing.assert_close(ours[0], theirs[0].double(), rtol=1e-6, atol=0)
    for our, their in zip(ours[1], theirs[1], strict=True):
        torch.testing.assert_close(our, their.double(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("bad", (INF, -INF, float("nan")))
def test_clipping_with_a_gradient_that_is_not_finite(bad):
    gradients = random_gradients(5)
    gradients[2][1, 3] = bad
    ours, theirs = clip(gradients, 1.0)
    assert not ours[0].isfinite()
    assert_same_bits(ours, theirs)


# --- averages and training


def network():
    return torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, bias=False), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
                               torch.nn.Flatten(), torch.nn.Linear(64, 3))


def encode_state(module):
    return {name: encode(tensor) for name, tensor in module.state_dict().items()}


def averaged(model, decay):
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


def assert_same_state(ours, module, model, **tolerance):
    """`module`'s state; but integer buffers, whose average AveragedModel truncates, are those of `model`."""
    theirs = {name: tensor.detach() for name, tensor in module.state_dict().items()}
    theirs |= {"module." + name: tensor for name, tensor in model.named_buffers() if not tensor.is_floating_point()}
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        torch.testing.assert_close(decode(ours[name]), tensor.double(), **(tolerance or {"rtol": 0, "atol": 0}),
                                   msg=lambda m: f"{name}: {m}")


@pytest.mark.parametrize("decay", (0.0, 0.5, 0.9, 0.999))
def test_fifty_averages(decay):
    torch.manual_seed(1)
    model = network()
    theirs = averaged(model, decay)
    states, expected = [], []
    for step in range(50):
        with torch.no_grad():
            for tensor in model.state_dict().values():
                tensor.add_(torch.ones_like(tensor) if tensor.dtype == torch.long else 0.1 * torch.randn(tensor.shape))
        states.append(encode_state(model))
    answer = run("ema_clip", {"what": "average", "decay": decay, "states": states})
    for step, state in enumerate(states):
        model.load_state_dict({name: decode(value) for name, value in state.items()})
        theirs.update_parameters(model)
        assert_same_state(answer[step + 1], theirs, model)
        assert answer[step + 1]["n_averaged"]["values"] == [step + 1]
    assert answer[0]["n_averaged"]["values"] == [0]


def make_batches(bad_at):
    generator = torch.Generator().manual_seed(11)
    for index in range(50):
        images = torch.randn((8, 1, 6, 6), generator=generator)
        labels = torch.randint(3, (8,), generator=generator)
        images[range(8), 0, labels, 0] += 3
        yield images, labels, INF if index in bad_at else 1.0


@pytest.mark.parametrize("fused", (True, False))
@pytest.mark.parametrize("name, momentum, lr", (("adam", 0, 1e-2), ("adamw", 0, 1e-2), ("sgd", 0.9, 0.05)))
def test_fifty_steps_with_scaler_clipping_and_average(name, momentum, lr, fused):
    torch.manual_seed(2)
    model = network()
    bad_at = (7, 8, 23, 40)
    batches = list(make_batches(bad_at))
    answer = run("ema_clip", {
        "what": "train", "state": encode_state(model), "optimizer": name, "lr": lr, "momentum": momentum,
        "fused": fused, "init_scale": 4096.0, "decay": 0.9, "max_norm": 0.5,
        "loss": {"kind": "cross-entropy", "label_smoothing": 0.1},
        "batches": [{"images": encode(images), "labels": encode(labels), "factor": "inf" if factor == INF else factor}
                    for images, labels, factor in batches]})

    criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    shared = {"lr": lr, "weight_decay": 0.01, "fused": fused}
    if name == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), momentum=momentum, nesterov=True, **shared)
    else:
        optimizer = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name](model.parameters(), **shared)
    scaler = torch.amp.GradScaler("cpu", init_scale=4096.0, growth_interval=5)
    ema = averaged(model, 0.9)
    clipped = 0
    near = {"rtol": 1e-5, "atol": 1e-6}
    for (images, labels, factor), ours in zip(batches, answer["steps"], strict=True):
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        scaler.scale(loss * factor).backward()
        scaler.unscale_(optimizer)
        norm = clip_grad_norm_(model.parameters(), 0.5)
        scaler.step(optimizer)
        scaler.update()
        ema.update_parameters(model)
        clipped += bool(norm > 0.5)
        torch.testing.assert_close(decode(ours["loss"]), loss.detach().double(), **near)
        torch.testing.assert_close(decode(ours["norm"]), norm.double(), **near, equal_nan=True)
        assert ours["scale"] == scaler.get_scale()
    assert 10 < clipped < 50
    assert answer["skipped"] == len(bad_at)
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(decode(answer["state"][name]), tensor.double(), **near)
    assert_same_state(answer["ema"], ema, model, **near)
