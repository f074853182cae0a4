include(GNUInstallDirs)
install(TARGETS mpbench RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/mpbench/configs)
# The installed program keeps the path of the LibTorch that it was linked with.
set_target_properties(mpbench PROPERTIES INSTALL_RPATH_USE_LINK_PATH TRUE)
