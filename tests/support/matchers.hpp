#pragma once

#include <gmock/gmock.h>

#include <concepts>
#include <filesystem>
#include <optional>
#include <string>

#include "mpbench/core/error.hpp"

/// What a test says of a call that is to fail: EXPECT_THAT([&] { read(path); },
/// ThrowsWith<...>(...)).
namespace mpbench {

/// Matches a call that throws Kind, or what is derived from it, with each of these parts in its
/// message. A part may be a matcher of the message instead.
template <class Kind>
auto ThrowsWith(const auto&... parts) {
  const auto of_message = [](const auto& part) -> testing::Matcher<std::string> {
    if constexpr (std::convertible_to<decltype(part), std::string>) {
      return testing::HasSubstr(std::string(part));
    } else {
      return part;
    }
  };
  return testing::ThrowsMessage<Kind>(testing::AllOf(of_message(parts)...));
}

/// Matches a call that throws InputError on this file and field, with a problem that matches: a
/// value or a matcher each.
auto ThrowsInputError(const auto& path, const testing::Matcher<const std::string&>& field,
                      const testing::Matcher<const std::string&>& problem = testing::_) {
  using Path = std::filesystem::path;
  const auto of_path = [](const auto& value) -> testing::Matcher<const Path&> {
    if constexpr (std::convertible_to<decltype(value), Path>) {
      return testing::Eq(Path(value));
    } else {
      return value;
    }
  };
  return testing::Throws<InputError>(
      testing::AllOf(testing::Property("path", &InputError::path, of_path(path)),
                     testing::Property("field", &InputError::field, field),
                     testing::Property("problem", &InputError::problem, problem)));
}

/// What a call throws, for a test that looks at it more closely; none when it returns. An exception
/// of another kind ends the test.
template <class Kind>
std::optional<Kind> thrown_by(auto&& call) {
  try {
    (void)call();
  } catch (const Kind& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace mpbench
