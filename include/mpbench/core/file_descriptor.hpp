#pragma once

#include <utility>

namespace mpbench {

/// An open file's descriptor (open(2)), closed with it; below 0: none.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) : number_(number) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;

  int get() const { return number_; }
  void close();

 private:
  int number_;
};

}  // namespace mpbench
