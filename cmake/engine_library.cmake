# libmpbench_engine: all that needs LibTorch, in a library that the program loads once it knows what to run
# (src/cli/engine.cpp). It lies beside the program in the build folder, and in lib/mpbench where installed.
include(GNUInstallDirs)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/commands/engine/*.cpp)
add_library(mpbench_engine MODULE ${sources})
mpbench_target(mpbench_engine)
target_link_libraries(mpbench_engine PRIVATE mpbench_commands)
target_compile_definitions(mpbench_cli PRIVATE MPBENCH_ENGINE_LIBRARY="$<TARGET_FILE_NAME:mpbench_engine>")
# Which LibTorch this program runs with: the one it is linked with, and a wheel any other of its version.
if(SKBUILD)
  set(built_libtorch "")
else()
  set(built_libtorch ${libtorch})
endif()
# A file by itself, so that no other is compiled anew with another LibTorch.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/cli/torch_package.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON
  COMPILE_DEFINITIONS "MPBENCH_BUILT_LIBTORCH=\"${built_libtorch}\";MPBENCH_BUILT_TORCH_VERSION=\"${torch_version}\"")
# What is found below the program where installed (src/cli/recipes.cpp).
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/configs ${CMAKE_BINARY_DIR}/configs SYMBOLIC)

# The run paths are the same in the build folder and where installed: none is rewritten, which would leave padding behind
# that stands for the current folder. LibTorch's own comes with mpbench_torch.
set_target_properties(mpbench_engine PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
  BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH $ORIGIN)
set_target_properties(mpbench PROPERTIES
  BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH $ORIGIN:$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/mpbench)
add_dependencies(mpbench mpbench_engine)
