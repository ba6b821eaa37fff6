// Threads find things in a table without a lock, and use what they find, while
// one puts in and takes out, so that the table grows and shrinks. Runs under
// ThreadSanitizer: what a thing says of itself is plain, and overwritten at its
// end, so that a read too late is a race. Ends with 1 if something broke, or if
// something that should happen never did.
#include "stress.hpp"

#include <steward/runtime/epochs.hpp>
#include <steward/runtime/key_table.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

using namespace steward;

const char* const stress::program = "stress_key_table";
using stress::must;

namespace {

constexpr std::size_t readers_count = 3;
constexpr std::size_t numbers = 600; // of which `kept` are always there
constexpr std::size_t kept = 8;
constexpr int edits = 60'000;

std::atomic<std::uint64_t> found, missed, destroyed, grown;

struct thing {
  explicit thing(std::size_t n) : number(n), echo(n) {
  }

  ~thing() {
    number = echo = ~std::size_t{0}; // a race with whoever still reads
    ++destroyed;
  }

  std::size_t number;
  std::size_t echo;
};

class crowd {
public:
  void run() {
    for (std::size_t n = 0; n < kept; ++n)
      insert(n);
    std::vector<std::jthread> readers;
    for (std::size_t i = 0; i < readers_count; ++i)
      readers.emplace_back([this, i](const std::stop_token& end) {
        std::mt19937 random{static_cast<unsigned>(i)};
        while (!end.stop_requested())
          look_for(random() % numbers);
      });
    edit();
  }

private:
  static std::size_t hash(std::size_t n) {
    return n / 2;
  }

  void look_for(std::size_t n) {
    epochs::reading here{retired_};
    auto* x = table_.find(hash(n),
                          [n](const thing& t) { return t.number == n; });
    must(x != nullptr || n >= kept, "what stays is found");
    must(x == nullptr || x->echo == n, "what is found is what was meant");
    ++(x != nullptr ? found : missed);
  }

  void edit() {
    std::mt19937 random{99};
    for (int i = 0; i < edits; ++i) {
      auto growing = i / 3'000 % 2 == 0;
      auto n = kept + random() % (numbers - kept);
      if (owned_[n] == nullptr && (growing || random() % 8 == 0))
        insert(n);
      else if (owned_[n] != nullptr && (!growing || random() % 4 == 0))
        erase(n);
      if (table_.size() > numbers / 2)
        ++grown;
    }
  }

  void insert(std::size_t n) {
    owned_[n] = std::make_shared<thing>(n);
    table_.insert(hash(n), *owned_[n], retired_);
  }

  void erase(std::size_t n) {
    table_.erase(hash(n), *owned_[n], retired_);
    retired_.retire(std::move(owned_[n]));
  }

  epochs retired_{16};
  key_table<thing> table_;
  std::array<std::shared_ptr<thing>, numbers> owned_;
};

} // namespace

int main() {
  stress::play(1, [](int) { crowd{}.run(); },
               {{"found", found},
                {"missed", missed},
                {"destroyed", destroyed},
                {"grown", grown}});
}
