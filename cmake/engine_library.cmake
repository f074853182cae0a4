# libmpbench_engine: all that needs LibTorch, in a library that the program loads once it knows what to run
# (src/cli/engine.cpp). Found by the program's run path: beside it in the build folder, in lib/mpbench where installed.
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/commands/engine/*.cpp)
add_library(mpbench_engine MODULE ${sources})
mpbench_target(mpbench_engine)
target_link_libraries(mpbench_engine PRIVATE mpbench_commands)
set_target_properties(mpbench_engine PROPERTIES
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR} BUILD_RPATH $ORIGIN)
target_compile_definitions(mpbench_cli PRIVATE MPBENCH_ENGINE_LIBRARY="$<TARGET_FILE_NAME:mpbench_engine>")
