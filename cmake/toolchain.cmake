# What every target shares: faster tools where present, warnings, sanitizers, clang-tidy.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(MPBENCH_CCACHE ccache)
if(MPBENCH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers cache only when ccache is told that their defines and time stamps are fine. Paths below the
  # source folder are hashed relative to it, so that a second clone finds what the first one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      ${MPBENCH_CCACHE})
endif()
# __FILE__ (in gtest's messages, for one) is the same in every clone.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
find_program(MPBENCH_MOLD mold)
if(MPBENCH_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Everything may become part of a library that is loaded at run time (cmake/engine_library.cmake), where what is not
# exported is called directly.
add_compile_options(-fPIC -fvisibility=hidden -fvisibility-inlines-hidden)

add_library(mpbench_warning_flags INTERFACE)
target_compile_options(mpbench_warning_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual
  -Wduplicated-cond -Wlogical-op -Wformat=2
  # A designated initialiser leaves the other members at their declared defaults on purpose.
  -Wno-missing-field-initializers)
# Apart, so that the precompiled header is the same whether or not warnings are errors.
add_library(mpbench_warnings INTERFACE)
target_link_libraries(mpbench_warnings INTERFACE mpbench_warning_flags)
target_compile_options(mpbench_warnings INTERFACE $<$<BOOL:${MPBENCH_WARNINGS_AS_ERRORS}>:-Werror>)

if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # clang lacks two of gcc's warnings above.
  target_compile_options(mpbench_warnings INTERFACE -Wno-unknown-warning-option)
endif()

if(MPBENCH_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(MPBENCH_SANITIZED)
endif()
if(MPBENCH_FUZZ)
  # What was reached, which libFuzzer goes by. The targets alone have its main function (fuzz.cmake).
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(MPBENCH_TIDY)
  find_program(MPBENCH_CLANG_TIDY clang-tidy REQUIRED)
  # It reads gcc's flags, and knows not all of them.
  set(CMAKE_CXX_CLANG_TIDY ${MPBENCH_CLANG_TIDY} --quiet --extra-arg=-Wno-unknown-warning-option
                           --extra-arg=-fno-openmp --extra-arg=-Wno-ignored-optimization-argument --extra-arg=-Wno-unused-command-line-argument)
endif()
