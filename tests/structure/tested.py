"""Which test a source file has. src/<module>/.../NAME.cpp is tested by tests/<module>/NAME_test.cpp, by another C++ test that
includes NAME.hpp, or, where NAME is OTHER_part, by OTHER_test.cpp of its module; or it is named here."""
import fnmatch
import functools

from structure.sources import headers_of, module_of, root

# Files without a test of their own, by the reason.
FOLDERS = {
    "src/cli/*": "run by tests/cli, as a user does",
    "src/commands/*": "run by tests/cli, as a user does",
    "src/device/cuda/*": "run by tests/fake_cuda: the library is loaded where an NVIDIA driver is",
    "src/kernels/*_avx2.cpp": "the kernels of a header, compiled for these instructions: the tests of kernels run with each",
    "src/kernels/*_avx512.cpp": "as those for AVX2",
}
# Files that are tested through what calls them: {test: the files' names}.
THROUGH = {
    "tests/bench/comparison_test.cpp": "evidence metric_difference run_groups",
    "tests/bench/plan_test.cpp": "ladder_options",
    "tests/bench/process_test.cpp": "child_process",
    "tests/bench/runner_test.cpp": "run_rows",
    "tests/bench/sessions_test.cpp": "session session_log",
    "tests/bench/speed_comparison_test.cpp": "session_values",
    "tests/cli/sessions_test.py": "conducted_pace ended_run other_program process_arm process_executor",
    "tests/cli/resume_test.py": "config_hashes",
    "tests/cli/datasets_test.py": "cifar_format idx_format image_folder_format",
    "tests/cli/predict_test.py": "prediction_table",
    "tests/cli/rsna_pictures_test.py": "mammogram_image",
    "tests/cli/wrong_data_test.py": "data_hints",
    "tests/cli/wrong_usage_test.py": "build_info library_versions logging report_errors",
    "tests/data/dataset_test.cpp": "cache_file_format image_dataset rsna_format subset",
    "tests/data/loader_test.cpp": "batch_order",
    "tests/image/image_file_test.cpp": "bmp_image exif_orientation jpeg_image png_orientation png_image",
    "tests/data/preprocess_test.cpp": "partial_cache",
    "tests/device/device_test.cpp": "allocator_statistics",
    "tests/mammo/breast_roi_test.cpp": "bright_frame",
    "tests/dicom/dicom_file_test.cpp": "frame_decoder rle_decoder",
    "tests/dicom/image_attributes_test.cpp": "lookup_table",
    "tests/dicom/jpeg2000_codec_test.cpp": "jpeg2000_codestream jpeg2000_decoder jpeg2000_encoder jpeg2000_watched openjpeg_memory",
    "tests/dicom/jpeg_decoder_test.cpp": "jpeg_header jpeg_log",
    "tests/profile/operator_cost_test.cpp": "profiled_event",
    "tests/profile/step_profiler_test.cpp": "convolution_timing kineto_events step_range",
    "tests/fake_cuda/steps_test.py": "cuda_library graphed_step",
    "tests/kernels/cpu_kernels_test.cpp": "depthwise_convolution dispatch instruction_set instruction_set_options",
    "tests/nn/pth_file_test.cpp": "crc32 network_entry old_pth_file pth_tensors",
    "tests/nn/state_dict_test.cpp": "byte_tensor safetensors_dtype",
    "tests/nn/unpickler_test.cpp": "pickle_calls pickle_names",
    "tests/nn/weights_test.cpp": "network_names",
    "tests/report/joined_report_test.cpp": "joined_blocks",
    "tests/report/terminal_table_test.cpp": "summary summary_cells",
    "tests/synth/phantom_test.cpp": "breast_shape canvas value_noise",
    "tests/synth/synthetic_set_test.cpp": "mammogram_writer synthetic_options",
    "tests/train/optimizer_test.cpp": "named_tensors",
    "tests/tensorboard/event_file_test.cpp": "event_messages",
    "tests/train/trainer_test.cpp": "training_sums training_windows",
}


@functools.cache
def headers_reached(test):
    """The headers that a C++ test includes, and those of the sources behind them."""
    sources = {}
    for path in (root / "src").rglob("*.cpp"):
        sources.setdefault(path.stem, []).append(path)
    reached, waiting = set(), [test]
    while waiting:
        for header in headers_of(waiting.pop())[0]:
            if header not in reached:
                reached.add(header)
                waiting += [header, *sources.get(header.stem, [])]
    return {header.stem for header in reached}


def has_own_test(path, tests):
    whole, _, part = path.stem.rpartition("_")
    return any(test.stem == f"{path.stem}_test" or
               (whole and test.stem == f"{whole}_test" and test.parent.name == module_of(path)) or
               any(header.stem == path.stem for header in headers_of(test)[0]) for test in tests)


def check_tests(sources):
    tests = sorted((root / "tests").rglob("*_test.cpp"))
    through = {name: test for test, names in THROUGH.items() for name in names.split()}
    untested = [path for path in sources if path.suffix == ".cpp" and not has_own_test(path, tests)]
    alone = [path for path in untested if not any(fnmatch.fnmatch(path.relative_to(root), folder) for folder in FOLDERS)]
    for path in alone:
        if path.stem not in through:
            yield (f"{path}: no test is named {path.stem}_test.cpp or includes its header: write one, or name the test that it "
                   "is tested through in tests/structure/tested.py")
    for name, test in through.items():
        if not any(path.stem == name for path in sources):
            yield f"tests/structure/tested.py: there is no {name}.cpp"
        elif not (root / test).is_file():
            yield f"tests/structure/tested.py: there is no {test}"
        elif any(path.stem == name and path.suffix == ".hpp" for path in sources) and test.endswith(".cpp") \
                and name not in headers_reached(root / test):
            yield f"tests/structure/tested.py: {test} does not reach {name}.hpp by any chain of includes"


def listed():
    return f"{sum(len(names.split()) for names in THROUGH.values())} files are tested through others."
