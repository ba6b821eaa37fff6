#include <boost/test/unit_test.hpp>

#include <steward/apps/log_reader.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

using namespace steward;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace fs = std::filesystem;

namespace {

struct fixture {
  fixture() {
    auto pattern = (fs::temp_directory_path() / "steward-log-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    dir = pattern;
  }

  ~fixture() {
    fs::remove_all(dir);
  }

  std::string file(const std::string& bytes,
                   const std::string& name = "x.log") const {
    auto path = (dir / name).string();
    std::ofstream{path, std::ios::binary} << bytes;
    return path;
  }

  request_log read(const std::string& bytes, const log_options& options = {}) {
    return read_log(file(bytes), options);
  }

  // The sentence with which the input is refused, without the path in front.
  std::string refusal(const std::string& path,
                      const log_options& options = {}) const {
    try {
      read_log(path, options);
    } catch (const unusable_input& error) {
      std::string what = error.what();
      BOOST_TEST(what.starts_with(path + ": "));
      BOOST_TEST(what.find('\n') == std::string::npos);
      return what.substr(std::min(what.size(), path.size() + 2));
    }
    BOOST_ERROR("accepted");
    return {};
  }

  fs::path dir;
};

// 17 May 2015, 10:05:03 UTC.
constexpr time_point may_17{1'431'857'103s};

constexpr auto end_of_line = " \"GET / HTTP/1.1\" 200 12\n";

std::string clf(const std::string& key, int second,
                const std::string& tail = end_of_line) {
  return key + " - - [17/May/2015:10:05:" + (second < 10 ? "0" : "")
         + std::to_string(second) + " +0000]" + tail;
}

std::string packed(const std::string& bytes) {
  z_stream zip{};
  BOOST_REQUIRE(
    deflateInit2(&zip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::vector<char> result(deflateBound(&zip, bytes.size()));
  auto in = bytes;
  zip.next_in = reinterpret_cast<Bytef*>(in.data());
  zip.avail_in = static_cast<unsigned>(in.size());
  zip.next_out = reinterpret_cast<Bytef*>(result.data());
  zip.avail_out = static_cast<unsigned>(result.size());
  BOOST_REQUIRE(deflate(&zip, Z_FINISH) == Z_STREAM_END);
  std::string all{result.data(), result.size() - zip.avail_out};
  deflateEnd(&zip);
  return all;
}

log_options agent() {
  log_options result;
  result.params = params_source::agent;
  return result;
}

log_options csv_only() {
  log_options result;
  result.format = log_format::csv;
  return result;
}

void check_line(const request_log& log, std::uint64_t number,
                const std::string& reason) {
  BOOST_REQUIRE(log.bad == 1u);
  BOOST_REQUIRE(log.bad_lines.size() == 1u);
  BOOST_TEST(log.bad_lines[0].number == number);
  BOOST_TEST(log.bad_lines[0].reason == reason);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(log_reader, fixture)

// -- web server's logs --------------------------------------------------------

BOOST_AUTO_TEST_CASE(common_format_gives_address_and_time) {
  auto log = read(clf("10.0.0.1", 3) + clf("2001:db8::1", 4));
  BOOST_TEST((log.format == log_format::clf));
  BOOST_TEST(log.lines == 2u);
  BOOST_TEST(log.bad == 0u);
  BOOST_TEST(log.keys == 2u);
  BOOST_REQUIRE(log.requests.size() == 2u);
  BOOST_TEST(log.requests[0].key == "10.0.0.1");
  BOOST_TEST((log.requests[0].at == may_17));
  BOOST_TEST(log.requests[0].params == "");
  BOOST_TEST(log.requests[1].key == "2001:db8::1");
  BOOST_TEST((log.requests[1].at == may_17 + 1s));
}

BOOST_AUTO_TEST_CASE(combined_format_gives_the_agent_where_asked) {
  auto tail = " \"GET / HTTP/1.1\" 200 12 \"http://a/\" \"Mozilla/5.0 (X)\"\n"s;
  BOOST_TEST(read(clf("a", 3, tail)).requests.at(0).params == "");
  auto log = read(clf("a", 3, tail) + clf("a", 4, tail), agent());
  BOOST_TEST(log.requests.at(0).params == "Mozilla/5.0 (X)");
  // One copy of each text.
  BOOST_TEST(log.requests[0].key.data() == log.requests[1].key.data());
  BOOST_TEST(log.requests[0].params.data() == log.requests[1].params.data());
}

BOOST_AUTO_TEST_CASE(escaped_quotes_stay_in_their_field) {
  auto log = read(clf("a", 3,
                      R"( "GET /\"x\" \\" 404 - "\\\"" "A \"quoted\" one\\")"
                      "\n"),
                  agent());
  BOOST_TEST(log.bad == 0u);
  BOOST_TEST(log.requests.at(0).params == R"(A \"quoted\" one\\)");
}

BOOST_AUTO_TEST_CASE(a_cut_off_agent_counts_and_a_missing_one_does_not) {
  auto good = clf("a", 3, " \"-\" 400 0 \"-\" \"-\"\n");
  auto log = read(good + clf("a", 3, " \"-\" 400 0 \"-\" \"Mozi\n"), agent());
  BOOST_TEST(log.bad == 0u);
  BOOST_TEST(log.requests.at(1).params == "Mozi");
  check_line(read(good + clf("a", 3), agent()), 2,
             "no user agent (that needs the combined format)");
}

BOOST_AUTO_TEST_CASE(dirty_lines_that_say_who_and_when_are_good) {
  auto rest = "[17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 12\n"s;
  for (const auto& line : {
         clf("a", 3, " \"-\" 408 -\n"),
         clf("a", 3, " \"\" 400 0\n"),
         clf("a", 3, " \"GET /\\x16\\x03\" 400 226 \"-\" \"-\" 0.004 extra\n"),
         clf("a", 3, " \"GET /\xff\xfe\" - -\n"),
         clf("a", 3, " \"GET /"s + '\0' + "\" 200 12\n"),
         clf("a", 3, " \"GET / HTTP/1.1\" 200 12\r\n"),
         "a ident user " + rest,
         "a - John Q. Public " + rest,
         "a - [odd] " + rest,
         "host-1.example.org - - " + rest,
       }) {
    auto log = read(line);
    BOOST_TEST(log.bad == 0u, line);
    BOOST_REQUIRE(log.requests.size() == 1u);
    BOOST_TEST((log.requests[0].at == may_17));
  }
}

BOOST_AUTO_TEST_CASE(lines_that_cannot_be_parsed_say_why) {
  auto good = clf("a", 3);
  auto rest = "[17/May/2015:10:05:03 +0000]"s + end_of_line;
  const std::array<std::array<std::string, 2>, 14> cases = {{
    {"nonsense\n", "no client address in front"},
    {" - - " + rest, "no client address in front"},
    {"a - - \n", "no [time]"},
    {"a - - [yesterday]" + std::string{end_of_line},
     "the time is not as in [17/May/2015:10:05:03 +0000]"},
    {"a - - [17/May/2015:10\n",
     "the time is not as in [17/May/2015:10:05:03 +0000]"},
    {"a " + rest,
     "between client address and [time] there is not `ident user`"},
    {"a - " + rest,
     "between client address and [time] there is not `ident user`"},
    {"www:80 10.0.0.1 - - " + rest,
     "between client address and [time] there is not `ident user`"},
    {clf("a", 3, " GET / 200 12\n"), "no \"request\" behind the time"},
    {clf("a", 3, " \"GET / 200 12\n"), "no \"request\" behind the time"},
    {clf("a", 3, " \"GET /\" 20 12\n"), "no status behind the request"},
    {clf("a", 3, " \"GET /\" 200\n"), "no size behind the status"},
    {clf("a\x01"s + "b", 3), "a control character in the client address"},
    {clf("a"s + '\0' + "b", 3), "a NUL byte in the key"},
  }};
  for (const auto& [line, reason] : cases)
    check_line(read(good + line), 2, reason);
}

BOOST_AUTO_TEST_CASE(a_key_has_at_most_256_bytes) {
  auto good = clf("a", 3);
  BOOST_TEST(read(clf(std::string(256, 'k'), 3)).bad == 0u);
  check_line(read(good + clf(std::string(257, 'k'), 3)), 2,
             "the key is longer than 256 bytes");
  check_line(read("key,time\na,1\n,1\n"), 3, "the key is empty");
}

BOOST_AUTO_TEST_CASE(empty_lines_count_for_nothing_but_the_line_number) {
  auto log
    = read("\n\r\n" + clf("a", 3) + "  \n\n" + "bad\n" + clf("a", 4) + "\n");
  BOOST_TEST(log.lines == 3u);
  check_line(log, 6, "no client address in front");
  BOOST_TEST(log.bad_lines[0].text == "bad");
}

BOOST_AUTO_TEST_CASE(the_last_line_needs_no_end) {
  auto text = clf("a", 3) + clf("b", 4);
  text.pop_back();
  BOOST_TEST(read(text).requests.size() == 2u);
  BOOST_TEST(read(text + "\r").requests.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_line_has_at_most_so_many_bytes) {
  log_options options;
  options.line_bytes_max = 100;
  auto line = [](std::size_t size) {
    auto result = clf("a", 3, " \"");
    result.resize(size - 7, 'x');
    return result + "\" 200 1";
  };
  for (const auto& end : {"\n"s, "\r\n"s}) {
    auto log = read(line(100) + end + line(101) + end + line(100), options);
    BOOST_TEST(log.lines == 3u);
    check_line(log, 2, "the line is too long");
    BOOST_TEST(log.bad_lines[0].text.size() == 51u);
  }
  // Longer than any buffer, in the middle and at the end.
  auto huge = clf("a", 3) + std::string(3'000'000, 'x') + "\n" + clf("a", 4)
              + clf("a", 5);
  check_line(read(huge), 2, "the line is too long");
  BOOST_TEST(read(huge).requests.size() == 3u);
  check_line(read(clf("a", 3) + std::string(3'000'000, 'x')), 2,
             "the line is too long");
}

BOOST_AUTO_TEST_CASE(the_first_five_bad_lines_are_kept_fit_to_print) {
  std::string text;
  for (int i = 0; i < 7; ++i)
    text += clf("a", 3) + "\x1b[31mred \xff" + std::string(60, 'y') + "\n";
  auto log = read(text);
  BOOST_TEST(log.bad == 7u);
  BOOST_REQUIRE(log.bad_lines.size() == 5u);
  BOOST_TEST(log.bad_lines[4].number == 10u);
  BOOST_TEST(log.bad_lines[0].text
             == "?[31mred ?" + std::string(38, 'y') + "...");
}

BOOST_AUTO_TEST_CASE(half_of_the_lines_may_be_bad_and_not_one_more) {
  auto good = clf("a", 3);
  BOOST_TEST(read(good + "bad\n").bad == 1u);
  BOOST_TEST(refusal(file(good + "bad\nworse\n"))
             == "2 of 3 lines cannot be parsed as clf; line 2: no client "
                "address in front (CSV must begin with the header "
                "time,key[,params])");
}

// -- CSV ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(csv_columns_come_in_any_order) {
  auto log = read("Zone, Params ,KEY,extra,time\r\n"
                  "x,p1,k1,,5\r\n"
                  "x,,k2,,6.5\r\n");
  BOOST_TEST((log.format == log_format::csv));
  BOOST_TEST(log.lines == 2u);
  BOOST_REQUIRE(log.requests.size() == 2u);
  BOOST_TEST(log.requests[0].key == "k1");
  BOOST_TEST(log.requests[0].params == "p1");
  BOOST_TEST((log.requests[0].at == time_point{5s}));
  BOOST_TEST(log.requests[1].params == "");
  BOOST_TEST((log.requests[1].at == time_point{6500ms}));
}

BOOST_AUTO_TEST_CASE(csv_params_can_be_left_out) {
  auto text = "time,key,params\n1,a,p\n"s;
  log_options options;
  options.params = params_source::none;
  BOOST_TEST(read(text, options).requests.at(0).params == "");
  BOOST_TEST(read("time,key\n1,a\n").requests.at(0).params == "");
}

BOOST_AUTO_TEST_CASE(csv_quotes_are_read_as_rfc_4180_says) {
  auto log = read("\"time\",\"key\",params\n"
                  "\"1\",\"a,\"\"b\"\"\",\"line 1\r\nline 2\"\n"
                  "2,a\"b,\"\"\n"
                  "bad\n");
  BOOST_REQUIRE(log.requests.size() == 2u);
  BOOST_TEST(log.requests[0].key == "a,\"b\"");
  BOOST_TEST(log.requests[0].params == "line 1\r\nline 2");
  BOOST_TEST(log.requests[1].key == "a\"b");
  BOOST_TEST(log.requests[1].params == "");
  check_line(log, 5, "fewer columns than the header");
}

BOOST_AUTO_TEST_CASE(a_stray_quote_costs_one_line) {
  auto head = "time,key\n1,a\n"s;
  check_line(read(head + "2,\"b\n3,c\n4,d\n"), 3, "a quote is never closed");
  BOOST_TEST(read(head + "2,\"b\n3,c\n4,d\n").requests.size() == 3u);
  check_line(read(head + "2,\"b\"x\n3,c\n"), 3,
             "something stands behind a closing quote");
  // Closed only beyond the longest line, with a full buffer in between.
  log_options options;
  options.line_bytes_max = 1000;
  auto text = head + "2,\"b\n";
  for (int i = 0; i < 100'000; ++i)
    text += "3,c\n";
  auto log = read(text + "4,\"\n", options);
  BOOST_TEST(log.bad == 2u);
  BOOST_TEST(log.requests.size() == 100'001u);
  BOOST_REQUIRE(log.bad_lines.size() == 2u);
  BOOST_TEST(log.bad_lines[1].number == 100'004u);
}

BOOST_AUTO_TEST_CASE(a_csv_header_is_found_behind_mark_and_empty_lines) {
  BOOST_TEST(read("\xef\xbb\xbftime,key\n1,a\n").requests.size() == 1u);
  BOOST_TEST(read("\n\ntime,key\n1,a\n").requests.size() == 1u);
}

BOOST_AUTO_TEST_CASE(csv_without_its_columns_is_refused) {
  BOOST_TEST(refusal(file("when,who\n1,a\n"), csv_only())
             == "the first line is not a CSV header with the columns "
                "time,key[,params]: when,who");
  BOOST_TEST(refusal(file("time,key\n1,a\n"), agent())
             == "is CSV; the user agent can only be taken from the combined "
                "log format");
  log_options clf_only;
  clf_only.format = log_format::clf;
  BOOST_TEST(refusal(file("time,key\n1,a\n"), clf_only)
             == "2 of 2 lines cannot be parsed as clf; line 1: no client "
                "address in front");
}

// -- order --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(late_lines_are_counted_against_the_latest_before_them) {
  // 4 and 5 are late; the second 5 is later than the line before it.
  auto text = "time,key\n6,a\n4,b\n5,c\n6,d\n7,e\n7,f\n"s;
  auto log = read(text);
  BOOST_TEST(log.late == 2u);
  std::string keys;
  for (const auto& x : log.requests)
    keys += x.key;
  BOOST_TEST(keys == "bcadef");
  log_options clamp;
  clamp.order = log_order::clamp;
  log = read(text, clamp);
  BOOST_TEST(log.late == 2u);
  BOOST_REQUIRE(log.requests.size() == 6u);
  BOOST_TEST(log.requests[1].key == "b");
  for (std::size_t i = 0; i < 4; ++i)
    BOOST_TEST((log.requests[i].at == time_point{6s}));
  BOOST_TEST((log.requests[5].at == time_point{7s}));
}

BOOST_AUTO_TEST_CASE(sorting_keeps_the_order_of_equal_times) {
  std::mt19937 random{11};
  auto text = "time,key\n"s;
  std::vector<std::pair<unsigned, unsigned>> expected;
  for (unsigned i = 0; i < 5000; ++i) {
    auto second = static_cast<unsigned>(random() % 100);
    text += std::to_string(second) + ',' + std::to_string(i) + '\n';
    expected.emplace_back(second, i);
  }
  std::sort(expected.begin(), expected.end());
  auto log = read(text);
  BOOST_REQUIRE(log.requests.size() == expected.size());
  BOOST_TEST(log.keys == 5000u);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_REQUIRE(log.requests[i].key == std::to_string(expected[i].second));
    BOOST_REQUIRE((log.requests[i].at
                   == time_point{std::chrono::seconds{expected[i].first}}));
  }
}

// -- sources ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(gzip_is_known_by_its_first_bytes) {
  std::string text;
  for (int i = 0; i < 20'000; ++i)
    text += clf("10.0.0." + std::to_string(i % 250), i % 60);
  for (auto name : {"x.log.gz", "x.log"}) {
    auto log = read_log(file(packed(text), name), {});
    BOOST_TEST(log.compressed);
    BOOST_TEST(log.requests.size() == 20'000u);
    BOOST_TEST(log.keys == 250u);
  }
  // Several members, then padding; a plain file of that name.
  auto two = packed(clf("a", 3)) + packed(clf("b", 4)) + std::string(512, '\0');
  BOOST_TEST(read_log(file(two, "x.gz"), {}).requests.size() == 2u);
  auto plain = read_log(file(clf("a", 3), "x.gz"), {});
  BOOST_TEST(!plain.compressed);
  BOOST_TEST(plain.requests.size() == 1u);
}

BOOST_AUTO_TEST_CASE(broken_gzip_data_is_refused) {
  std::mt19937 random{3};
  std::string text;
  for (int i = 0; i < 2000; ++i)
    text += clf(std::to_string(random()), 3);
  auto whole = packed(text);
  for (auto size : {std::size_t{2}, whole.size() / 2, whole.size() - 1})
    BOOST_TEST(refusal(file(whole.substr(0, size), "cut.gz"))
               == "gzip data ends too early (is the file cut off?)");
  auto damaged = whole;
  damaged[damaged.size() / 2]
    = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  BOOST_TEST(refusal(file(damaged, "bad.gz"))
               .starts_with("gzip data is damaged before byte "));
}

BOOST_AUTO_TEST_CASE(input_that_cannot_be_read_is_refused) {
  BOOST_TEST(refusal((dir / "none.log").string())
             == "No such file or directory");
  BOOST_TEST(refusal(dir.string()) == "is a directory");
  BOOST_TEST(refusal(file("")) == "there is no request in it");
  BOOST_TEST(refusal(file("\n\n")) == "there is no request in it");
  BOOST_TEST(refusal(file("time,key\n")) == "there is no request in it");
  BOOST_TEST(refusal(file(packed(""), "x.gz")) == "there is no request in it");
}

BOOST_AUTO_TEST_CASE(a_set_stop_flag_ends_the_reading) {
  std::atomic<bool> stop{false};
  std::string text;
  for (int i = 0; i < 200'000; ++i)
    text += clf("a", 3);
  log_options options;
  options.stop = &stop;
  std::uint64_t reports = 0;
  options.progress = [&](const read_progress& x) {
    ++reports;
    BOOST_TEST(x.bytes <= x.bytes_total);
    BOOST_TEST(x.bytes_total == text.size());
    stop = true;
  };
  auto log = read(text, options);
  BOOST_TEST(log.stopped);
  BOOST_TEST(log.requests.size() < 200'000u);
  BOOST_TEST(reports > 0u);
}

BOOST_AUTO_TEST_CASE(the_stop_flag_is_seen_while_nothing_comes) {
  // A pipe that stays open and empty.
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::pipe(ends.data()) == 0);
  std::atomic<bool> stop{true};
  log_options options;
  options.stop = &stop;
  auto log = read_log("/dev/fd/" + std::to_string(ends[0]), options);
  BOOST_TEST(log.stopped);
  BOOST_TEST(log.requests.empty());
  ::close(ends[0]);
  ::close(ends[1]);
}

BOOST_AUTO_TEST_CASE(random_bytes_never_hurt) {
  std::mt19937 random{5};
  auto seed = clf("10.0.0.1", 3,
                  " \"GET / HTTP/1.1\" 200 12 \"-\" \"Mozilla\"\n")
              + "time,key,params\n1,\"a\"\"b\",c\n2015-05-17T10:05:03Z,b,c\n";
  for (int i = 0; i < 3000; ++i) {
    auto text = seed;
    for (auto n = random() % 12; n > 0; --n)
      text[random() % text.size()] = static_cast<char>(random() % 256);
    text.resize(random() % text.size() + 1);
    if (random() % 2 == 0)
      text = "time,key,params\n" + text;
    log_options options;
    options.line_bytes_max = 1 + random() % 200;
    if (random() % 2 == 0)
      options.params = params_source::agent;
    try {
      auto log = read(text, options);
      BOOST_REQUIRE(log.requests.size() == log.lines - log.bad);
      for (const auto& x : log.requests)
        BOOST_REQUIRE((!x.key.empty() && x.key.size() <= 256));
    } catch (const unusable_input& error) {
      BOOST_REQUIRE(std::string{error.what()}.find('\n') == std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
