# What each module takes from outside. PRIVATE wherever the module's headers do not need it.
target_compile_definitions(mpbench_core PUBLIC SPDLOG_FMT_EXTERNAL)
target_link_libraries(mpbench_core PUBLIC spdlog::spdlog nlohmann_json::nlohmann_json
                      PRIVATE Threads::Threads)
target_link_libraries(mpbench_io PRIVATE ${LIBCSV_LIBRARY} OpenSSL::Crypto)
target_include_directories(mpbench_io PRIVATE ${LIBCSV_INCLUDE_DIR})
target_link_libraries(mpbench_stats PRIVATE Boost::boost)
target_link_libraries(mpbench_tensorboard PRIVATE Boost::boost mpbench_protozero)

# What these do is done by the libraries that they call, or once: -O1 saves a third of their compiling. The later flag wins.
foreach(module core io stats options device nn amp train predict bench report commands cli)
  target_compile_options(mpbench_${module} PRIVATE $<$<CONFIG:Release>:-O1>)
endforeach()

target_link_libraries(mpbench_dicom PUBLIC opencv_core
                      PRIVATE opencv_imgproc mpbench_dcmtk PkgConfig::OPENJPEG)
target_link_libraries(mpbench_image PUBLIC opencv_core PRIVATE opencv_imgproc ZLIB::ZLIB JPEG::JPEG PNG::PNG)
target_link_libraries(mpbench_mammo PRIVATE opencv_imgproc)
# Synthetic pixels are the same on every machine: no fused multiply-add where the source has two operations.
target_link_libraries(mpbench_synth PUBLIC opencv_core PRIVATE opencv_imgproc mpbench_dcmtk)
foreach(module dicom mammo synth)
  target_compile_options(mpbench_${module} PRIVATE -ffp-contract=off)
endforeach()
# at::parallel_for runs in one thread where OpenMP is off. The runtime is LibTorch's own, so that there is one.
file(GLOB kernel_loops ${CMAKE_SOURCE_DIR}/src/kernels/*/*_avx2.cpp ${CMAKE_SOURCE_DIR}/src/kernels/*/*_avx512.cpp)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)  # whose OpenMP has a runtime of its own
  set(loop_options "")
else()
  set(loop_options -fopenmp)
endif()
if(MPBENCH_FUZZ)  # no target calls them, and instrumented they take most of the build
  list(APPEND loop_options -fno-sanitize=all)
endif()
# Each file is for one instruction set: not one of several in a unity build.
set_source_files_properties(${kernel_loops} PROPERTIES
  COMPILE_OPTIONS "${loop_options}" SKIP_UNITY_BUILD_INCLUSION ON)
file(GLOB openmp_runtime ${libtorch}/lib/libgomp*.so*)
if(NOT openmp_runtime)
  set(openmp_runtime gomp)
endif()
target_link_libraries(mpbench_kernels PRIVATE ${openmp_runtime})
target_link_libraries(mpbench_data PRIVATE opencv_imgproc ZLIB::ZLIB)
target_link_libraries(mpbench_nn PRIVATE ZLIB::ZLIB)
target_link_libraries(mpbench_report PRIVATE PkgConfig::PUGIXML)
target_link_libraries(mpbench_cli PRIVATE CLI11::CLI11 tomlplusplus::tomlplusplus)

# The commit that built this program, for runs.csv and --version. Made at build time, so that it is never stale.
add_custom_target(mpbench_build_info
  COMMAND ${CMAKE_COMMAND} -D SOURCE_DIR=${CMAKE_SOURCE_DIR} -D VERSION=${PROJECT_VERSION}
          -D BUILD_TYPE=${CMAKE_BUILD_TYPE}
          -D OUTPUT=${CMAKE_BINARY_DIR}/generated/build_info.inc
          -P ${CMAKE_SOURCE_DIR}/cmake/build_info.cmake
  BYPRODUCTS ${CMAKE_BINARY_DIR}/generated/build_info.inc)
add_dependencies(mpbench_core mpbench_build_info)
target_include_directories(mpbench_core PRIVATE ${CMAKE_BINARY_DIR}/generated)
