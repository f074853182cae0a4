# Writes the version and commit as a C++ include; touches the file only when they changed.
execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse --short=12 HEAD
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
execute_process(COMMAND git -C ${SOURCE_DIR} status --porcelain --untracked-files=no
                OUTPUT_VARIABLE changes ERROR_QUIET)
if(commit AND changes)
  string(APPEND commit "-dirty")
endif()
file(WRITE ${OUTPUT}.new
"constexpr std::string_view version_text = \"${VERSION}\";
constexpr std::string_view git_commit_text = \"${commit}\";
constexpr std::string_view build_type_text = \"${BUILD_TYPE}\";
")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
