# libmpbench_cuda: the one library that is linked with LibTorch's CUDA side. src/device/cuda_library.cpp loads it where
# an NVIDIA driver is, by the run path of the engine, or of a test.
include(GNUInstallDirs)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/device/cuda/*.cpp)
add_library(mpbench_cuda MODULE ${sources})
target_link_libraries(mpbench_cuda PRIVATE mpbench_torch_cuda mpbench_warnings fmt::fmt)
target_include_directories(mpbench_cuda PRIVATE ${CMAKE_SOURCE_DIR}/include)
set_target_properties(mpbench_cuda PROPERTIES
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR} CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)

target_compile_definitions(mpbench_device PRIVATE MPBENCH_WITH_CUDA
  MPBENCH_CUDA_LIBRARY="$<TARGET_FILE_NAME:mpbench_cuda>")
add_dependencies(mpbench_device mpbench_cuda)
install(TARGETS mpbench_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/mpbench)
# For the tests: beside them, or a folder up as they are built, first, so that what is copied to another machine finds it.
set(CMAKE_BUILD_RPATH "$ORIGIN" "$ORIGIN/.." ${CMAKE_BINARY_DIR})
