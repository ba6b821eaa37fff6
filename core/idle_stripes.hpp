#pragma once

#include <steward/core/atomic.hpp>
#include <steward/core/idle_order.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace steward {

/// For what is used by one thread at a time.
struct no_lock {
  void lock() noexcept {
  }

  void unlock() noexcept {
  }
};

/// An `idle_order` for many threads, if `Lock` is a lock: stripes that each have
/// one, and whose firsts are compared. So it is the order of all; only which is
/// the first of equal stamps depends on where one begins to look. All functions:
/// any thread.
template <class Owner, class Lock = no_lock>
class idle_stripes {
public:
  using order = idle_order<Owner>;
  using resource = typename order::resource;
  using hope = typename order::hope;

  /// @pre `count` > 0
  explicit idle_stripes(std::size_t count)
    // unreached: a constructor of a stripe throws nothing that is to be undone
    : count_(count), stripes_(new stripe[count]) {
  }

  /// See `idle_order`. `from`: the stripe to look at first.
  std::optional<resource> claim(std::size_t from) {
    return first_of_all(from, [](order& x, time_point last) {
      return x.claim(last);
    });
  }

  std::optional<hope> expect_next() {
    return first_of_all(0, [](order& x, time_point last) {
      return x.expect_next(last);
    });
  }

  void insert(resource x, time_point stamp) {
    with(x.id, [&](order& to) { to.insert(std::move(x), stamp); });
  }

  /// It was claimed, and stays open.
  void put_back(resource x) {
    with(x.id, [&](order& to) { to.insert_as_used(std::move(x)); });
  }

  void expect(resource x) {
    with(x.id, [&](order& by) { by.expect(std::move(x)); });
  }

  /// Its last holder gives it back, who found that it was missed.
  void idle_again(std::uint64_t id) {
    with(id, [id](order& in) { in.idle_again(id); });
  }

  /// It is closed; whether it was expected.
  bool closed(std::uint64_t id) {
    return with(id, [id](order& in) {
      auto x = in.expected(id);
      if (!x)
        in.forget(id);
      return x.has_value();
    });
  }

  /// It stays open; whether it was expected.
  bool kept(std::uint64_t id) {
    return with(id, [id](order& in) {
      auto x = in.expected(id);
      if (x)
        in.insert_as_used(std::move(*x));
      return x.has_value();
    });
  }

  std::size_t expected() const {
    return sum([](const order& x) { return x.expected(); });
  }

  std::size_t known() const {
    return sum([](const order& x) { return x.known(); });
  }

  /// Empty from now on; the result has what there was.
  std::vector<order> stop() {
    std::vector<order> result;
    for (std::size_t i = 0; i < count_; ++i)
      result.push_back(
        with_stripe(stripes_[i], [](order& x) { return x.stop(); }));
    return result;
  }

private:
  struct alignas(64) stripe {
    Lock guard;
    order resources;
    // Read by everybody, and seldom written.
    alignas(64) atomic<time_point::rep> first{never.time_since_epoch().count()};

    time_point first_stamp() const noexcept {
      return time_point{duration{first.load(std::memory_order_relaxed)}};
    }
  };

  // Has the lock, and says before it lets go what is first now.
  class visit {
  public:
    explicit visit(stripe& of) : of_(of) {
      of_.guard.lock();
    }

    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

    ~visit() {
      auto now = of_.resources.first_stamp();
      if (now != of_.first_stamp())
        of_.first.store(now.time_since_epoch().count(),
                        std::memory_order_relaxed);
      of_.guard.unlock();
    }

  private:
    stripe& of_;
  };

  template <class F>
  static auto with_stripe(stripe& s, F f) {
    visit here{s};
    return f(s.resources);
  }

  template <class F>
  auto with(std::uint64_t id, F f) {
    return with_stripe(stripes_[id % count_], f);
  }

  template <class F>
  std::size_t sum(F f) const {
    std::size_t result = 0;
    for (std::size_t i = 0; i < count_; ++i)
      result += with_stripe(stripes_[i], f);
    return result;
  }

  struct leaders {
    stripe* first = nullptr;
    time_point next = never; // when the second one begins
  };

  leaders earliest(std::size_t from) noexcept {
    leaders result;
    auto begins = never;
    for (std::size_t i = 0; i < count_; ++i) {
      auto& s = stripes_[(from + i) % count_];
      auto stamp = s.first_stamp();
      if (stamp < begins) {
        result = {&s, begins};
        begins = stamp;
      } else if (stamp < result.next) {
        result.next = stamp;
      }
    }
    return result;
  }

  // `f(order, last)` of the stripe that begins first, until it gives something.
  template <class F>
  auto first_of_all(std::size_t from, F f) {
    using answer = decltype(f(std::declval<order&>(), never));
    for (;;) {
      auto leads = earliest(from);
      if (leads.first == nullptr)
        return answer{};
      // Nothing means that the first ones of that stripe had been used since, or
      // are in use. They are in their right places now, which are later, or in
      // none, so this comes to an end.
      if (auto x = with_stripe(*leads.first,
                               [&](order& s) { return f(s, leads.next); }))
        return x;
    }
  }

  std::size_t count_;
  std::unique_ptr<stripe[]> stripes_;
};

} // namespace steward
