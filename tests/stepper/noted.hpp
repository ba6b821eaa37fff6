#pragma once

#include <steward/tests/stepper/object.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace stepper {

/// What the program itself writes down of what happened. Neither a step nor a
/// means to tell one thread of another's doings.
template <class T>
class ghost : public object {
public:
  ghost() = default;

  explicit ghost(T value) : value_(std::move(value)) {
  }

  const T& get() const {
    touch(false);
    return value_;
  }

  T& change() {
    touch(true);
    return value_;
  }

private:
  T value_{};
};

/// A plain variable, as a resource has them. Who reads or writes it must know
/// of every write before by way of acquire and release, else it is a data race.
template <class T>
class plain {
public:
  plain() = default;

  explicit plain(T value) : value_(std::move(value)) {
  }

  const T& read() {
    if (auto* r = run::current(); r != nullptr && !r->looks_on()) {
      know(*r, written_, "reads what another writes");
      read_[r->self()] = r->clock()[r->self()];
    }
    return value_;
  }

  void write(T value) {
    if (auto* r = run::current()) {
      know(*r, written_, "writes what another writes");
      know(*r, read_, "writes what another reads");
      written_ = {};
      written_[r->self()] = r->clock()[r->self()];
    }
    value_ = std::move(value);
  }

private:
  static void know(run& r, const vector_clock& what, const char* otherwise) {
    const auto& mine = r.clock();
    for (std::size_t i = 0; i < mine.size(); ++i)
      if (mine[i] < what[i])
        r.fail(std::string{"data race: "} + otherwise);
  }

  T value_{};
  vector_clock written_{};
  vector_clock read_{};
};

} // namespace stepper
