#pragma once

#include <steward/tests/model/scenario.hpp>
#include <steward/tests/model/settled_pool.hpp>
#include <steward/tests/model/tally.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace modelled {

/// Holds a settled pool against its model, command by command.
class settled_subject {
public:
  settled_subject(const scenario& x, tally& seen,
                  const rules& by = as_documented)
    : seen_(seen), pool_(x.how, x.order), by_(by) {
    seen_.begin_case();
  }

  void run(const any_command& what, const pool_model& before) {
    auto model = before;
    auto expected = model.apply(what);
    seen_.add(expected);
    for (const auto& [request, answer] : expected.answers)
      if (before.is_in_line(request))
        seen_.add("in line " + tally::kind_of(answer));
    std::string real;
    try {
      auto done = pool_.perform(what, before);
      if (pool_.asleep() > 0)
        seen_.add_once("asleep");
      if (by_.may_sleep())
        allow_for_sleep(done.stats.keys, model.keys_in_use(),
                        expected.stats.keys);
      real = done.text();
    } catch (const failure& e) {
      real = std::string{"  "} + e.what() + "\n";
    }
    if (real != expected.text())
      RC_FAIL(text_of(what) + "\nthe model says\n" + expected.text()
              + "the pool says\n" + real);
  }

  settled_pool& pool() noexcept {
    return pool_;
  }

private:
  // A key that sleeps leaves when it has nothing left; one that is awake may
  // linger. Which it is, the model does not know.
  static void allow_for_sleep(std::uint64_t& seen, std::size_t least,
                              std::uint64_t most) {
    if (seen >= least && seen <= most)
      seen = most;
  }

  tally& seen_;
  settled_pool pool_;
  const rules& by_;
};

/// How a test of the tests can have it.
struct settled_options {
  const rules* by = &as_documented;
  std::function<void(opener_script&)> spoil = {};
};

/// The property that pools and models agree.
inline auto agrees(kind k, tally& seen, settled_options how = {}) {
  return [k, &seen, how](/* nothing: all is drawn inside */) {
    auto x = *scenarios<settled_subject>(k, *how.by);
    settled_subject subject{x, seen, *how.by};
    if (how.spoil)
      how.spoil(subject.pool().script());
    run_all(x, subject, *how.by);
    subject.pool().finish();
  };
}

} // namespace modelled
