# What a wheel has beside what 'cmake --install' installs (cmake/install.cmake).
# The torch package that lies beside this one: a library is <site-packages>/mpbench/lib/mpbench/libmpbench_*.so.
foreach(target mpbench_engine mpbench_cuda)
  if(TARGET ${target})
    set_target_properties(${target} PROPERTIES
      BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH $ORIGIN:$ORIGIN/../../../torch/lib)
  endif()
endforeach()

# On the PATH of the environment that the wheel is installed into.
install(PROGRAMS ${CMAKE_SOURCE_DIR}/packaging/mpbench.sh DESTINATION ${SKBUILD_SCRIPTS_DIR} RENAME mpbench)

# DCMTK's data dictionary, which Debian's looks for in /usr/share (src/cli/engine.cpp).
file(GLOB dictionaries /usr/share/libdcmtk*/dicom.dic /usr/share/libdcmtk*/private.dic)
if(NOT dictionaries)
  message(FATAL_ERROR "A wheel needs DCMTK's dictionary (/usr/share/libdcmtk*/dicom.dic), and there is none")
endif()
install(FILES ${dictionaries} DESTINATION ${CMAKE_INSTALL_DATADIR}/mpbench/dcmtk)

# scripts/wheel has it take libGLX's place.
add_library(mpbench_glx_stub SHARED packaging/glx_stub.c)
set_target_properties(mpbench_glx_stub PROPERTIES PREFIX "" OUTPUT_NAME libGLX SUFFIX .so.0
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/stubs)
add_dependencies(mpbench mpbench_glx_stub)
