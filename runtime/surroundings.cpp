#include <steward/runtime/surroundings.hpp>

#include <steward/actors/opener_workers.hpp>
#include <steward/runtime/timepieces.hpp>

#include <random>

namespace steward {

namespace {

class blocking final : public waiting {
public:
  bool wait(const attempt& come, std::chrono::nanoseconds patience) override {
    return come(patience);
  }
};

} // namespace

surroundings surroundings::machine() {
  surroundings result;
  result.time = std::make_shared<system_timepiece>();
  result.make_runner = [](std::size_t workers) {
    return std::make_shared<opener_workers>(workers);
  };
  result.waits = std::make_shared<blocking>();
  result.lends_threads = true;
  result.open_store = open_record_store;
  result.random = [] {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  };
  return result;
}

} // namespace steward
