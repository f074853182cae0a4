# One CMake library a module: mpbench_module(NAME [TORCH] [LINK other modules]).
# A module is its folders include/mpbench/NAME and src/NAME; a new file in src/NAME is picked up by itself. The global
# property MPBENCH_MODULES lists them in order; tests/CMakeLists.txt goes by it.

set(pch_source ${CMAKE_BINARY_DIR}/torch_pch.cpp)
file(GENERATE OUTPUT ${pch_source} CONTENT "// carries the precompiled header\n")
# The torch headers take 15 to 25 s a file. Where a module's files are compiled one by one, they share one precompiled
# header, which halves that; as a unity build (CMAKE_UNITY_BUILD) has few files, making one would cost more than it saves.
set(use_torch_pch OFF)
if(NOT CMAKE_UNITY_BUILD AND NOT MPBENCH_TIDY)  # clang-tidy cannot read gcc's
  set(use_torch_pch ON)
  add_library(mpbench_torch_pch STATIC ${pch_source})
  target_link_libraries(mpbench_torch_pch PUBLIC mpbench_torch PRIVATE mpbench_warning_flags Threads::Threads)
  target_precompile_headers(mpbench_torch_pch PRIVATE <torch/torch.h>)
  # ccache can store what uses a precompiled header only if the preprocessor keeps its name.
  add_compile_options(-fpch-preprocess)
endif()

# mpbench_target(NAME [TORCH]): warnings, and the shared precompiled header.
function(mpbench_target name)
  cmake_parse_arguments(arg "TORCH" "" "" ${ARGN})
  target_link_libraries(${name} PRIVATE mpbench_warnings)
  if(arg_TORCH)
    target_link_libraries(${name} PUBLIC mpbench_torch Threads::Threads)
  endif()
  if(arg_TORCH AND use_torch_pch)
    target_precompile_headers(${name} REUSE_FROM mpbench_torch_pch)
    # Loading it costs seconds a file: only for those that include most of it themselves.
    get_target_property(sources ${name} SOURCES)
    foreach(source ${sources})
      file(STRINGS ${source} torch_includes REGEX "#include <torch/(torch|types|nn/.*)\\.h>" LIMIT_COUNT 1)
      if(NOT torch_includes)
        set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
      endif()
    endforeach()
  endif()
endfunction()

function(mpbench_module name)
  cmake_parse_arguments(arg "TORCH" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  # The program, what is compiled into the options library, and what is a library by itself.
  list(FILTER sources EXCLUDE REGEX "/src/(cli/main\\.cpp$|device/cuda/|commands/engine/)|_options\\.cpp$")
  if(NOT sources)
    message(FATAL_ERROR "The module ${name} has no sources: there is none in src/${name}")
  endif()
  set_property(GLOBAL APPEND PROPERTY MPBENCH_MODULES ${name})
  add_library(mpbench_${name} STATIC ${sources})
  target_include_directories(mpbench_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include)
  list(TRANSFORM arg_LINK PREPEND mpbench_)
  # Whoever links a module that has torch, in itself or below it, may include torch.
  set(with_torch ${arg_TORCH})
  foreach(other ${arg_LINK})
    get_target_property(other_has_torch ${other} MPBENCH_WITH_TORCH)
    if(other_has_torch)
      set(with_torch TRUE)
    endif()
  endforeach()
  set_target_properties(mpbench_${name} PROPERTIES MPBENCH_WITH_TORCH ${with_torch})
  target_link_libraries(mpbench_${name} PUBLIC ${arg_LINK} fmt::fmt)
  if(arg_TORCH)
    mpbench_target(mpbench_${name} TORCH)
  else()
    mpbench_target(mpbench_${name})
  endif()
endfunction()
