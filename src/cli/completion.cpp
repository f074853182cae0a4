#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "choices.hpp"
#include "subcommands.hpp"

namespace mpbench::cli {
enum class Shell { bash, zsh };
}  // namespace mpbench::cli

template <>
inline constexpr auto mpbench::enum_names<mpbench::cli::Shell> =
    std::to_array<mpbench::EnumName<mpbench::cli::Shell>>({{mpbench::cli::Shell::bash, "bash"},
                                                           {mpbench::cli::Shell::zsh, "zsh"}});

namespace mpbench::cli {
namespace {

/// "--data --epochs ..." of one command and what it inherits.
std::string flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::App* level = &command; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const auto& name : option->get_lnames()) flags.push_back("--" + name);
      for (const auto& name : option->get_fnames()) flags.push_back("--" + name);
    }
  }
  return fmt::format("{}", fmt::join(flags, " "));
}

std::string bash_script(const CLI::App& app) {
  std::string names;
  std::string cases;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names += command->get_name() + ' ';
    cases += fmt::format("    {}) words=\"{}\" ;;\n", command->get_name(), flags_of(*command));
  }
  return fmt::format(
      "_mpbench() {{\n"
      "  local words word=\"${{COMP_WORDS[COMP_CWORD]}}\"\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{}"
      "    *) words=\"{}{}\" ;;\n"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "}}\n"
      "complete -o default -F _mpbench mpbench\n",
      cases, names, flags_of(app));
}

}  // namespace

void setup_completion(CLI::App& app) {
  auto shell = std::make_shared<Shell>();
  CLI::App* command = app.add_subcommand("completion", "Print a completion script for a shell");
  add_choice<Shell>(*command, "shell", *shell, "bash or zsh")->required();
  command->footer(
      "Examples:\n"
      "  source <(mpbench completion bash)\n"
      "  source <(mpbench completion zsh)");
  command->callback([&app, shell] {
    if (*shell == Shell::zsh) fmt::print("autoload -U +X bashcompinit && bashcompinit\n");
    fmt::print("{}", bash_script(app));
    throw CLI::Success();
  });
}

}  // namespace mpbench::cli
