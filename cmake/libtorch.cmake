# LibTorch as one imported target, mpbench_torch.
#
# Own targets instead of find_package(Torch): the wheel's package refuses to configure without nvcc, and
# brings fmt 12 headers that shadow the distribution's fmt 9 and break its spdlog.
set(MPBENCH_TORCH_VERSION 2.11.0)

# --- where it is: -DMPBENCH_LIBTORCH, the environment, or what scripts/setup left in the user's cache
set(libtorch "${MPBENCH_LIBTORCH}")
if(NOT libtorch)
  set(libtorch "$ENV{MPBENCH_LIBTORCH}")
endif()
if(NOT libtorch)
  set(cache "$ENV{XDG_CACHE_HOME}")
  if(NOT cache)
    set(cache "$ENV{HOME}/.cache")
  endif()
  file(GLOB candidates ${cache}/mpbench/torch-${MPBENCH_TORCH_VERSION}-full/lib/python3*/site-packages/torch
                       ${cache}/mpbench/torch-${MPBENCH_TORCH_VERSION}-slim/lib/python3*/site-packages/torch)
  list(SORT candidates)
  if(candidates)
    list(GET candidates 0 libtorch)
  endif()
endif()
if(NOT EXISTS "${libtorch}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "No LibTorch found (looked in '${libtorch}'). Run scripts/setup, or set "
                      "MPBENCH_LIBTORCH to a folder that holds include/ and lib/.")
endif()
file(REAL_PATH "${libtorch}" libtorch)
foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(EXISTS ${libtorch}/include/${header})
    file(STRINGS ${libtorch}/include/${header} version_line REGEX "^  \"[0-9.]+")
    string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" torch_version "${version_line}")
    break()
  endif()
endforeach()
if(NOT torch_version VERSION_EQUAL MPBENCH_TORCH_VERSION)
  message(WARNING "LibTorch ${torch_version} at ${libtorch}; mpbench is tested with ${MPBENCH_TORCH_VERSION}.")
endif()

# --- its headers, without its fmt
set(torch_include ${CMAKE_BINARY_DIR}/torch_include)
file(REMOVE_RECURSE ${torch_include})
file(MAKE_DIRECTORY ${torch_include})
file(GLOB entries RELATIVE ${libtorch}/include ${libtorch}/include/*)
list(REMOVE_ITEM entries fmt)
foreach(entry ${entries})
  file(CREATE_LINK ${libtorch}/include/${entry} ${torch_include}/${entry} SYMBOLIC)
endforeach()

add_library(mpbench_torch INTERFACE)
target_include_directories(mpbench_torch SYSTEM INTERFACE
  ${torch_include} ${torch_include}/torch/csrc/api/include)
# --no-as-needed: kernels register themselves when a library is loaded, no symbol refers to them.
target_link_libraries(mpbench_torch INTERFACE
  -Wl,--no-as-needed ${libtorch}/lib/libtorch_cpu.so ${libtorch}/lib/libc10.so)
# The wheel's libraries find the NVIDIA ones by paths relative to themselves; the linker needs no check.
target_link_options(mpbench_torch INTERFACE
  -Wl,-rpath,${libtorch}/lib -Wl,--allow-shlib-undefined)

# --- CUDA: only where the toolkit is, and only when LibTorch has it
find_program(MPBENCH_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
set(MPBENCH_WITH_CUDA OFF)
if(NOT MPBENCH_CUDA STREQUAL OFF)
  if(MPBENCH_NVCC AND EXISTS ${libtorch}/lib/libtorch_cuda.so)
    file(GLOB nvidia_cublas ${libtorch}/../nvidia/cu*/lib/libcublas.so.*)
    if(nvidia_cublas OR NOT EXISTS ${libtorch}/../nvidia)
      set(MPBENCH_WITH_CUDA ON)
    endif()
  endif()
  if(MPBENCH_CUDA STREQUAL ON AND NOT MPBENCH_WITH_CUDA)
    message(FATAL_ERROR "MPBENCH_CUDA=ON needs nvcc (found: ${MPBENCH_NVCC}) and a LibTorch with its CUDA "
                        "libraries (${libtorch}): run scripts/setup --full.")
  endif()
endif()
if(MPBENCH_WITH_CUDA)
  find_package(CUDAToolkit REQUIRED)
  target_include_directories(mpbench_torch SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
  target_link_libraries(mpbench_torch INTERFACE
    ${libtorch}/lib/libtorch_cuda.so ${libtorch}/lib/libc10_cuda.so)
  target_compile_definitions(mpbench_torch INTERFACE MPBENCH_WITH_CUDA)
endif()
message(STATUS "LibTorch ${torch_version}: ${libtorch} (CUDA: ${MPBENCH_WITH_CUDA})")
