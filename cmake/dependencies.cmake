# Libraries from the distribution; scripts/packages/apt.txt lists the packages that hold them.
find_package(Threads REQUIRED)
find_package(DCMTK 3.6.7 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(tomlplusplus 3.3 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(OPENJPEG REQUIRED IMPORTED_TARGET libopenjp2>=2.5.0)
find_path(LIBCSV_INCLUDE_DIR csv.h REQUIRED)
find_library(LIBCSV_LIBRARY csv REQUIRED)

# Debian keeps OpenCV's CMake package in libopencv-dev, which drags in VTK, Qt and a gigabyte; three of its libraries do.
find_path(OPENCV_INCLUDE_DIR opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
foreach(part core imgproc imgcodecs)
  find_library(OPENCV_${part}_LIBRARY opencv_${part} REQUIRED)
  add_library(opencv_${part} INTERFACE)
  target_include_directories(opencv_${part} SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})
  target_link_libraries(opencv_${part} INTERFACE ${OPENCV_${part}_LIBRARY})
endforeach()

# DCMTK's package exports targets without include directories.
add_library(mpbench_dcmtk INTERFACE)
target_include_directories(mpbench_dcmtk SYSTEM INTERFACE ${DCMTK_INCLUDE_DIRS})
target_link_libraries(mpbench_dcmtk INTERFACE DCMTK::dcmdata DCMTK::dcmimgle DCMTK::dcmjpeg)
