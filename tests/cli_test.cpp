#include <boost/test/unit_test.hpp>

#include <steward/tests/command_runner.hpp>
#include <steward/version.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

using namespace steward::test;
using namespace std::string_literals;
using nlohmann::json;
using std::string;

namespace {

namespace fs = std::filesystem;

// Two keys; b is idle for 8 s, then comes again; the third of `a` meets both of
// its resources in use.
const string small_log = "time,key\n"
                         "100,a\n"
                         "101,a\n"
                         "102,a\n"
                         "102,b\n"
                         "111,b\n";

// The same, packed by gzip.
const string small_log_packed{
  "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\xc9\xcc\x4d\xd5\xc9"
  "\x4e\xad\xe4\x32\x34\x30\xd0\x49\x04\x92\x86\x60\xd2\x08\x4a\x26"
  "\x71\x19\x1a\x1a\x02\x49\x00\xdf\x5e\x40\x48\x27\x00\x00\x00",
  47};

const std::vector<string> small_limits
  = {"--idle-timeout", "5s",   "--per-key-max", "2",
     "--hold",         "2.5s", "--records",     "none"};

struct fixture : scratch_folder {
  fixture() {
    write("small.csv", small_log);
  }

  outcome replay(std::vector<string> args, const string& input = {}) {
    args.insert(args.begin(), "replay");
    return run(args, input);
  }

  // With the limits above.
  outcome replay_small(std::vector<string> args) {
    args.insert(args.begin(), small_limits.begin(), small_limits.end());
    return replay(args);
  }
};

// Exactly one line that begins with the name of the program.
void check_one_line(const string& err) {
  BOOST_TEST(err.starts_with("steward: "), err);
  BOOST_TEST(err.find('\n') + 1 == err.size(), err);
}

void check_refused(const outcome& x, int status, const string& sentence) {
  BOOST_TEST(x.status == status);
  BOOST_TEST(x.out == "");
  check_one_line(x.err);
  BOOST_TEST(x.err.find(sentence) != string::npos,
             x.err << " does not say: " << sentence);
}

void check_small_figures(const json& x) {
  BOOST_TEST(x.at("requests") == 5);
  BOOST_TEST(x.at("opened") == 4);
  BOOST_TEST(x.at("reused") == 0);
  BOOST_TEST(x.at("rejected") == 1);
  BOOST_TEST(x.at("closed").at("idle") == 3);
  BOOST_TEST(x.at("closed").at("lifetime") == 0);
  BOOST_TEST(x.at("closed").at("evicted") == 0);
  BOOST_TEST(x.at("closed").at("drained") == 1);
  BOOST_TEST(x.at("peak_open") == 3);
  BOOST_TEST(x.at("records_written") == 0);
  BOOST_TEST(x.at("conflicts") == 0);
  BOOST_TEST(x.at("bad") == 0);
  BOOST_TEST(x.at("late") == 0);
  BOOST_TEST(x.at("keys") == 2);
  BOOST_TEST(x.at("virtual_seconds") == 11.0);
  BOOST_TEST(x.at("wall_seconds").get<double>() > 0.0);
  BOOST_TEST(x.at("requests_per_second").get<double>() > 0.0);
  BOOST_TEST(x.at("read_seconds").get<double>() > 0.0);
  BOOST_TEST(x.at("stopped") == false);
}

string many_requests(int n) {
  string result = "time,key\n";
  for (int i = 0; i < n; ++i)
    result += std::to_string(i / 10) + ",k" + std::to_string(i % 1000) + '\n';
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(cli, fixture)

// -- help and usage -----------------------------------------------------------

BOOST_AUTO_TEST_CASE(help_is_a_manual_of_80_columns) {
  for (auto args : {std::vector<string>{"--help"},
                    {"-h"},
                    {"replay", "--help"},
                    {"replay", "-h"}}) {
    auto x = run(args);
    BOOST_TEST(x.status == 0);
    BOOST_TEST(x.err == "");
    for (auto section : {"NAME\n", "\nSYNOPSIS\n", "\nDESCRIPTION\n",
                         "\nEXIT STATUS\n", "\nEXAMPLES\n"})
      BOOST_TEST(x.out.find(section) != string::npos, section);
    std::istringstream lines{x.out};
    for (string line; std::getline(lines, line);)
      BOOST_TEST(line.size() <= 80u, line);
  }
  auto help = run({"replay", "--help"}).out;
  for (auto option :
       {"--idle-timeout", "--max-lifetime", "--per-key-max", "--total-max",
        "--when-full", "--hold", "--tick", "--order", "--records", "--json",
        "--quiet", "--format", "--params", "--threads", "--help"})
    BOOST_TEST(help.find("  "s + option) + help.find(", "s + option)
                 != 2 * string::npos,
               option);
}

BOOST_AUTO_TEST_CASE(version_is_that_of_the_library) {
  auto x = run({"--version"});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(x.out == "steward "s + STEWARD_VERSION + "\n");
}

BOOST_AUTO_TEST_CASE(bad_usage_is_refused_in_one_line) {
  struct row {
    std::vector<string> args;
    string sentence;
  };
  const std::vector<row> rows = {
    {{}, "no command"},
    {{"bogus"}, "unknown command bogus"},
    {{"--bogus"}, "unknown option --bogus"},
    {{"replay"}, "LOG is missing"},
    {{"replay", ""}, "LOG is empty"},
    {{"replay", "a", "b"}, "only one LOG is allowed, unexpected: b"},
    {{"replay", "a", "--bogus"}, "unknown option --bogus"},
    {{"replay", "a", "--hold"}, "--hold: its value is missing"},
    {{"replay", "a", "--hold", "1s", "--hold", "2s"},
     "--hold: may be given only once"},
    {{"replay", "a", "--quiet=maybe"}, "--quiet: takes no value"},
    {{"replay", "a", "--hold", "5x\n"},
     "--hold is \"5x?\"; allowed: a duration"},
    {{"replay", "a", "--hold=-5s"}, "--hold is \"-5s\"; allowed: a duration"},
    {{"replay", "a", "--hold", "off"},
     "--hold is \"off\"; allowed: a duration"},
    {{"replay", "a", "--hold", "3651d"}, "allowed: 0 to 10 years"},
    {{"replay", "a", "--idle-timeout", "500ms"},
     "--idle-timeout is 500ms; allowed: tick (1s) to 10 years, or off"},
    {{"replay", "a", "--idle-timeout", "soon"}, "--idle-timeout is \"soon\""},
    {{"replay", "a", "--max-lifetime", "0"},
     "--max-lifetime is 0s; allowed: tick (1s) to 10 years, or off"},
    {{"replay", "a", "--tick", "0"}, "--tick is 0s; allowed: 1ms to 1 day"},
    {{"replay", "a", "--tick", "25h"}, "--tick is 1d1h; allowed: 1ms to 1 day"},
    {{"replay", "a", "--per-key-max", "0"},
     "--per-key-max is 0; allowed: 1 to 1000000"},
    {{"replay", "a", "--per-key-max", "8.5"}, "--per-key-max is \"8.5\""},
    {{"replay", "a", "--total-max", "0"},
     "--total-max is 0; allowed: 1 or more, or unlimited"},
    {{"replay", "a", "--total-max", "99999999999999999999"},
     "--total-max is \"99999999999999999999\"; allowed: 1 or more"},
    {{"replay", "a", "--when-full", "wait"},
     "--when-full is \"wait\"; allowed: evict, reject"},
    {{"replay", "a", "--order", "up"},
     "--order is \"up\"; allowed: sort, clamp"},
    {{"replay", "a", "--format", "xml"}, "allowed: auto, clf, csv"},
    {{"replay", "a", "--params", "ip"}, "allowed: auto, none, agent"},
    {{"replay", "a", "--params", "agent", "--format", "csv"},
     "--params agent needs the combined log format"},
    {{"replay", "a", "--threads", "0"},
     "--threads is \"0\"; allowed: 1 to 1024"},
    {{"replay", "a", "--threads", "1025"}, "allowed: 1 to 1024"},
    {{"replay", "a", "--json", "none/x.json"},
     "--json none/x.json: No such file or directory"},
    {{"replay", "a", "--json", "."}, "--json .: is a directory"},
    {{"replay", "small.csv", "--json", "small.csv"}, "is the log itself"},
    {{"replay", "small.csv", "--records", "./small.csv"}, "is the log itself"},
    {{"replay", "small.csv", "--json", "a.db", "--records", "./a.db"},
     "is the database of --records"},
  };
  for (const auto& [args, sentence] : rows)
    BOOST_TEST_CONTEXT("for: " << sentence)
  check_refused(run(args), 2, sentence);
  BOOST_TEST(read("small.csv") == small_log);
}

BOOST_AUTO_TEST_CASE(values_at_the_edges_are_accepted) {
  for (std::vector<string> args : std::vector<std::vector<string>>{
         {"--tick", "1d", "--idle-timeout", "1d"},
         {"--tick", "1ms"},
         {"--idle-timeout", "1s", "--max-lifetime", "3650d"},
         {"--idle-timeout", "off", "--max-lifetime", "off"},
         {"--per-key-max", "1000000", "--total-max", "unlimited"},
         {"--per-key-max", "1", "--total-max", "1"},
         {"--hold", "3650d"},
         {"--hold", "0"},
         {"--threads", "1"}}) {
    args.insert(args.end(), {"small.csv", "--records", "none"});
    auto x = replay(args);
    BOOST_TEST(x.status == 0, x.err);
  }
}

BOOST_AUTO_TEST_CASE(unusable_input_is_refused_in_one_line) {
  write("empty.log", "");
  write("mostly.csv", "time,key\n1,a\nx,b\ny,c\n");
  write("cut.gz", "\x1f\x8b\x08");
  check_refused(replay({"none.log"}), 2, "none.log: No such file or directory");
  check_refused(replay({"."}), 2, ".: is a directory");
  check_refused(replay({"empty.log"}), 2, "empty.log: there is no request");
  check_refused(replay({"-"}), 2, "standard input: there is no request");
  check_refused(replay({"cut.gz"}), 2, "cut.gz: gzip data ends too early");
  check_refused(replay({"mostly.csv"}), 2,
                "mostly.csv: 2 of 3 lines cannot be parsed as csv; line 3: the "
                "time is neither");
  check_refused(replay({"small.csv", "--format", "clf"}), 2,
                "lines cannot be parsed as clf");
  BOOST_TEST(!fs::exists(path("steward.db")));
}

// -- output -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(table_goes_to_standard_output) {
  auto x = replay_small({"small.csv"});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(x.err == "");
  for (auto text :
       {"small.csv: 5 requests for 2 keys in 11s\n",
        "  rejected                     1    20.0 %   got none\n",
        "  idle                         3    75.0 %   not used for 5s\n",
        "Open at most                   3             at one instant\n",
        "1 request was turned away (20.0 %)"})
    BOOST_TEST(x.out.find(text) != string::npos, x.out);
}

BOOST_AUTO_TEST_CASE(json_goes_to_a_file_in_one_step) {
  write("x.json", "old");
  auto x = replay_small({"small.csv", "--json", "x.json"});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(x.out.find("5 requests") != string::npos);
  auto result = json::parse(read("x.json"));
  check_small_figures(result);
  BOOST_TEST(result.at("options").at("idle_timeout_ms") == 5000);
  BOOST_TEST(result.at("options").at("hold_ms") == 2500);
  BOOST_TEST(result.at("options").at("max_lifetime_ms").is_null());
  BOOST_TEST(result.at("options").at("total_max").is_null());
  BOOST_TEST(result.at("options").at("order") == "sort");
  // Nothing else is left in the folder.
  for (const auto& entry : fs::directory_iterator{folder()})
    BOOST_TEST((entry.path().filename() == "x.json"
                || entry.path().filename() == "small.csv"),
               entry.path());
  // A link stays a link.
  fs::create_symlink("x.json", path("link.json"));
  write("x.json", "old");
  BOOST_TEST(replay_small({"small.csv", "--json", "link.json"}).status == 0);
  BOOST_TEST(fs::is_symlink(path("link.json")));
  check_small_figures(json::parse(read("x.json")));
}

BOOST_AUTO_TEST_CASE(json_has_standard_output_for_itself) {
  auto x = replay_small({"small.csv", "--json", "-"});
  BOOST_TEST(x.status == 0);
  check_small_figures(json::parse(x.out));
  BOOST_TEST(x.err.find("5 requests") != string::npos);
  x = replay_small({"small.csv", "--json", "-", "--quiet"});
  check_small_figures(json::parse(x.out));
  BOOST_TEST(x.err == "");
}

BOOST_AUTO_TEST_CASE(quiet_prints_nothing) {
  auto x = replay_small({"small.csv", "--quiet"});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(x.out + x.err == "");
}

BOOST_AUTO_TEST_CASE(bad_lines_are_shown_with_their_numbers) {
  write("dirty.csv", small_log + "x,c\n112,\n");
  auto x = replay({"dirty.csv", "--records", "none", "--json", "x.json"});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(x.out.find("2 lines of 7 cannot be parsed:\n  line 7: the time")
             != string::npos);
  BOOST_TEST(x.out.find("  line 8: the key is empty\n    112,\n")
             != string::npos);
  auto result = json::parse(read("x.json"));
  BOOST_TEST(result.at("bad") == 2);
  BOOST_TEST(result.at("bad_lines").at(1).at("line") == 8);
  BOOST_TEST(result.at("bad_lines").at(1).at("text") == "112,");
}

BOOST_AUTO_TEST_CASE(output_that_cannot_be_written_is_an_error) {
  for (auto where : {stdout_as::closed, stdout_as::full, stdout_as::hung_up}) {
    std::vector<string> args{"replay", "small.csv", "--records", "none"};
    check_refused(run(args, {}, where), 1, "standard output: ");
    args.insert(args.end(), {"--json", "-"});
    check_refused(run(args, {}, where), 1, "standard output: ");
    // Nothing is to be written there: no error.
    args.back() = "x.json";
    args.push_back("--quiet");
    BOOST_TEST(run(args, {}, where).status == 0);
    check_refused(run({"--help"}, {}, where), 1, "standard output: ");
  }
  check_refused(replay({"small.csv", "--records", "none", "--quiet", "--json",
                        "/dev/full"}),
                1, "/dev/full: No space left on device");
}

// -- input --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(standard_input_is_clamped_and_a_file_is_sorted) {
  auto log = "time,key\n5,a\n3,b\n"s;
  write("late.csv", log);
  std::vector<string> args{"-", "--json", "-", "-q", "--records", "none"};
  auto result = json::parse(replay(args, log).out);
  BOOST_TEST(result.at("late") == 1);
  BOOST_TEST(result.at("options").at("order") == "clamp");
  BOOST_TEST(result.at("virtual_seconds") == 0.0);
  args[0] = "late.csv";
  result = json::parse(replay(args).out);
  BOOST_TEST(result.at("options").at("order") == "sort");
  BOOST_TEST(result.at("virtual_seconds") == 2.0);
}

BOOST_AUTO_TEST_CASE(packed_logs_are_read_from_files_and_from_pipes) {
  write("small.gz", small_log_packed);
  check_small_figures(
    json::parse(replay_small({"small.gz", "--json", "-", "-q"}).out));
  auto args = small_limits;
  args.insert(args.begin(), {"replay", "-", "--json", "-", "-q"});
  check_small_figures(json::parse(run(args, small_log_packed).out));
}

BOOST_AUTO_TEST_CASE(the_outcome_is_the_same_with_any_number_of_threads) {
  write("many.csv", many_requests(5000));
  json first;
  for (auto threads : {"1", "2", "4"}) {
    auto x
      = replay({"many.csv", "--records", "none", "--json", "-", "-q",
                "--total-max", "300", "--hold", "3s", "--threads", threads});
    BOOST_REQUIRE(x.status == 0);
    auto result = json::parse(x.out);
    for (auto name :
         {"wall_seconds", "read_seconds", "requests_per_second", "owner"})
      result.erase(name);
    if (first.is_null())
      first = result;
    BOOST_TEST(result == first);
  }
}

// -- signals ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_signal_ends_the_reading_of_standard_input) {
  for (auto [signal, status] : {std::array{SIGINT, 130}, {SIGTERM, 143}}) {
    running_command command{folder(), {"replay", "-"}};
    // More than a pipe holds: what is gone was read by a program that is up.
    command.feed(many_requests(30'000));
    command.send(signal);
    auto x = command.wait();
    check_refused(x, status, "stopped while reading standard input");
  }
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_the_program_at_once) {
  running_command command{folder(), {"replay", "-"}};
  command.feed(many_requests(30'000));
  // Both are delivered before the program can do anything else.
  for (auto signal : {SIGSTOP, SIGINT, SIGTERM, SIGCONT})
    command.send(signal);
  auto x = command.wait();
  BOOST_TEST((x.status == 130 || x.status == 143));
  BOOST_TEST(x.out + x.err == "");
}

BOOST_AUTO_TEST_CASE(progress_is_shown_on_a_terminal_and_ctrl_c_still_reports) {
  write("many.csv", many_requests(1'000'000));
  terminal_command command{
    folder(), 72, {"replay", "many.csv", "--records", "none"}};
  // The bar of the replay, with a rate and the time that is left.
  BOOST_REQUIRE(command.wait_for("replaying"));
  BOOST_REQUIRE(command.wait_for("/s  "));
  BOOST_TEST(command.wait_for(" left"));
  command.type('\x03');
  auto x = command.wait();
  BOOST_TEST(x.status == 130);
  BOOST_TEST(x.out.find("Stopped early: 1,000,000 requests were read")
             != string::npos);
  BOOST_TEST(x.out.find("\r\x1b[Kmany.csv: ") != string::npos);
  auto longest = longest_drawn(x.out);
  BOOST_TEST(longest > 20u);
  BOOST_TEST(longest < 72u);
}

BOOST_AUTO_TEST_SUITE_END()
