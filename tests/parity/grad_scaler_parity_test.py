"""GradScaler against torch.amp.GradScaler: the same operations on both, and everything observable compared after each."""
import copy
import json
import math

import pytest
import torch

from driver import decode, encode, run

INF = float("inf")
NAN = float("nan")
START = [[1.0, -2.0, 0.5], [[0.25, 3.0], [-1.5, 2.0]]]

# What Python's message and ours have in common, in lower case.
PHRASES = [
    "unscale_() has already been called on this optimizer since the last update()",
    "unscale_() is being called after step()",
    "step() has already been called since the last update()",
    "no inf checks were recorded for this optimizer",
    "no inf checks were recorded prior to update",
    "scale(loss",
    "unscale fp16 gradients",
    "growth factor must be > 1.0",
    "backoff factor must be < 1.0",
    "the source state",
    "requires_grad",
]


def optimizer(name="sgd", fused=False, dtype="float32", start=START, **options):
    params = [encode(torch.tensor(p)) for p in start]
    return {"name": name, "lr": 0.1, "fused": fused, "dtype": dtype, "params": params, **options}


def gradients(*values, index=0):
    """One gradient a parameter, before scaling: each a number (for all elements), a list, or None."""
    encoded = []
    for value, param in zip(values, START):
        if value is None or isinstance(value, dict):
            encoded.append(value)
        else:
            encoded.append(encode(torch.tensor(value).expand(torch.tensor(param).shape)))
    return {"op": "gradients", "optimizer": index, "gradients": encoded}


def op(name, **arguments):
    return {"op": name, **arguments}


SCALE = op("scale", tensor={"shape": [], "values": [1.5]})


def iterations(*values, before_step=()):
    operations = []
    for value in values:
        operations += [SCALE, gradients(*value) if isinstance(value, tuple) else gradients(value, value)]
        operations += [*before_step, op("step"), op("update")]
    return operations


# --- the same on torch.amp.GradScaler


class Reference:
    def __init__(self, script):
        self.options = {k: v for k, v in script["scaler"].items()}
        self.scaler = torch.amp.GradScaler("cpu", **self.options)
        self.optimizers = []
        self.skipped = 0
        for spec in script["optimizers"]:
            dtype = getattr(torch, spec["dtype"])
            params = [decode(p, dtype).requires_grad_() for p in spec["params"]]
            if spec["name"] == "sgd":
                made = torch.optim.SGD(params, lr=spec["lr"], momentum=spec.get("momentum", 0.0), fused=spec["fused"])
            else:
                kind = torch.optim.Adam if spec["name"] == "adam" else torch.optim.AdamW
                made = kind(params, lr=spec["lr"], weight_decay=0.0, fused=spec["fused"])
            self.optimizers.append(made)

    def params(self):
        return [p for o in self.optimizers for p in o.param_groups[0]["params"]]

    def play(self, operation):
        name = operation["op"]
        target = self.optimizers[operation.get("optimizer", 0)]
        params = target.param_groups[0]["params"]
        if name == "scale":
            return encode(self.scaler.scale(decode(operation["tensor"], torch.float32)))
        if name == "scale_list":
            scaled = self.scaler.scale([decode(t, torch.float32) for t in operation["tensors"]])
            return [encode(t) for t in scaled]
        if name == "gradients":
            for param, spec in zip(params, operation["gradients"]):
                param.grad = None
                if spec is not None and "indices" in spec:
                    values = decode(spec, param.dtype) * self.scaler.get_scale()
                    param.grad = torch.sparse_coo_tensor([spec["indices"]], values, [spec["size"]])
                elif spec is not None:
                    param.grad = decode(spec, param.dtype) * self.scaler.get_scale()
            return None
        if name == "unscale":
            return self.scaler.unscale_(target)
        if name == "clip":
            return torch.nn.utils.clip_grad_norm_(params, operation["max_norm"]).item()
        if name == "step":
            fused = target.param_groups[0]["fused"] and self.scaler.is_enabled()
            calls = []
            step = target.step
            target.step = lambda *a, **k: (calls.append(1), step(*a, **k))[1]
            try:
                self.scaler.step(target)
            finally:
                target.step = step
            found = self.scaler.is_enabled() and any(
                v.item() for v in self.scaler._found_inf_per_device(target).values()
            )
            self.skipped += found
            assert fused or found == (not calls)
            return "unknown" if fused else "stepped" if calls else "skipped"
        if name == "update":
            if "new_scale" in operation:
                return self.scaler.update(operation["new_scale"])
            if "tensor" in operation:
                tensor = decode(operation["tensor"], torch.float32)
                return self.scaler.update(tensor.requires_grad_(operation.get("requires_grad", False)))
            return self.scaler.update()
        if name == "round_trip":
            state = json.loads(json.dumps(self.scaler.state_dict()))
            self.scaler = torch.amp.GradScaler("cpu", **self.options)
            self.scaler.load_state_dict(copy.deepcopy(state))
            self.skipped = 0  # not part of the state
            return state
        if name == "load":
            return self.scaler.load_state_dict(operation["state"])
        raise AssertionError(name)


def common_phrase(message):
    found = [phrase for phrase in PHRASES if phrase in message.lower()]
    assert found, f"no known phrase in: {message}"
    return found[0]


def same_tensor(ours, reference, exact):
    if reference is None:
        assert ours is None
        return
    if reference.is_sparse:
        reference = reference.to_dense()
    tolerance = 0.0 if exact else 1e-7
    torch.testing.assert_close(
        decode(ours), reference.detach().double(), rtol=tolerance, atol=tolerance, equal_nan=True
    )


def compare(script, exact=True):
    """Plays `script` on both and compares every record; returns the errors that both gave, by operation index."""
    script = {"scaler": {}, **script}
    records = run("grad_scaler", script)
    try:
        reference = Reference(script)
    except (AssertionError, RuntimeError) as error:
        assert common_phrase(records[0]["error"]) == common_phrase(str(error))
        return {"constructor": str(error)}
    assert len(records) == len(script["operations"])
    errors = {}
    for index, (operation, record) in enumerate(zip(script["operations"], records)):
        where = f"operation {index}: {operation}"
        result, message = None, None
        try:
            result = reference.play(operation)
        except (AssertionError, RuntimeError, ValueError) as error:
            message = str(error)
        assert (record["error"] is None) == (message is None), f"{where}: {record['error']!r} against {message!r}"
        if message is not None:
            assert common_phrase(record["error"]) == common_phrase(message), where
            errors[index] = message
        elif isinstance(result, float):
            assert record["result"] == pytest.approx(result, rel=1e-6, nan_ok=True) or not math.isfinite(result), where
        elif isinstance(result, dict) and "values" in result:
            assert record["result"]["values"] == result["values"], where
        elif isinstance(result, list):
            assert [t["values"] for t in record["result"]] == [t["values"] for t in result], where
        else:
            assert record["result"] == result, where
        assert float(record["scale"]) == reference.scaler.get_scale(), where
        assert record["growth_tracker"] == reference.scaler._get_growth_tracker(), where
        assert record["skipped_steps"] == reference.skipped, where
        state = reference.scaler.state_dict()
        assert set(record["state"]) == set(state), where
        for key in state:
            if math.isfinite(state[key]):
                assert record["state"][key] == state[key], f"{where}: {key}"
        for ours, param in zip(record["parameters"], reference.params(), strict=True):
            same_tensor(ours, param, exact)
        for ours, param in zip(record["gradients"], reference.params(), strict=True):
            same_tensor(ours, param.grad, exact)
    return errors


def script(operations, *optimizers, **scaler):
    return {"scaler": scaler, "optimizers": list(optimizers) or [optimizer()], "operations": operations}


PATHS = pytest.mark.parametrize("fused", [False, True], ids=["plain", "fused"])
EVERY_OPTIMIZER = pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])


# --- series of gradients


@PATHS
@EVERY_OPTIMIZER
def test_series_with_inf_nan_growth_and_backoff(name, fused):
    series = [1.0, 2.0, INF, 0.5, -1.0, 2.0, 3.0, NAN, NAN, 1.0, 0.1, 0.2, -INF, 4.0, 1e-3, 5.0, 6.0]
    # Python's non-fused arithmetic rounds differently from the fused kernel's.
    compare(script(iterations(*series), optimizer(name, fused), init_scale=8.0, growth_interval=3), exact=fused)


@PATHS
def test_series_at_the_defaults(fused):
    assert compare(script(iterations(1.0, INF, 2.0, 3.0), optimizer(fused=fused))) == {}


@PATHS
def test_odd_factors(fused):
    compare(
        script(
            iterations(1.0, 1.0, INF, NAN, 1.0, 1.0, 1.0, 1.0),
            optimizer("adam", fused),
            init_scale=3.3,
            growth_factor=1.7,
            backoff_factor=0.3,
            growth_interval=2,
        ),
        exact=fused,
    )


def test_inf_in_one_element_of_one_gradient():
    spot = encode(torch.tensor([1.0, INF, 2.0]))
    operations = [SCALE, op("gradients", gradients=[spot, encode(torch.ones(2, 2))]), op("step"), op("update")]
    compare(script(operations, init_scale=4.0))


@PATHS
def test_backoff_toward_zero(fused):
    errors = compare(script(iterations(*[INF] * 40), optimizer(fused=fused), init_scale=2.0**-120))
    assert errors == {}


def test_growth_stops_where_float32_ends():
    compare(script(iterations(*[0.0] * 6), init_scale=2.0**125, growth_interval=1))


@PATHS
def test_undefined_gradients_are_left_alone(fused):
    compare(
        script(
            iterations((1.0, None), (None, INF), (None, 2.0), (3.0, 1.0)),
            optimizer(fused=fused),
            init_scale=8.0,
            growth_interval=2,
        )
    )


@PATHS
def test_state_round_trip_in_the_middle(fused):
    operations = iterations(1.0, 1.0, INF, 1.0)
    operations += [op("round_trip")] + iterations(1.0, 1.0, NAN, 2.0)
    operations += [op("round_trip"), op("round_trip")] + iterations(1.0, 1.0, 1.0)
    compare(script(operations, optimizer("adam", fused), init_scale=16.0, growth_interval=3), exact=fused)


def test_loading_pythons_state():
    state = torch.amp.GradScaler("cpu", init_scale=128.0, growth_interval=3).state_dict()
    state["_growth_tracker"] = 2
    compare(script([op("load", state=state)] + iterations(1.0, 1.0)))
    compare(script(iterations(1.0) + [op("load", state=state)] + iterations(1.0, 1.0)))


@PATHS
def test_two_optimizers(fused):
    one = {"optimizer": 1}
    operations = []
    for first, second in [(1.0, 2.0), (INF, 1.0), (1.0, NAN), (INF, INF), (1.0, 1.0), (1.0, 1.0)]:
        operations += [SCALE, gradients(first, first), gradients(second, second, index=1)]
        operations += [op("step"), op("step", **one), op("update")]
    operations += [SCALE, gradients(1.0, 1.0), op("step"), op("update")]
    compare(script(operations, optimizer("sgd", fused), optimizer("adam", fused), init_scale=32.0, growth_interval=2),
            exact=fused)


@PATHS
def test_clipping_after_unscale(fused):
    clip = (op("unscale"), op("clip", max_norm=0.5))
    operations = iterations(1.0, 3.0, INF, 2.0, before_step=clip)
    compare(script(operations, optimizer(fused=fused), init_scale=16.0), exact=False)


def test_a_new_scale():
    operations = iterations(1.0, 1.0)
    stepped = [SCALE, gradients(1.0, INF), op("step")]
    operations += [*stepped, op("update", new_scale=7.0)] + iterations(1.0, INF)
    operations += [*stepped, op("update", tensor={"shape": [], "values": [12.0]})] + iterations(1.0)
    operations += [op("update", tensor={"shape": [2], "values": [1.0, 2.0]})]
    operations += [op("update", tensor={"shape": [], "values": [1.0]}, requires_grad=True)]
    errors = compare(script(operations, init_scale=16.0, growth_interval=2))
    assert len(errors) == 2


def test_a_list_of_outputs():
    tensors = [{"shape": [2], "values": [1.0, -3.0]}, {"shape": [], "values": [0.1]}]
    compare(script([op("scale_list", tensors=tensors), op("scale_list", tensors=tensors)], init_scale=3.0))


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_sparse_gradients_are_unscaled():
    sparse = {"indices": [2, 0, 2], "values": [1.0, 2.0, 3.0], "shape": [3], "size": 3}
    bad = {**sparse, "values": [1.0, "inf", 3.0]}
    dense = encode(torch.ones(2, 2))
    for gradient in (sparse, bad):
        operations = [SCALE, op("gradients", gradients=[gradient, dense]), op("unscale")]
        compare(script(operations, init_scale=8.0))


@PATHS
def test_disabled(fused):
    operations = iterations(1.0, 2.0) + [op("unscale"), op("unscale"), op("step"), op("step"), op("round_trip")]
    operations += [op("load", state={}), op("update", new_scale=3.0)]
    errors = compare(
        script(operations, optimizer("adam", fused), enabled=False, growth_factor=0.5), exact=fused
    )
    assert errors == {}


# --- misuse: an error at the same place, about the same thing

READY = [SCALE, gradients(1.0, 1.0)]
MISUSE = {
    "unscale before scale": ([gradients(1.0, 1.0), op("unscale")], 1),
    "step before scale": ([gradients(1.0, 1.0), op("step")], 1),
    "update before scale": ([op("update")], 0),
    "new scale before scale": ([op("update", new_scale=2.0)], 0),
    "unscale twice": ([*READY, op("unscale"), op("unscale")], 3),
    "unscale after step": ([*READY, op("step"), op("unscale")], 3),
    "step twice": ([*READY, op("step"), op("step")], 3),
    "step twice after unscale": ([*READY, op("unscale"), op("step"), op("step")], 4),
    "update without step": ([*READY, op("update")], 2),
    "update twice": ([*READY, op("step"), op("update"), op("update")], 4),
    "empty state": ([op("load", state={})], 0),
}


@PATHS
@pytest.mark.parametrize("misuse", MISUSE)
def test_misuse(misuse, fused):
    operations, at = MISUSE[misuse]
    # What follows the error shows that it left both scalers in the same state.
    errors = compare(script(operations + iterations(1.0), optimizer(fused=fused)))
    assert min(errors) == at


def test_step_without_gradients():
    operations = [SCALE, gradients(None, None), op("step"), op("update")]
    assert set(compare(script(operations))) == {2, 3}
    # The fused path lets the step pass, and only update() complains.
    assert set(compare(script(operations, optimizer(fused=True)))) == {3}


@PATHS
def test_float16_gradients(fused):
    operations = [SCALE, gradients(0.5, 0.5), op("unscale"), op("unscale")]
    errors = compare(script(operations, optimizer(fused=fused, dtype="float16"), init_scale=8.0))
    assert set(errors) == {2, 3}, "the failed unscale_ must not count as one"


def test_float16_gradients_on_the_fused_path():
    compare(script(iterations(0.5, INF, 0.25), optimizer(fused=True, dtype="float16"), init_scale=8.0))


@pytest.mark.parametrize(
    "options", [{"growth_factor": 1.0}, {"growth_factor": 0.5}, {"backoff_factor": 1.0}, {"backoff_factor": 2.0}], ids=str
)
def test_bad_factors(options):
    assert "constructor" in compare(script([], **options))
