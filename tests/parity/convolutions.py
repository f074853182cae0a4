"""PyTorch's convolutions of a case: a dict with the names of conv2d's arguments, and the shapes."""
import torch
import torch.nn.functional as F


def random_tensors(spec, dtype, exact_dtype, seed):
    """Values that `dtype` holds; the output's shape comes from a convolution in `exact_dtype`."""
    generator = torch.Generator().manual_seed(seed)

    def rounded(shape):
        return torch.randn(shape, generator=generator).to(dtype)

    tensors = {"input": rounded(spec["input_shape"]), "weight": rounded(spec["weight_shape"])}
    outputs = spec["weight_shape"][1] * spec["groups"] if spec.get("transposed") else spec["weight_shape"][0]
    tensors["bias"] = rounded((outputs,)) if spec["bias"] else None
    tensors["output_gradient"] = rounded(convolve(spec, tensors, exact_dtype)["output"].shape)
    return tensors


def convolve(spec, tensors, dtype):
    """The output, and (where there is an output gradient) the gradients."""
    leaves = {}
    for name in ("input", "weight", "bias"):
        value = tensors[name]
        if value is not None:
            value = value.to(dtype)
            if spec["channels_last"] and value.dim() == 4:
                value = value.to(memory_format=torch.channels_last)
            value = value.detach().requires_grad_()
        leaves[name] = value
    shared = (leaves["input"], leaves["weight"], leaves["bias"], spec["stride"], spec["padding"])
    if spec.get("transposed"):
        output = F.conv_transpose2d(*shared, spec["output_padding"], spec["groups"], spec["dilation"])
    else:
        output = F.conv2d(*shared, spec["dilation"], spec["groups"])
    result = {"output": output.detach()}
    if "output_gradient" in tensors:
        output.backward(tensors["output_gradient"].to(dtype))
        for name, leaf in leaves.items():
            result[f"{name}_gradient"] = None if leaf is None else leaf.grad
    return result
