#pragma once

#include <steward/apps/bench/key_text.hpp>
#include <steward/apps/bench/workload.hpp>
#include <steward/apps/bench/zipf.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace steward::bench {

/// What a client borrows next.
struct choice {
  key_text key;
  std::string_view params = {};
};

/// W1: every key as often as any other.
class uniform_keys {
public:
  uniform_keys(const run_options& run, std::size_t client)
    : random_(run.seed * 1'000'003 + client), keys_(run.keys) {
  }

  choice operator()() noexcept {
    return {key_text{random_.below(keys_)}};
  }

private:
  random_bits random_;
  std::uint32_t keys_;
};

/// W2: by Zipf's law. The draws are made before the run and used in a circle.
class zipf_keys {
public:
  static constexpr double exponent = 0.99;
  static constexpr std::uint64_t draws_max = 1U << 21U;

  /// There are fewer draws if `stop` is set meanwhile.
  zipf_keys(const run_options& run, const zipf& law, std::size_t client,
            const std::atomic<bool>& stop) {
    random_bits random{run.seed * 1'000'003 + client};
    auto count = std::min(run.operations.value_or(draws_max), draws_max);
    draws_.reserve(count);
    do
      draws_.push_back(law(random));
    while (draws_.size() < count && !stop);
  }

  choice operator()() noexcept {
    auto n = draws_[at_];
    at_ = at_ + 1 == draws_.size() ? 0 : at_ + 1;
    return {key_text{n}};
  }

private:
  std::vector<std::uint32_t> draws_;
  std::size_t at_ = 0;
};

/// W3: all keys in one scattered order, round after round. A client has two
/// params of its own and takes them in turn, one for each round, so that
/// whoever had the key last, another client or this one, had other params.
class alternating_keys {
public:
  alternating_keys(const run_options& run, std::size_t client)
    : keys_(run.keys), step_(step_for(run.keys)) {
    auto start = std::uint64_t{run.keys} * client / run.clients;
    at_ = static_cast<std::uint32_t>(start);
    left_ = keys_;
    for (std::size_t i = 0; i < params_.size(); ++i)
      params_[i] = "p" + std::to_string(2 * client + i);
  }

  choice operator()() noexcept {
    if (left_ == 0) {
      left_ = keys_;
      odd_ = !odd_;
    }
    --left_;
    at_ = static_cast<std::uint32_t>((std::uint64_t{at_} + step_) % keys_);
    return {key_text{at_}, params_[odd_ ? 1 : 0]};
  }

private:
  // About 0.618 of all, and prime to it.
  static std::uint32_t step_for(std::uint32_t keys) {
    auto step = static_cast<std::uint32_t>(keys * 0.618) | 1U;
    while (std::gcd(step, keys) != 1)
      ++step;
    return step;
  }

  std::uint32_t keys_;
  std::uint32_t step_;
  std::uint32_t at_ = 0;
  std::uint32_t left_ = 0;
  bool odd_ = false;
  std::array<std::string, 2> params_;
};

/// W4: a few keys beyond those that expire, in turn.
class probe_keys {
public:
  static constexpr std::uint32_t count = 64;

  explicit probe_keys(const run_options& run) : first_(run.keys) {
  }

  choice operator()() noexcept {
    return {key_text{first_ + at_++ % count}};
  }

private:
  std::uint32_t first_;
  std::uint32_t at_ = 0;
};

/// W5: always the same. Only what another client had before is a hand-over:
/// who gives back and takes again at once has waited for nobody.
class one_key {
public:
  one_key(const run_options&, std::size_t client) : own_(client + 1) {
  }

  /// @param last who had it last, shared by all clients
  void share(std::shared_ptr<std::atomic<std::size_t>> last) {
    last_ = std::move(last);
  }

  choice operator()() const noexcept {
    return {key_text{0}};
  }

  /// @pre this client holds it
  bool took_over() noexcept {
    return last_->exchange(own_, std::memory_order_relaxed) != own_;
  }

private:
  std::size_t own_;
  std::shared_ptr<std::atomic<std::size_t>> last_;
};

/// What the operation counts for whose lease is still held.
template <class Source>
std::uint64_t worth_of(Source& source) {
  if constexpr (requires { source.took_over(); })
    return source.took_over() ? 1 : 0;
  else
    return 1;
}

} // namespace steward::bench
