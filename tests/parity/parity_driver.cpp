// parity_driver NAME: answers each line of JSON on stdin with one on stdout, until stdin ends. The
// parity tests drive it (driver.py), and compare its answers with Python's libraries.
#include <spdlog/spdlog.h>
#include <torch/types.h>

#include <iostream>
#include <map>

#include "driver.hpp"

namespace mpbench::parity {
namespace {

std::map<std::string, Answer>& drivers() {
  static std::map<std::string, Answer> all;
  return all;
}

}  // namespace

Driver::Driver(const std::string& name, Answer answer) { drivers().emplace(name, answer); }

}  // namespace mpbench::parity

int main(int argc, char** argv) {
  using mpbench::parity::drivers;
  const auto found = argc == 2 ? drivers().find(argv[1]) : drivers().end();
  if (found == drivers().end()) {
    std::cerr << "Usage: parity_driver NAME, where NAME is one of:";
    for (const auto& [name, answer] : drivers()) std::cerr << ' ' << name;
    std::cerr << std::endl;
    return 2;
  }
  spdlog::set_level(spdlog::level::off);  // stdout is for answers
  // The tensors are tiny, and waiting for other threads costs more than the work on a busy machine.
  at::set_num_threads(1);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << found->second(nlohmann::json::parse(line)) << std::endl;
  }
}
