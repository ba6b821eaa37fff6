#include <steward/testkit/internal/regressions.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace steward::testkit {

std::string file_name_of(const explore_options& o) {
  // As in an URL, so that no two names meet.
  std::string result;
  for (auto c : o.name)
    result += c == '/' ? "%2f" : c == '%' ? "%25" : std::string{c};
  return result;
}

std::filesystem::path regression_file(const explore_options& o) {
  return o.regressions.empty() ? std::filesystem::path{}
                               : o.regressions / (file_name_of(o) + ".txt");
}

namespace {

// Instead of a schedule: the one that the seed draws, or one without a deviation.
constexpr std::string_view own_schedule = "own";
constexpr std::string_view plain_order = "plain";

// `seed schedule`, `seed own` or `seed plain`.
regression parse(const std::string& line) {
  std::istringstream words{line};
  std::string seed;
  std::string listed;
  std::string more;
  words >> seed >> listed >> more;
  regression result;
  const auto* last = seed.data() + seed.size();
  auto [end, error] = std::from_chars(seed.data(), last, result.seed);
  if (error != std::errc{} || end != last || listed.empty() || !more.empty())
    throw std::invalid_argument(
      "allowed: a seed, its schedule or own or plain, # text");
  if (listed != own_schedule)
    result.listed = parse_schedule(listed == plain_order ? "" : listed);
  return result;
}

std::string line_of(std::uint64_t seed, const std::string& schedule,
                    const std::string& what) {
  return std::to_string(seed) + " "
         + (schedule.empty() ? std::string{plain_order} : schedule) + " # "
         + what;
}

// As not all editors leave it.
bool ends_with_a_line(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in.seekg(-1, std::ios::end)) // there is none, or it is empty
    return true;
  return in.get() == '\n';
}

} // namespace

std::vector<regression> read_regressions(const explore_options& o) {
  std::vector<regression> result;
  if (o.regressions.empty())
    return result;
  auto file = regression_file(o);
  std::error_code unknown;
  auto type = std::filesystem::status(file, unknown).type();
  std::ifstream in{file};
  if (type != std::filesystem::file_type::not_found
      && (!in || type == std::filesystem::file_type::directory))
    throw misuse("no regressions", file.string() + " cannot be read");
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    line.resize(std::min(line.size(), line.find('#')));
    if (line.find_first_not_of(" \t\r") == std::string::npos)
      continue;
    try {
      result.push_back(parse(line));
    } catch (const std::invalid_argument& x) {
      throw misuse("bad regression", file.string() + ":"
                                       + std::to_string(number) + ": "
                                       + x.what());
    }
  }
  return result;
}

std::string begin_of_line(std::uint64_t seed,
                          const std::vector<std::uint16_t>* listed) {
  return line_of(
    seed, listed == nullptr ? std::string{own_schedule} : options_text(*listed),
    "");
}

std::string add_regression(const explore_options& o, const run_result& failed) {
  if (o.regressions.empty())
    return {};
  std::error_code ignored; // what matters is whether the file can be written
  std::filesystem::create_directories(o.regressions, ignored);
  auto file = regression_file(o);
  auto whole = ends_with_a_line(file);
  std::ofstream out{file, std::ios::app};
  out << (whole ? "" : "\n")
      << line_of(failed.seed, schedule_text(failed.decisions), failed.violated)
      << std::endl;
  return out ? "  kept in " + file.string() + ", to be run first from now on\n"
             : "  cannot be kept: " + file.string() + " cannot be written\n";
}

} // namespace steward::testkit
