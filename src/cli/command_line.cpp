#include "command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "choices.hpp"
#include "did_you_mean.hpp"
#include "mpbench/core/build_info.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "recipes.hpp"
#include "subcommands.hpp"
#include "toml_config.hpp"

namespace mpbench::cli {
namespace {

constexpr std::size_t help_width = 80;
constexpr std::size_t flag_width = 32;

/// CLI11's help with descriptions wrapped, so that it fits 80 columns.
class WrappingFormatter : public CLI::Formatter {
 public:
  WrappingFormatter() { column_width(flag_width); }
  std::string make_option_desc(const CLI::Option* option) const override {
    return wrapped(option->get_description());
  }
  /// Without CLI11's mark of a flag that stands for false.
  std::string make_option_name(const CLI::Option* option, bool positional) const override {
    std::string name = CLI::Formatter::make_option_name(option, positional);
    if (const auto mark = name.find("{false}"); mark != std::string::npos) name.erase(mark, 7);
    return name;
  }
  std::string make_subcommand(const CLI::App* command) const override {
    std::ostringstream text;
    CLI::detail::format_help(text, command->get_name(), wrapped(command->get_description()),
                             flag_width);
    return text.str();
  }

 private:
  static std::string wrapped(const std::string& description) {
    std::string text = wrap(description, help_width - flag_width, "");
    if (text.ends_with('\n')) text.pop_back();  // CLI11 ends the line itself.
    return text;
  }
};

std::string version_text() {
  const auto commit = build_info::git_commit();
  return fmt::format("mpbench {}{}{}", build_info::version(), commit.empty() ? "" : " ", commit);
}

/// The value of the last `--flag value` or `--flag=value`; empty where there is none.
std::string value_of(const std::vector<std::string>& words, const std::string& flag) {
  std::string value;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == flag && i + 1 < words.size()) value = words[i + 1];
    if (words[i].starts_with(flag + "=")) value = words[i].substr(flag.size() + 1);
  }
  return value;
}

/// The flags' names: "lr" of "--lr", "--lr=0.1"; "checkpoints" of "--no-checkpoints".
std::set<std::string> flags_among(const std::vector<std::string>& words) {
  std::set<std::string> flags;
  for (const std::string& word : words) {
    if (!word.starts_with("--")) continue;
    const std::string name = word.substr(2, word.find('=') - 2);
    flags.insert(name.starts_with("no-") ? name.substr(3) : name);
  }
  return flags;
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

/// "--lr" and the like, negations included.
std::vector<std::string> flag_names(const std::vector<const CLI::App*>& apps) {
  std::vector<std::string> names;
  for (const CLI::App* app : apps) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

/// The first flag on the command line that none of these commands has; empty if all are known.
std::string unknown_flag(int argc, char** argv, const std::vector<const CLI::App*>& apps) {
  const std::vector<std::string> known = flag_names(apps);
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") break;
    const std::string flag = word.substr(0, word.find('='));
    if (flag.starts_with("--") && std::find(known.begin(), known.end(), flag) == known.end()) {
      return flag;
    }
  }
  return "";
}

/// What goes on in a folder goes on with the options that it began with; flags still win.
std::vector<std::string> with_kept_options(std::vector<std::string> words) {
  const bool resumes = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word == "--resume" || word.starts_with("--resume-from");
  });
  const std::filesystem::path kept =
      std::filesystem::path(value_of(words, "--out")) / "config.toml";
  if (resumes && kept.has_parent_path() && value_of(words, "--config").empty() &&
      std::filesystem::is_regular_file(kept)) {
    words.insert(words.end(), {"--config", kept.string()});
  }
  return words;
}

}  // namespace

CommandLine::CommandLine(commands::Request& request)
    : app_("Does mixed precision pay, for this model, this data and this machine?", "mpbench") {
  commands::SharedOptions& shared = request.shared;
  app_.formatter(std::make_shared<WrappingFormatter>());
  app_.set_version_flag("--version", version_text());
  app_.require_subcommand(1);
  app_.fallthrough();
  app_.option_defaults()->always_capture_default();
  app_.footer(
      "Examples:\n"
      "  mpbench synth rsna-like --patients 200\n"
      "  mpbench train --amp --data rsna-like --image-size 124\n"
      "  mpbench compare --precision fp32,bf16 --data rsna-like --repeats 5 --out out\nSee "
      "'mpbench SUBCOMMAND --help' for the options of each.");
  app_.set_config("--config", "",
                  "TOML file with flags' names as keys, or recipe:NAME, one that came with "
                  "mpbench; flags win")
      ->transform(CLI::Validator(
          [](std::string& config) {
            config = config_path(config);
            return std::string();
          },
          ""));
  app_.config_formatter(std::make_shared<TomlConfig>(app_));
  app_.allow_config_extras(CLI::config_extras_mode::error);

  app_.add_flag("--quiet", shared.quiet, "Log warnings and errors only");
  app_.add_option("--log-level", shared.log_level, "trace, debug, info, warning, error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error"}));
  add_choice<commands::ProgressMode>(app_, "--progress", shared.progress, "auto, always or never");

  setup_info(app_, request.command);
  setup_synth(app_, request.command);
  setup_decode(app_, request.command);
  setup_preprocess(app_, request.command);
  setup_train(app_, given_, request.command);
  setup_compare(app_, given_, request.command);
  setup_explain(app_, given_, request.command);
  setup_report(app_, request.command);
  setup_predict(app_, request.command);
  setup_completion(app_);
}

std::optional<ExitCode> CommandLine::parse(int argc, char** argv) {
  try {
    std::vector<std::string> words{argv + 1, argv + argc};
    given_ = flags_among(words);
    words = with_kept_options(std::move(words));
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    app_.parse(std::move(words));
  } catch (const CLI::Success& answer) {
    app_.exit(answer);
    return ExitCode::done;
  } catch (const CLI::ParseError& error) {
    if (app_.get_subcommands().empty() && argc > 1 && argv[1][0] != '-') {
      throw UsageError(fmt::format("there is no subcommand '{}'{} (see 'mpbench --help')", argv[1],
                                   did_you_mean(argv[1], subcommand_names(app_))));
    }
    const CLI::App* chosen =
        app_.get_subcommands().empty() ? &app_ : app_.get_subcommands().front();
    const std::string name = chosen == &app_ ? "mpbench" : "mpbench " + chosen->get_name();
    const std::vector<const CLI::App*> apps{chosen, &app_};
    if (const std::string flag = unknown_flag(argc, argv, apps); !flag.empty()) {
      throw UsageError(
          fmt::format("The following argument was not expected: {}{} (see '{} --help')", flag,
                      did_you_mean(flag, flag_names(apps)), name));
    }
    throw UsageError(fmt::format("{} (see '{} --help')", error.what(), name));
  }
  return std::nullopt;
}

}  // namespace mpbench::cli
