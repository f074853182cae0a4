# LibTorch's libraries as imported targets (torch::torch_cpu, torch::c10, ...), and what is to be linked: mpbench_torch, and
# for its CUDA side mpbench_torch_cuda.
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
# Kept, so that a reconfigure from within a build finds the same one without the environment.
set(MPBENCH_LIBTORCH ${libtorch} CACHE PATH "A LibTorch: a folder with include/ and lib/" FORCE)
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
if(EXISTS ${libtorch}/share/cmake/Torch/TorchConfig.cmake)
  file(STRINGS ${libtorch}/share/cmake/Torch/TorchConfig.cmake old_abi REGEX "_GLIBCXX_USE_CXX11_ABI=0")
  if(old_abi)
    message(FATAL_ERROR "The LibTorch at ${libtorch} was built for gcc's old std::string, which nothing else "
                        "here is: take one built with the C++11 ABI, or unset MPBENCH_LIBTORCH and run scripts/setup.")
  endif()
endif()

# --- its headers, without its fmt
# The folder's name changes with the LibTorch: what was compiled with another's headers is compiled anew.
file(SIZE ${libtorch}/lib/libtorch_cpu.so torch_bytes)
set(torch_include ${CMAKE_BINARY_DIR}/torch_include/${torch_version}-${torch_bytes})
file(REMOVE_RECURSE ${torch_include})
file(MAKE_DIRECTORY ${torch_include})
file(GLOB entries RELATIVE ${libtorch}/include ${libtorch}/include/*)
list(REMOVE_ITEM entries fmt)
foreach(entry ${entries})
  file(CREATE_LINK ${libtorch}/include/${entry} ${torch_include}/${entry} SYMBOLIC)
endforeach()

# torch_library(NAME): libNAME.so as the imported target torch::NAME.
function(torch_library name)
  add_library(torch::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(torch::${name} PROPERTIES IMPORTED_LOCATION ${libtorch}/lib/lib${name}.so)
  target_include_directories(torch::${name} INTERFACE
    ${torch_include} ${torch_include}/torch/csrc/api/include)
endfunction()

# What is linked with LibTorch links this. --no-as-needed: kernels register themselves when a library is loaded, no
# symbol refers to them. It stands before these libraries, so that those before them are linked as they are needed.
torch_library(torch_cpu)
torch_library(c10)
add_library(mpbench_torch INTERFACE)
target_link_libraries(mpbench_torch INTERFACE -Wl,--no-as-needed torch::torch_cpu torch::c10)
# The wheel's libraries find the NVIDIA ones by paths relative to themselves; the linker needs no check.
target_link_options(mpbench_torch INTERFACE -Wl,--allow-shlib-undefined)
if(NOT SKBUILD)  # a wheel's run path is another (wheel.cmake)
  target_link_options(mpbench_torch INTERFACE -Wl,-rpath,${libtorch}/lib)
endif()

# --- CUDA: only where the toolkit is, and only when LibTorch has it
find_program(MPBENCH_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
set(MPBENCH_WITH_CUDA OFF)
if(NOT MPBENCH_CUDA STREQUAL OFF)
  set(cuda_obstacle "")
  # A wheel's CUDA libraries are packages beside it; a slim installation has only the runtime of them.
  file(GLOB nvidia_cudart ${libtorch}/../nvidia/cu*/lib/libcudart.so.*)
  file(GLOB nvidia_cublas ${libtorch}/../nvidia/cu*/lib/libcublas.so.*)
  if(NOT MPBENCH_NVCC)
    set(cuda_obstacle "there is no nvcc")
  elseif(NOT EXISTS ${libtorch}/lib/libtorch_cuda.so)
    set(cuda_obstacle "the LibTorch at ${libtorch} has no libtorch_cuda.so")
  elseif(nvidia_cudart AND NOT nvidia_cublas)
    set(cuda_obstacle "the LibTorch at ${libtorch} came without CUDA's libraries (scripts/setup --full has them)")
  else()
    if(NOT CUDAToolkit_ROOT)
      file(REAL_PATH ${MPBENCH_NVCC} nvcc)
      get_filename_component(CUDAToolkit_ROOT ${nvcc}/../.. ABSOLUTE)
    endif()
    find_package(CUDAToolkit REQUIRED)
    # LibTorch's headers include the toolkit's, so both must be of one major version.
    foreach(file version.py build-version)
      if(EXISTS ${libtorch}/${file} AND NOT torch_cuda_major)
        file(STRINGS ${libtorch}/${file} torch_cuda_line REGEX "^cuda|\\+cu[0-9]")
        if(torch_cuda_line MATCHES "'([0-9]+)\\.[0-9]+'" OR torch_cuda_line MATCHES "\\+cu([0-9]+)[0-9]")
          set(torch_cuda_major ${CMAKE_MATCH_1})
        endif()
      endif()
    endforeach()
    if(torch_cuda_major AND NOT CUDAToolkit_VERSION_MAJOR EQUAL torch_cuda_major)
      set(cuda_obstacle "the toolkit is CUDA ${CUDAToolkit_VERSION} and LibTorch is built for CUDA ${torch_cuda_major}")
    else()
      set(MPBENCH_WITH_CUDA ON)
    endif()
  endif()
  if(MPBENCH_CUDA STREQUAL ON AND cuda_obstacle)
    message(FATAL_ERROR "MPBENCH_CUDA=ON, but ${cuda_obstacle}.")
  elseif(cuda_obstacle)
    message(STATUS "Building without CUDA: ${cuda_obstacle}")
  endif()
endif()
if(MPBENCH_WITH_CUDA)
  # The runtime that LibTorch itself loads; the toolkit's where LibTorch brings none.
  if(nvidia_cudart)
    list(GET nvidia_cudart 0 cudart)
    get_filename_component(cudart ${cudart} ABSOLUTE)
  else()
    set(cudart CUDA::cudart)
  endif()
  # A target of its own: only libmpbench_cuda is linked with it (src/device/cuda_library.hpp).
  torch_library(torch_cuda)
  torch_library(c10_cuda)
  add_library(mpbench_torch_cuda INTERFACE)
  target_include_directories(mpbench_torch_cuda SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
  target_link_libraries(mpbench_torch_cuda INTERFACE
    mpbench_torch -Wl,--no-as-needed torch::torch_cuda torch::c10_cuda ${cudart})
endif()
message(STATUS "LibTorch ${torch_version}: ${libtorch} (CUDA: ${MPBENCH_WITH_CUDA})")
