# mpbench_options: what checks and parses options, out of every module, without LibTorch: the program answers wrong usage
# before it loads that. A source src/<module>/*_options.cpp goes into it instead of its module's library.
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*/*_options.cpp)
add_library(mpbench_options STATIC ${sources})
target_include_directories(mpbench_options PUBLIC ${CMAKE_SOURCE_DIR}/include)
target_link_libraries(mpbench_options PUBLIC mpbench_io fmt::fmt)
mpbench_target(mpbench_options)
