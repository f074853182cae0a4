"""The losses and their gradients against torch.nn, and focal against torchvision's."""
import pytest
import torch
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from driver import decode, encode, run

GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)
SMOOTHINGS = (0.0, 0.1, 0.5)


def batch(classes, spread, rows=23):
    """Logits in float32 and labels; the last rows' logits are far from 0, right and wrong ones."""
    generator = torch.Generator().manual_seed(classes)
    logits = spread * torch.randn((rows, 1 if classes == 2 else classes), generator=generator)
    labels = torch.randint(classes, (rows,), generator=generator)
    logits[-4:] *= 8
    return logits, labels


def ours(logits, labels, **options):
    task = "binary" if logits.shape[1] == 1 else "multiclass"
    answer = run("loss", {"task": task, "logits": encode(logits), "labels": encode(labels), **options})
    assert answer["loss"]["dtype"] == "Float"
    return decode(answer["loss"]), decode(answer["gradient"])


def compare(logits, labels, reference, rtol=2e-6, atol=2e-7, **options):
    """`reference` maps the logits to the loss, in float64 here: what float32 should be near to."""
    exact = logits.double().requires_grad_()
    expected = reference(exact)
    expected.backward()
    loss, gradient = ours(logits, labels, **options)
    torch.testing.assert_close(loss, expected.detach(), rtol=rtol, atol=atol)
    torch.testing.assert_close(gradient, exact.grad, rtol=rtol, atol=atol)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("classes", (3, 10))
def test_cross_entropy(classes, smoothing):
    logits, labels = batch(classes, 3)
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)
    compare(logits, labels, lambda x: criterion(x, labels), label_smoothing=smoothing)

    # The operators are the same: so are the bits.
    same = logits.clone().requires_grad_()
    expected = criterion(same, labels)
    expected.backward()
    loss, gradient = ours(logits, labels, label_smoothing=smoothing)
    assert loss == expected.double()
    assert torch.equal(gradient, same.grad.double())


@pytest.mark.parametrize("weight", (None, 0.25, 7.0))
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_binary_cross_entropy(smoothing, weight):
    logits, labels = batch(2, 3)
    criterion = torch.nn.BCEWithLogitsLoss(pos_weight=None if weight is None else torch.tensor(weight))
    targets = labels.double() * (1 - smoothing) + smoothing / 2
    options = {} if weight is None else {"pos_weight": weight}
    compare(logits, labels, lambda x: criterion(x[:, 0], targets), label_smoothing=smoothing, **options)


def test_binary_smoothing_is_that_of_two_classes():
    logits, labels = batch(2, 3)
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.2)
    compare(logits, labels, lambda x: criterion(torch.cat([torch.zeros_like(x), x], 1), labels), label_smoothing=0.2)


@pytest.mark.parametrize("alpha", (None, 0.25, 1.0))
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("gamma", GAMMAS)
def test_binary_focal(gamma, smoothing, alpha):
    logits, labels = batch(2, 3)
    targets = (labels.double() * (1 - smoothing) + smoothing / 2)[:, None]
    options = {} if alpha is None else {"focal_alpha": alpha}
    compare(logits, labels,
            lambda x: sigmoid_focal_loss(x, targets, -1 if alpha is None else alpha, gamma, reduction="mean"),
            kind="focal", focal_gamma=gamma, label_smoothing=smoothing, **options)


def multiclass_focal(logits, labels, gamma, smoothing):
    """Lin et al. 2017, equation 4, as it stands, for targets that may be soft."""
    classes = logits.shape[1]
    targets = functional.one_hot(labels, classes).double() * (1 - smoothing) + smoothing / classes
    right = (targets * logits.softmax(1)).sum(1)
    return ((1 - right) ** gamma * functional.cross_entropy(logits, targets, reduction="none")).mean()


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("classes", (3, 10))
def test_multiclass_focal(classes, gamma, smoothing):
    logits, labels = batch(classes, 2)
    compare(logits, labels, lambda x: multiclass_focal(x, labels, gamma, smoothing), rtol=2e-5, atol=2e-6,
            kind="focal", focal_gamma=gamma, label_smoothing=smoothing)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_multiclass_focal_with_one_class_out_of_reach_is_torchvisions(gamma):
    """Three classes, the third without hope: two are left, and torchvision knows those."""
    logits, labels = batch(2, 3)
    three = torch.cat([torch.zeros_like(logits), logits, torch.full_like(logits, -1000)], 1)
    loss, gradient = ours(three, labels, kind="focal", focal_gamma=gamma)
    exact = logits.double().requires_grad_()
    expected = sigmoid_focal_loss(exact, labels.double()[:, None], -1, gamma, reduction="mean")
    expected.backward()
    torch.testing.assert_close(loss, expected.detach(), rtol=2e-6, atol=2e-7)
    torch.testing.assert_close(gradient[:, 1:2], exact.grad, rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("kind", ("cross-entropy", "focal"))
@pytest.mark.parametrize("classes", (2, 5))
@pytest.mark.parametrize("dtype", ("float16", "bfloat16"))
def test_half_logits_under_autocast_give_a_float32_loss(dtype, classes, kind):
    logits, labels = batch(classes, 3)
    rounded = logits.to(getattr(torch, dtype)).float()
    expected, expected_gradient = ours(rounded, labels, kind=kind, label_smoothing=0.1)
    loss, gradient = ours(rounded, labels, kind=kind, label_smoothing=0.1, dtype=dtype, autocast=True)
    assert loss == expected
    assert torch.equal(gradient, expected_gradient.to(getattr(torch, dtype)).double())
