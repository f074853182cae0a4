#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include "mpbench/core/utf8_text.hpp"

namespace mpbench {

/// What the process returns; report_errors alone decides which, where something was thrown.
enum class ExitCode {
  done = 0,
  error = 1,
  usage = 2,
  partial = 3,
  requirement = 4,  ///< a --require does not hold
  interrupted = 130
};

/// Something went wrong that one line can explain: what it is, and what to do about it.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The user asked for something that does not exist or makes no sense (exit code 2).
class UsageError : public Error {
 public:
  using Error::Error;
};

/// An input file is damaged, or not what it says. The message reads "PATH: FIELD: PROBLEM".
class InputError : public Error {
 public:
  /// `field` is the part of the file at fault, in the format's own words ("PixelData", "header",
  /// "column cancer"). What a file says may be quoted: the texts are made printable.
  InputError(const std::filesystem::path& path, const std::string& field,
             const std::string& problem)
      : Error(printable_text(path.string() + ": " + field + ": " + problem)),
        path_(path),
        field_(printable_text(field)),
        problem_(printable_text(problem)) {}
  const std::filesystem::path& path() const { return path_; }
  const std::string& field() const { return field_; }
  const std::string& problem() const { return problem_; }

 private:
  std::filesystem::path path_;
  std::string field_;
  std::string problem_;
};

/// Ctrl-C was pressed: what was finished is kept (exit code 130).
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted") {}
};

}  // namespace mpbench
