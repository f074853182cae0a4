"""stubs.py LIBTORCH_LIB OUT: writes OUT/libraries.c, what LibTorch needs of cuBLAS and of cuDNN beside cudnn.cpp, and OUT/driver.c, the
driver (libcuda.so.1). Which functions those are is read from LibTorch's own libraries; each does nothing and succeeds, but for
these."""

import pathlib
import re
import subprocess
import sys


def operation(name):
    """Queues one operation on the stream of the handle."""
    return f'(struct Handle* h) {{ return fake_cuda_enqueue(h->stream, "kernel {name}"); }}'


def bytes_at(place):
    """Answers a question for a size, whose address is the argument number `place`."""
    parameters = ", ".join(["long"] * (place - 1) + ["unsigned long* bytes"])
    names = ", ".join(f"long a{i}" for i in range(1, place))
    return f"({names}, unsigned long* bytes) {{ *bytes = 4096; return 0; }}" if parameters else ""


NEW_OBJECT = "(void** object) { *object = calloc(1, 256); return 0; }"
SPECIAL = {
    "cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize": bytes_at(9),
    "cudnnGetBatchNormalizationBackwardExWorkspaceSize": bytes_at(11),
    "cudnnGetBatchNormalizationTrainingExReserveSpaceSize": bytes_at(6),
    "cudnnBatchNormalizationForwardTrainingEx": operation("cudnn batch norm"),
    "cudnnBatchNormalizationForwardInference": operation("cudnn batch norm in evaluation"),
    "cudnnBatchNormalizationBackwardEx": operation("cudnn batch norm backward"),
    "cublasCreate_v2": NEW_OBJECT,
    "cublasSetStream_v2": "(struct Handle* h, void* stream) { h->stream = stream; return 0; }",
    "cublasGetMathMode": "(void* h, int* mode) { *mode = 0; return 0; }",
    "cublasGetPointerMode_v2": "(void* h, int* mode) { *mode = 0; return 0; }",
    "cublasSgemm_v2": operation("cublas gemm"),
    "cublasGemmEx": operation("cublas gemm"),
    "cublasSgemmStridedBatched": operation("cublas gemm"),
    "cublasGemmStridedBatchedEx": operation("cublas gemm"),
    "cublasLtMatmulDescCreate": NEW_OBJECT,
    "cublasLtMatrixLayoutCreate": NEW_OBJECT,
    "cublasLtMatmulPreferenceCreate": NEW_OBJECT,
    "cublasLtMatmulAlgoGetHeuristic": "(void* h, void* d, void* a, void* b, void* c, void* e, void* p, int wanted, void* results,"
                                      " int* found) { memset(results, 0, 96); *found = 1; return 0; }",
    "cublasLtMatmul": "(void* h, void* d, void* alpha, void* a, void* la, void* b, void* lb, void* beta, void* c, void* lc,"
                      " void* e, void* le, void* algorithm, void* workspace, unsigned long bytes, void* stream)"
                      ' { return fake_cuda_enqueue(stream, "kernel cublas gemm"); }',
    "cublasLtGetVersion": "(void) { return 130100; }",
    "cuInit": "(unsigned flags) { return fake_cuda_devices == 0 || fake_cuda_devices() > 0 ? 0 : 100; }",
    "cuDeviceGetCount": "(int* number) { *number = fake_cuda_devices == 0 ? 0 : fake_cuda_devices(); return 0; }",
    "cuDeviceGet": "(int* device, int number) { *device = number; return 0; }",
    # The place on the PCI bus: domain 0, bus 0x17 for the first (33 in cuda.h), device 0.
    "cuDeviceGetAttribute": "(int* value, int attribute, int device) { *value = attribute == 33 ? 0x17 + device : 0; return 0; }",
    "cuDevicePrimaryCtxGetState": "(int device, unsigned* flags, int* active)"
                                  " { *flags = 0; *active = fake_cuda_has_context && fake_cuda_has_context(device); return 0; }",
    "cuCtxGetCurrent": "(void** context) { *context = (void*)1; return 0; }",
}
DESCRIPTORS = re.compile("Create(Tensor|Filter|Activation)Descriptor$")
NOTHING = "(void) { return 0; }"


def needed(library, pattern):
    listing = subprocess.run(["nm", "-D", "--undefined-only", library], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split("@")[0] for line in listing.splitlines()}
    return sorted(name for name in names if re.match(pattern, name))


def definition(name):
    result = "unsigned long" if name == "cublasLtGetVersion" else "int"
    return f"{result} {name}{NEW_OBJECT if DESCRIPTORS.search(name) else SPECIAL.get(name, NOTHING)}\n"


def main():
    libtorch, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    written = set(re.findall(r"\b(cudnn\w+)\(", (pathlib.Path(__file__).parent / "cudnn.cpp").read_text()))
    libraries = [name for name in needed(libtorch / "libtorch_cuda.so", "(cublas|cudnn)[A-Z]") if name not in written]
    head = "#include <stdlib.h>\n#include <string.h>\nstruct Handle { void* stream; };\nint fake_cuda_enqueue(void*, const char*);\n"
    (out / "libraries.c").write_text(head + "".join(map(definition, libraries)))
    driver = {*needed(libtorch / "libcaffe2_nvrtc.so", "cu[A-Z]"), "cuInit", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetAttribute",
              "cuGetProcAddress_v2"}
    head = "int fake_cuda_devices(void) __attribute__((weak));\nint fake_cuda_has_context(int) __attribute__((weak));\n"
    (out / "driver.c").write_text(head + "".join(map(definition, sorted(driver))))


main()
