#include "mpbench/report/junit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <pugixml.hpp>
#include <sstream>
#include <string_view>
#include <vector>

#include "mpbench/core/utf8_text.hpp"

namespace mpbench::report {
namespace {

using bench::RequirementResult;

/// A text as XML 1.0 can hold it (section 2.2): no control characters, and neither U+FFFE nor
/// U+FFFF.
std::string xml_text(std::string_view text) {
  std::string kept = printable_text(text);
  for (const std::string_view none : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    for (auto place = kept.find(none); place != std::string::npos; place = kept.find(none)) {
      kept.replace(place, none.size(), "?");
    }
  }
  return kept;
}

void set_attribute(pugi::xml_node node, const char* name, std::string_view value) {
  node.append_attribute(name).set_value(xml_text(value).c_str());
}

void set_text(pugi::xml_node node, std::string_view text) {
  node.text().set(xml_text(text).c_str());
}

std::string suite_of(const RequirementResult& result) {
  return result.configuration.empty() ? "not measured" : result.configuration;
}

std::string name_of_case(const RequirementResult& result) {
  return result.arm.empty() ? result.condition
                            : fmt::format("{}: {}", result.arm, result.condition);
}

/// How many of the results, and how many of those do not hold.
void set_counts(pugi::xml_node node, const std::vector<const RequirementResult*>& results) {
  const auto failures =
      std::count_if(results.begin(), results.end(),
                    [](const RequirementResult* each) { return !each->result.holds; });
  set_attribute(node, "tests", fmt::format("{}", results.size()));
  set_attribute(node, "failures", fmt::format("{}", failures));
  set_attribute(node, "errors", "0");
  // Some readers want one; to check a condition takes no time.
  set_attribute(node, "time", "0");
}

void add_case(pugi::xml_node suite, const RequirementResult& result) {
  pugi::xml_node test = suite.append_child("testcase");
  set_attribute(test, "classname", fmt::format("{}.{}", suite_of(result), result.arm));
  set_attribute(test, "name", name_of_case(result));
  set_attribute(test, "time", "0");
  if (result.result.holds) {
    set_text(test.append_child("system-out"), bench::requirement_line(result));
    return;
  }
  pugi::xml_node failure = test.append_child("failure");
  set_attribute(failure, "message", result.result.found);
  set_attribute(failure, "type", "requirement");
  set_text(failure, bench::requirement_line(result));
}

}  // namespace

std::string junit_xml(std::span<const RequirementResult> results) {
  std::vector<std::string> suites;
  std::vector<const RequirementResult*> all;
  for (const RequirementResult& each : results) {
    all.push_back(&each);
    if (std::find(suites.begin(), suites.end(), suite_of(each)) == suites.end()) {
      suites.push_back(suite_of(each));
    }
  }
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("testsuites");
  set_attribute(root, "name", "mpbench");
  set_counts(root, all);
  for (const std::string& name : suites) {
    std::vector<const RequirementResult*> own;
    for (const RequirementResult* each : all) {
      if (suite_of(*each) == name) own.push_back(each);
    }
    pugi::xml_node suite = root.append_child("testsuite");
    set_attribute(suite, "name", name);
    set_counts(suite, own);
    for (const RequirementResult* each : own) add_case(suite, *each);
  }
  std::ostringstream text;
  document.save(text, "  ", pugi::format_default, pugi::encoding_utf8);
  return text.str();
}

}  // namespace mpbench::report
