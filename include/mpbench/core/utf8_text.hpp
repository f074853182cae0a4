#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mpbench {

/// The text itself where it is UTF-8; otherwise with every byte that is not as \xE9, and every
/// backslash as \x5C. File names are bytes, but JSON and CSV hold text.
std::string utf8_text(std::string_view bytes);

/// What a file says, safe to show on a terminal and in a table: control characters (line ends,
/// escapes) and bytes that are no UTF-8 as \x1B.
std::string printable_text(std::string_view bytes);

/// A text without the spaces and tabs around it.
std::string_view trimmed(std::string_view text);

/// A text with 'A' to 'Z' in lower case, whatever the locale; every other byte stays.
std::string ascii_lower(std::string_view text);

/// Columns a text takes on a terminal: its code points, each counted as one.
std::size_t display_width(std::string_view text);

/// The first `width` columns of a text.
std::string_view first_columns(std::string_view text, std::size_t width);

/// Words of a text on lines of at most `width` columns; lines after the first start with `indent`.
std::string wrap(std::string_view text, std::size_t width, std::string_view indent);

}  // namespace mpbench
