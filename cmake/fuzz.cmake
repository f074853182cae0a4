# Fuzz targets: fuzz_target(NAME MODULE) is tests/fuzz/NAME_fuzzer.cpp, linked with that module, with the corpus
# tests/fuzz/corpus/NAME. With MPBENCH_FUZZ (preset fuzz: clang; scripts/fuzz builds and runs it) they are libFuzzer's;
# otherwise they are tests that replay the corpus.
set(fuzz_folder ${CMAKE_SOURCE_DIR}/tests/fuzz)
if(MPBENCH_FUZZ AND NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
  message(FATAL_ERROR "MPBENCH_FUZZ needs clang (libFuzzer is part of it): use the preset fuzz")
endif()

function(fuzz_target name module)
  set(target mpbench_fuzz_${name})
  add_executable(${target} ${fuzz_folder}/${name}_fuzzer.cpp)
  mpbench_target(${target})
  target_link_libraries(${target} PRIVATE mpbench_${module})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  if(MPBENCH_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${target} PRIVATE ${fuzz_folder}/replay.cpp)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)  # as tests/CMakeLists.txt
    add_test(NAME fuzz.${name} COMMAND ${target} ${fuzz_folder}/corpus/${name})
    # One file is to take under 10 s, as scripts/fuzz asks; the sanitizers make it several times slower.
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
  endif()
endfunction()

fuzz_target(dicom mammo)
fuzz_target(jpeg2000 dicom)
fuzz_target(picture image)
fuzz_target(image_sets data)
fuzz_target(csv report)
fuzz_target(config cli)
fuzz_target(pth nn)
fuzz_target(safetensors predict)
