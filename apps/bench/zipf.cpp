#include <steward/apps/bench/zipf.hpp>

#include <algorithm>
#include <cmath>

namespace steward::bench {

zipf::zipf(std::uint32_t n, double s, const std::atomic<bool>& stop) {
  sums_.reserve(n);
  double sum = 0;
  for (std::uint32_t i = 0; i < n && (i == 0 || !stop); ++i)
    sums_.push_back(sum += std::pow(static_cast<double>(i) + 1, -s));
  for (auto& x : sums_)
    x /= sum;
}

std::uint32_t zipf::operator()(random_bits& random) const {
  auto at = std::upper_bound(sums_.begin(), sums_.end(), random.unit());
  auto rank = static_cast<std::size_t>(at - sums_.begin());
  return static_cast<std::uint32_t>(std::min(rank, sums_.size() - 1));
}

double zipf::probability(std::uint32_t rank) const {
  return rank == 0 ? sums_[0] : sums_[rank] - sums_[rank - 1];
}

} // namespace steward::bench
