#include <boost/test/unit_test.hpp>

#include <steward/tests/command_runner.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace steward::test;
using nlohmann::json;
using std::string;

namespace {

// Prints what a driver of rate R would, whatever it is asked.
string fake_driver(const string& name, const string& rate) {
  return R"(echo '{"driver":")" + name
         + R"(","workload":"W1","operations":1000,"rate":)" + rate
         + R"(,"p50_ns":100,"p99_ns":200,"max_ns":3000,"cpu_seconds":0.001}')";
}

const std::vector<string> tiny{"W1", "--operations", "100", "--keys", "10"};

struct fixture : scratch_folder {
  outcome bench(std::vector<string> args) {
    args.insert(args.begin(), "bench");
    return run(args);
  }

  outcome tiny_bench(std::vector<string> args) {
    args.insert(args.begin(), tiny.begin(), tiny.end());
    return bench(args);
  }

  // A driver that is a shell script; returns its command.
  string script(const string& name, const string& text) {
    write(name, text + '\n');
    return "sh " + path(name);
  }
};

void check_refused(const outcome& x, int status, const string& sentence) {
  BOOST_TEST(x.status == status);
  BOOST_TEST(x.out == "");
  BOOST_TEST(x.err.starts_with("steward: "), x.err);
  BOOST_TEST(x.err.find('\n') + 1 == x.err.size(), x.err);
  BOOST_TEST(x.err.find(sentence) != string::npos,
             x.err << " does not say: " << sentence);
}

bool has(const string& text, const string& words) {
  return text.find(words) != string::npos;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(bench_cli, fixture)

BOOST_AUTO_TEST_CASE(a_run_prints_a_table) {
  auto x = tiny_bench({});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(x.err == "");
  BOOST_TEST(has(x.out, "W1 from 2 threads, 10 keys"), x.out);
  BOOST_TEST(has(x.out, "rate/s"));
  BOOST_TEST(has(x.out, "  steward "));
}

BOOST_AUTO_TEST_CASE(a_workload_that_is_named_twice_is_refused) {
  auto x = bench({"W1", "W3", "W1"});
  BOOST_TEST(x.status == 2);
  BOOST_TEST(x.err
             == "steward: WORKLOAD W1 is named twice; --repeat runs it more "
                "often\n");
}

BOOST_AUTO_TEST_CASE(a_driver_has_help) {
  auto x = bench({"--driver", "--help"});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(x.out.starts_with("steward: one run of a workload"), x.out);
}

BOOST_AUTO_TEST_CASE(lists_and_both_origins_are_all_measured) {
  auto x = bench({"W1", "W3", "--operations", "100", "--keys", "10", "--from",
                  "both", "--clients", "1,2", "--json", "-", "-q"});
  BOOST_TEST(x.status == 0);
  auto runs = json::parse(x.out).at("runs");
  BOOST_TEST(runs.size() == 8u);
  BOOST_TEST(runs[0].at("workload") == "W1");
  BOOST_TEST(runs[3].at("from") == "actors");
  BOOST_TEST(runs[3].at("clients") == 2);
  BOOST_TEST(runs[7].at("workload") == "W3");
}

BOOST_AUTO_TEST_CASE(json_has_every_measurement_and_the_ratios_of_pairs) {
  auto other = script("other", fake_driver("fake", "2e3"));
  auto x = tiny_bench({"--against", other, "--json", "-"});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(has(x.err, "steward / fake: rate "), x.err);
  auto run = json::parse(x.out).at("runs").at(0);
  BOOST_TEST(run.at("drivers").size() == 2u);
  for (const auto& driver : run.at("drivers"))
    BOOST_TEST(driver.at("measurements").size() == 5u);
  auto ratio = run.at("ratios").at(0);
  BOOST_TEST(ratio.at("to") == "fake");
  BOOST_TEST(ratio.at("pairs").size() == 5u);
  auto rate
    = run.at("drivers")[0].at("measurements")[0].at("rate").get<double>();
  BOOST_TEST(ratio.at("pairs")[0].get<double>() == rate / 2e3,
             boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(drivers_take_turns) {
  auto log = path("log");
  auto one = script("one", "echo one >> " + log + "; " + fake_driver("1", "1"));
  auto two = script("two", "echo two >> " + log + "; " + fake_driver("2", "1"));
  auto x = tiny_bench({"--against", one, "--against", two, "--repeat", "3"});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(read("log") == "one\ntwo\none\ntwo\none\ntwo\n");
}

BOOST_AUTO_TEST_CASE(a_workload_may_follow_a_driver) {
  auto other = script("other", fake_driver("fake", "2e3"));
  auto x = bench({"--against", other, "W3", "--operations", "100", "--repeat",
                  "1", "--json", "-", "-q"});
  BOOST_TEST(x.status == 0);
  auto runs = json::parse(x.out).at("runs");
  BOOST_TEST(runs.size() == 1u);
  BOOST_TEST(runs[0].at("workload") == "W3");
  BOOST_TEST(runs[0].at("drivers").size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_driver_whose_name_is_taken_goes_by_its_command) {
  auto other = script("other", fake_driver("steward", "2e3"));
  auto x = tiny_bench({"--against", other + " bench --driver"});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(has(x.out, "steward / " + other + ": rate"), x.out);
}

BOOST_AUTO_TEST_CASE(a_driver_gets_the_words_of_the_protocol) {
  auto log = path("log");
  auto other = script("other",
                      "echo \"$@\" > " + log + "; " + fake_driver("fake", "1"));
  auto x = bench({"W2", "--keys", "9", "--total", "5", "--operations", "7",
                  "--against", other, "--repeat", "1"});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(read("log")
             == "W2 --clients 2 --from threads --keys 9 --seconds 2 --limit 4 "
                "--seed 1 --total 5 --operations 7\n");
}

BOOST_AUTO_TEST_CASE(a_ratio_certainly_below_the_limit_is_status_4) {
  auto quick = script("quick", fake_driver("quick", "1e15"));
  auto slow = script("slow", fake_driver("slow", "1e-3"));
  auto x = tiny_bench({"--against", quick, "--at-least", "0.9"});
  BOOST_TEST(x.status == 4);
  BOOST_TEST(has(x.err, "the ratio to quick is 0.00 at most, allowed is 0.90"),
             x.err);
  BOOST_TEST(tiny_bench({"--against", slow, "--at-least", "0.9"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_driver_that_cannot_do_a_workload_is_asked_once) {
  auto log = path("log");
  auto other = script("other", "echo asked >> " + log + "; exit 3");
  auto x = tiny_bench({"--against", other});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(has(x.out, "other"), x.out);
  BOOST_TEST(has(x.out, "cannot do this"), x.out);
  BOOST_TEST(read("log") == "asked\n");
}

BOOST_AUTO_TEST_CASE(a_driver_that_fails_ends_it_with_its_last_words) {
  auto other = script("other", "echo first >&2; echo 'no luck' >&2; exit 1");
  check_refused(tiny_bench({"--against", other}), 1, "no luck");
  auto killed = script("killed", "kill -9 $$");
  check_refused(tiny_bench({"--against", killed}), 1, "status 137");
  auto talker = script("talker", "echo hello");
  check_refused(tiny_bench({"--against", talker}), 1, "no measurement");
  check_refused(tiny_bench({"--against", "/nowhere/x"}), 1, "cannot be run");
}

BOOST_AUTO_TEST_CASE(the_page_has_plots_and_loads_nothing) {
  auto other = script("other", fake_driver("<b>&fake", "2e3"));
  auto x = tiny_bench({"--against", other, "--plot", "page.html", "-q"});
  BOOST_TEST(x.status == 0);
  BOOST_TEST(x.out == "");
  auto page = read("page.html");
  BOOST_TEST(has(page, "<svg"));
  BOOST_TEST(has(page, "W1 from 2 threads, 10 keys"));
  BOOST_TEST(has(page, "&lt;b&gt;&amp;fake"));
  BOOST_TEST(!has(page, "<b>&fake"));
  BOOST_TEST(!has(page, "http"));
  BOOST_TEST(!has(page, "src="));
  BOOST_TEST(!has(page, "nan"));
}

BOOST_AUTO_TEST_CASE(ctrl_c_ends_with_what_was_measured) {
  // Interrupts us as a terminal would, and then waits to be told, too.
  auto other = script("other", "kill -INT $PPID\nexec tail -f /dev/null");
  auto x = tiny_bench({"--against", other, "--json", "out.json"});
  BOOST_TEST(x.status == 130);
  BOOST_TEST(has(x.out, "Stopped early"), x.out);
  auto result = json::parse(read("out.json"));
  BOOST_TEST(result.at("stopped") == true);
  auto drivers = result.at("runs").at(0).at("drivers");
  BOOST_TEST(drivers[0].at("measurements").size() == 1u);
  BOOST_TEST(drivers[1].at("measurements").size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_command_line_that_makes_no_sense_is_one_clear_line) {
  struct row {
    std::vector<string> args;
    string sentence;
  };
  for (const auto& [args, sentence] : std::vector<row>{
         {{"W9"}, "WORKLOAD is \"W9\"; allowed: W1, W2, W3, W4, W5"},
         {{"--clients", "none"}, "--clients is \"none\"; allowed: 1 to 1024"},
         {{"--clients", "1,,2"}, "--clients is \"\""},
         {{"--clients"}, "--clients: its value is missing"},
         {{"--seconds", "1", "--seconds", "2"}, "may be given only once"},
         {{"--from", "mars"}, "allowed: threads, actors, both"},
         {{"--repeat", "0"}, "--repeat is \"0\"; allowed: 1 to 1000"},
         {{"--against", ""}, "--against is empty"},
         {{"--at-least", "1"}, "--at-least needs --against"},
         {{"--at-least", "1", "--against", "x", "--repeat", "4"},
          "a --repeat of at least 5"},
         {{"--json", "/nowhere/x"}, "--json /nowhere/x: No such file"},
         {{"--plot", "-"}, "--plot is \"-\""},
         {{"W1", "--driver"}, "--driver must be the first word"},
         {{"--bogus"}, "unknown option --bogus; see `steward bench --help`"},
       }) {
    BOOST_TEST_CONTEXT(sentence)
    check_refused(bench(args), 2, sentence);
  }
}

BOOST_AUTO_TEST_CASE(help_has_every_option_and_fits_80_columns) {
  auto x = bench({"--help"});
  BOOST_TEST(x.status == 0);
  for (const auto* word :
       {"--clients", "--from", "--keys", "--seconds", "--limit", "--total",
        "--seed", "--pace", "--operations", "--against", "--repeat",
        "--at-least", "--json", "--plot", "--quiet", "--driver", "EXIT STATUS"})
    BOOST_TEST(has(x.out, word), word);
  for (std::size_t at = 0; at < x.out.size();) {
    auto end = x.out.find('\n', at);
    BOOST_TEST(end - at <= 80u, x.out.substr(at, end - at));
    at = end + 1;
  }
}

BOOST_AUTO_TEST_SUITE_END()
