// The order of idle resources in two stripes, and who claims, uses and closes
// them beside each other, in every interleaving.
#include <boost/test/unit_test.hpp>

#include <steward/core/idle_stripes.hpp>
#include <steward/tests/stepper/check.hpp>
#include <steward/tests/stepper/mutex.hpp>
#include <steward/tests/stepper/noted.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

using namespace stepper;
using namespace std::chrono_literals;
using steward::phase;
using steward::slot;

namespace {

constexpr steward::time_point start{100s};
constexpr steward::time_point now{200s};

enum class wrong {
  nothing,
  keeps_what_is_used,
  tells_before_it_closes,
  tells_nobody
};

struct cast {
  std::size_t resources = 2; // opened one after the other
  std::size_t claimers = 0;  // each makes room once
  std::size_t users = 0;     // each borrows the first, and gives it back
  std::size_t closers = 0;   // each closes one, from the first on
  bool budget = false;       // expects one, whose owner closes or keeps it
  wrong fault = wrong::nothing;
};

class world {
public:
  world(run& r, const cast& who) : who_(who) {
    for (std::size_t i = 0; i < who_.resources; ++i)
      open(i + 1);
    for (std::size_t i = 0; i < who_.claimers; ++i)
      r.thread("claimer " + std::to_string(i + 1), [this, i] { claim(i); });
    for (std::size_t i = 0; i < who_.users; ++i)
      r.thread("user " + std::to_string(i + 1), [this] { use(*slots_[0]); });
    for (std::size_t i = 0; i < who_.closers; ++i)
      r.thread("owner " + std::to_string(i + 1), [this, i] { close(i + 1); });
    if (who_.budget)
      r.thread("budget", [this] { expect_one(); });
    r.at_end([this] { check(); });
  }

private:
  using order = steward::idle_stripes<char, stepper::mutex>;

  void open(std::uint64_t id) {
    auto& s = *(slots_[id - 1] = std::make_unique<slot>());
    auto stamp = start + 1s * static_cast<int>(id);
    s.begin_open(id, "", stamp);
    s.opened(this, stamp, 0, false);
    all_.insert({'a', &s, id}, stamp);
  }

  bool only_claimers() const {
    return who_.users + who_.closers == 0 && !who_.budget;
  }

  // How many there are that none but claimers touch.
  std::size_t untouched() const {
    auto touched = std::max<std::size_t>(who_.users > 0 ? 1 : 0, who_.closers)
                   + (who_.budget ? 1 : 0);
    return who_.resources - std::min(touched, who_.resources);
  }

  void claim(std::size_t from) {
    auto x = all_.claim(from);
    if (!x) {
      must(untouched() < who_.claimers, "who can have one goes away with one");
      return reached("claimed none");
    }
    auto& s = *x->place;
    auto seen = s.word();
    if (s.id() != x->id || seen.in() != phase::open || !s.try_take(seen)) {
      must(!only_claimers(), "nobody claims what another has claimed");
      if (who_.fault != wrong::keeps_what_is_used)
        all_.put_back(*x);
      return reached("put back");
    }
    reached("claimed");
    s.finish_close();
    ++closed_.change();
  }

  void use(slot& s) {
    auto seen = s.word();
    if (seen.in() != phase::open || !s.try_hold(seen))
      return reached("not borrowed");
    let_others();
    if (s.give_back(now) == slot::given::missed) {
      reached("missed");
      s.give_back(now, true, true);
      if (who_.fault != wrong::tells_nobody)
        all_.idle_again(1);
    }
    reached("used");
  }

  void close(std::uint64_t id) {
    auto& s = *slots_[id - 1];
    auto tells_early = who_.fault == wrong::tells_before_it_closes;
    if (tells_early)
      all_.closed(id);
    auto seen = s.word();
    if (seen.in() != phase::open || !s.try_take(seen))
      return reached("not closed");
    s.finish_close();
    ++closed_.change();
    if (!tells_early && all_.closed(id))
      reached("closed as expected");
  }

  void expect_one() {
    auto x = all_.expect_next();
    if (!x)
      return reached("expected none");
    if (!x->ask)
      return reached("expected what is closing");
    auto& s = *x->from.place;
    auto seen = s.word();
    if (seen.in() == phase::open && s.try_take(seen)) {
      s.finish_close();
      ++closed_.change();
      must(all_.closed(x->from.id), "what is asked for is expected");
    } else {
      all_.kept(x->from.id);
      reached("kept");
    }
  }

  // What is left is known once, and nothing else is.
  void check() {
    std::size_t open = 0;
    for (std::size_t i = 0; i < who_.resources; ++i)
      open += slots_[i]->word().in() == phase::open ? 1u : 0u;
    must(open + closed_.get() == who_.resources, "each is closed once");
    must(all_.known() == open, "what is open is known, and nothing else");
    must(all_.expected() == 0, "nothing is expected for ever");
    for (std::size_t i = 0; only_claimers() && i < closed_.get(); ++i)
      must(slots_[i]->word().in() == phase::closed, "the oldest go first");
    for (std::size_t i = 0; i < open; ++i)
      must(all_.claim(0).has_value(), "what is left can be claimed");
  }

  const cast who_;
  std::array<std::unique_ptr<slot>, 4> slots_;
  order all_{2};
  ghost<std::size_t> closed_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(step_idle_stripes)

BOOST_AUTO_TEST_CASE(claimers_take_the_oldest_and_each_another_one) {
  check_proved(explore<world>("2 claimers of 3", reduced,
                              cast{.resources = 3, .claimers = 2}),
               {"claimed"});
  check_proved(explore<world>("2 claimers of 1", reduced,
                              cast{.resources = 1, .claimers = 2}),
               {"claimed", "claimed none"});
}

BOOST_AUTO_TEST_CASE(who_claims_finds_what_nobody_uses) {
  check_proved(explore<world>("claimer and user", reduced,
                              cast{.claimers = 1, .users = 1}),
               {"claimed", "put back", "used", "not borrowed", "missed"});
  check_proved(explore<world>("2 claimers and user of 1", reduced,
                              cast{.resources = 1, .claimers = 2, .users = 1}),
               {"claimed", "claimed none", "used", "missed"});
}

BOOST_AUTO_TEST_CASE(what_its_owner_closes_is_forgotten_once) {
  check_proved(explore<world>("claimer and owner", reduced,
                              cast{.claimers = 1, .closers = 1}),
               {"claimed", "put back", "not closed", "closed as expected"});
  check_proved(explore<world>("budget and owner", reduced,
                              cast{.closers = 1, .budget = true}),
               {"expected what is closing", "kept", "closed as expected"});
  check_proved(
    explore<world>("budget and claimer of 1", reduced,
                   cast{.resources = 1, .claimers = 1, .budget = true}),
    {"expected none", "claimed", "claimed none"});
}

BOOST_AUTO_TEST_CASE(a_wrong_use_is_found) {
  auto with = [](std::string_view name, wrong what) {
    return explore<world>(
      name, reduced,
      cast{.claimers = 1, .users = 1, .closers = 1, .fault = what});
  };
  check_proved(with("right use", wrong::nothing), {"claimed", "put back"});
  check_broken(with("keeps what is used", wrong::keeps_what_is_used),
               "what is open is known, and nothing else");
  check_broken(explore<world>("tells nobody", reduced,
                              cast{.resources = 1,
                                   .claimers = 1,
                                   .users = 1,
                                   .fault = wrong::tells_nobody}),
               "what is left can be claimed");
  check_broken(with("tells before it closes", wrong::tells_before_it_closes),
               "what is open is known, and nothing else");
}

BOOST_AUTO_TEST_SUITE_END()
