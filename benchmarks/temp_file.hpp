#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

/// Where a record database may lie: a folder of its own, gone with the object.
class temp_file {
public:
  temp_file() {
    folder_
      = (std::filesystem::temp_directory_path() / "bench-XXXXXX").string();
    if (::mkdtemp(folder_.data()) == nullptr)
      throw std::runtime_error{"cannot make " + folder_};
  }

  temp_file(const temp_file&) = delete;
  temp_file& operator=(const temp_file&) = delete;

  ~temp_file() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path() const {
    return folder_ + "/records.db";
  }

private:
  std::string folder_;
};
