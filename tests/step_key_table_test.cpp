// A table that is read without a lock while one thread changes it, and what
// becomes of what was taken out, in every interleaving.
#include <boost/test/unit_test.hpp>

#include <steward/runtime/epochs.hpp>
#include <steward/runtime/key_table.hpp>
#include <steward/tests/stepper/check.hpp>
#include <steward/tests/stepper/noted.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace stepper;
using steward::epochs;
using steward::key_table;

namespace {

// Outlives its destruction, so that a use after that is found and not done.
struct thing {
  explicit thing(std::size_t n) : number(n) {
  }

  void use() {
    must(!destroyed.get(), "not destroyed while somebody reads");
    (void)state.read();
  }

  void destroy() {
    state.write(-1);
    destroyed.change() = true;
    reached("destroyed");
  }

  const std::size_t number;
  plain<int> state{0};
  ghost<bool> destroyed;
};

enum class wrong {
  nothing,
  reads_unannounced,
  retires_what_can_be_found,
};

enum class change { erase, insert };

struct edit {
  change what;
  std::size_t which;
};

struct cast {
  std::size_t before = 1;              // things that are in it from the start
  std::vector<edit> edits = {};        // by one thread
  std::vector<std::size_t> look = {0}; // for these, one after the other
  std::size_t readers = 1;
  std::size_t stays = things_max; // is in it all the time
  wrong fault = wrong::nothing;

  static constexpr std::size_t things_max = 6;
};

class world {
public:
  world(run& r, const cast& who) : who_(who) {
    for (std::size_t i = 0; i < cast::things_max; ++i)
      things_[i] = std::make_unique<thing>(i);
    for (std::size_t i = 0; i < who_.before; ++i)
      insert(i);
    for (std::size_t i = 0; i < who_.readers; ++i)
      r.thread("reader " + std::to_string(i + 1), [this] {
        for (auto x : who_.look)
          look_for(x);
      });
    r.thread("writer", [this] {
      for (auto x : who_.edits)
        x.what == change::erase ? erase(x.which) : insert(x.which);
    });
    r.name(retired_, "epochs", members());
    r.name(table_, "table", {{"cells"}});
  }

private:
  static std::vector<member> members() {
    std::vector<member> result(threads_max + 1, {"reader"});
    result.push_back({"now"});
    result.push_back({"garbage"});
    return result;
  }

  // All begin at one place of the table.
  static constexpr std::size_t hash = 8;

  void insert(std::size_t i) {
    table_.insert(hash, *things_[i], retired_);
  }

  void erase(std::size_t i) {
    if (who_.fault == wrong::retires_what_can_be_found)
      retire(i);
    table_.erase(hash, *things_[i], retired_);
    if (who_.fault != wrong::retires_what_can_be_found)
      retire(i);
  }

  void retire(std::size_t i) {
    auto* what = things_[i].get();
    retired_.retire({what, [](thing* x) { x->destroy(); }});
  }

  void look_for(std::size_t i) {
    if (who_.fault == wrong::reads_unannounced)
      return find(i);
    epochs::reading here{retired_};
    find(i);
  }

  void find(std::size_t i) {
    auto* found = table_.find(hash,
                              [i](const thing& x) { return x.number == i; });
    reached(found != nullptr ? "found" : "missed");
    must(found != nullptr || i != who_.stays, "what stays is found");
    if (found == nullptr)
      return;
    must(found->number == i, "what is found is what was looked for");
    found->use();
    let_others();
    found->use();
  }

  const cast who_;
  std::array<std::unique_ptr<thing>, cast::things_max> things_;
  epochs retired_{1};
  key_table<thing> table_;
};

constexpr auto erase = change::erase;
constexpr auto insert = change::insert;

} // namespace

BOOST_AUTO_TEST_SUITE(step_key_table)

BOOST_AUTO_TEST_CASE(what_is_taken_out_lives_as_long_as_somebody_reads_it) {
  check_proved(explore<world>("1 reader, erase", reduced,
                              cast{.edits = {{erase, 0}}}),
               {"found", "missed", "destroyed"});
  check_proved(explore<world>("1 reader twice, erase 2", reduced,
                              cast{.before = 2,
                                   .edits = {{erase, 1}, {erase, 0}},
                                   .look = {1, 0}}),
               {"found", "missed", "destroyed"});
  check_proved(explore<world>("2 readers, erase", reduced,
                              cast{.edits = {{erase, 0}}, .readers = 2}),
               {"found", "missed", "destroyed"});
}

BOOST_AUTO_TEST_CASE(a_place_that_is_used_again_shows_one_or_the_other) {
  check_proved(explore<world>("1 reader twice, erase and insert", reduced,
                              cast{.before = 2,
                                   .edits = {{erase, 0}, {insert, 2}},
                                   .look = {2, 0}}),
               {"found", "missed", "destroyed"});
}

BOOST_AUTO_TEST_CASE(what_stays_is_found_whatever_goes_on_around_it) {
  check_proved(explore<world>("1 reader, behind a gap", reduced,
                              cast{.before = 2,
                                   .edits = {{erase, 0}, {insert, 2}},
                                   .look = {1},
                                   .stays = 1}),
               {"found", "destroyed"});
  check_proved(
    explore<world>(
      "1 reader twice, growth", reduced,
      cast{.before = 3, .edits = {{insert, 3}}, .look = {2, 2}, .stays = 2}),
    {"found"});
  check_proved(explore<world>("2 readers, growth", with_preemptions(2),
                              cast{.before = 3,
                                   .edits = {{insert, 3}, {erase, 0}},
                                   .look = {2},
                                   .readers = 2,
                                   .stays = 2}),
               {"found", "destroyed"});
}

BOOST_AUTO_TEST_CASE(a_wrong_use_is_found) {
  auto with = [](std::string_view name, wrong what) {
    return explore<world>(
      name, reduced, cast{.before = 2, .edits = {{erase, 0}}, .fault = what});
  };
  check_broken(with("reads unannounced", wrong::reads_unannounced),
               "data race: writes what another reads");
  check_broken(with("retires what can be found",
                    wrong::retires_what_can_be_found),
               "not destroyed while somebody reads");
}

BOOST_AUTO_TEST_SUITE_END()
