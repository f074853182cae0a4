#pragma once

#include <ATen/record_function.h>

#include <map>
#include <memory>
#include <string>

namespace mpbench::train {

/// Counts the operators that this thread calls while it lives, by name, as "aten::copy_".
class OperatorCounter {
 public:
  OperatorCounter() : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(count))) {
    counts().clear();
  }
  ~OperatorCounter() { at::removeCallback(handle_); }
  OperatorCounter(const OperatorCounter&) = delete;
  OperatorCounter& operator=(const OperatorCounter&) = delete;

  int of(const std::string& name) const { return counts()[name]; }

 private:
  static std::map<std::string, int>& counts() {
    thread_local std::map<std::string, int> all;
    return all;
  }
  static std::unique_ptr<at::ObserverContext> count(const at::RecordFunction& called) {
    ++counts()[called.name()];
    return nullptr;
  }

  at::CallbackHandle handle_;
};

}  // namespace mpbench::train
