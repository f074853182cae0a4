include(GNUInstallDirs)
install(TARGETS mpbench RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS mpbench_engine LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/mpbench)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/mpbench/configs)
set_target_properties(mpbench PROPERTIES INSTALL_RPATH $ORIGIN/../${CMAKE_INSTALL_LIBDIR}/mpbench)
# The installed library finds libmpbench_cuda beside it, and keeps the path of the LibTorch that it was linked with.
set_target_properties(mpbench_engine PROPERTIES INSTALL_RPATH $ORIGIN INSTALL_RPATH_USE_LINK_PATH TRUE)
