"""Under autocast every operator of a model gets the dtypes that it gets in Python, forward and backward."""
import json

import pytest
import torch
from torch.profiler import ExecutionTraceObserver

from reference_models import ask, copy_state, leave_trivial_values, make_batch, make_reference, pass_through

DTYPES = {"float32": "Tensor(float)", "bfloat16": "Tensor(c10::BFloat16)", "float16": "Tensor(c10::Half)"}
# They move, cast or view memory. How often depends on what works in place and what calls what, and the dtypes of the
# operators that compute tell what was cast.
BOOKKEEPING = {"as_strided", "clone", "contiguous", "copy", "_to_copy", "to", "detach", "empty", "empty_like",
               "empty_strided", "resize", "resolve_conj", "t", "transpose", "expand", "view", "linear"}


def read_operators(path):
    """(operator, dtypes and shapes of its floating-point tensors, dtypes of its results), in the order they began."""
    nodes = json.loads(path.read_text())["nodes"]
    path.unlink()
    # Under autocast an operator calls itself with what it has cast: that inner call is the one that computes.
    names = {node["id"]: node["name"] for node in nodes}
    casting = {node["ctrl_deps"] for node in nodes if names.get(node["ctrl_deps"]) == node["name"]}
    operators = []
    for node in sorted(nodes, key=lambda node: node["id"]):
        namespace, _, operator = node["name"].partition("::")
        operator = operator.removesuffix("_")  # in place or not
        if namespace != "aten" or operator in BOOKKEEPING or node["id"] in casting:
            continue
        inputs = zip(node["inputs"]["types"], node["inputs"]["shapes"])
        tensors = [(kind, str(shape)) for kind, shape in inputs if kind in DTYPES.values()]
        if tensors:
            operators.append((operator, tensors, node["outputs"]["types"]))
    return operators


def trace_reference(path, *arguments, **options):
    observer = ExecutionTraceObserver().register_callback(str(path))
    observer.start()
    try:
        logits = pass_through(*arguments, **options)
    finally:
        observer.stop()
        observer.unregister_callback()
    return logits, read_operators(path)


def make_case(name):
    model = make_reference(name, outputs=10)
    batch = make_batch(images=2, outputs=10)
    leave_trivial_values(model, batch["images"])
    return model, batch, copy_state(model)


BFLOAT16 = [("bfloat16", "step"), ("bfloat16", "validation")]
# No float16 step: where the processor lacks float16 kernels a weight gradient takes seconds.
FLOAT16 = [("float16", "training forward"), ("float16", "validation")]
CASES = [(name, *case) for name in ("cnn", "resnet18") for case in BFLOAT16 + FLOAT16]
CASES += [("efficientnet-b0", *case) for case in BFLOAT16]


@pytest.mark.parametrize("name, dtype, what", CASES)
def test_operators_get_the_same_dtypes(name, dtype, what, tmp_path):
    model, batch, state = make_case(name)
    trace = tmp_path / "trace.json"
    low = getattr(torch, dtype)
    train, backward = what != "validation", what == "step"
    logits, expected = trace_reference(trace, model, batch, train, autocast=low, backward=backward)
    ours = ask(tmp_path, name, outputs=10, batch=batch, state=state, train=train, backward=backward, autocast=dtype,
               trace=str(trace))
    seen = read_operators(trace)
    kinds = [kind for _, inputs, _ in expected for kind, _ in inputs]
    assert kinds.count(DTYPES[dtype]) > 20  # the trace does see dtypes
    assert seen == expected
    assert ours.logits.dtype == logits.dtype == low
    torch.testing.assert_close(ours.logits, logits)


def test_efficientnet_in_float16(tmp_path):
    """Untraced: a depthwise convolution without a float16 kernel of its own is thousands of operators."""
    model, batch, state = make_case("efficientnet-b0")
    logits = pass_through(model, batch, train=False, autocast=torch.float16)
    ours = ask(tmp_path, "efficientnet-b0", outputs=10, batch=batch, state=state, train=False, autocast="float16")
    assert ours.logits.dtype == logits.dtype == torch.float16
    torch.testing.assert_close(ours.logits, logits)
