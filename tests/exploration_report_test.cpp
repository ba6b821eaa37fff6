// What a person gets of a failure: the report, the command that repeats it, the
// file of regressions.
#include "report_fixture.hpp"

#include <algorithm>
#include <stdexcept>

using namespace sim_test;

// -- the report ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_report_says_what_is_violated_when_and_how_to_repeat_it) {
  auto report = report_of_exploring(usual(), box_office_with_a_race);
  auto lines = lines_of(report);
  BOOST_REQUIRE(lines.size() > 4u);
  BOOST_TEST(lines[0] == "no ticket is sold twice: it does not hold");
  auto seed = word_after(report, ", seed ");
  auto step = word_after(report, ", step ");
  BOOST_TEST(lines[1]
             == "  in box office, seed " + seed + ", policy random, step "
                  + step + ", virtual time +0s");
  auto list = lines[2].substr(lines[2].rfind(' ') + 1);
  BOOST_TEST(contains(lines[2], "  needs "), lines[2]);
  BOOST_TEST(lines[3].rfind("  to repeat: STEWARD_TESTKIT_ONLY='box office' "
                            "STEWARD_TESTKIT_SEED="
                              + seed + " STEWARD_TESTKIT_SCHEDULE=" + list
                              + " ",
                            0)
               == 0u,
             lines[3]);
  BOOST_TEST(contains(lines[3], "exploration_report_test"), lines[3]);
}

BOOST_AUTO_TEST_CASE(a_report_tells_the_shrunk_schedule_as_messages) {
  auto report = report_of_exploring(usual(), box_office_with_a_race);
  auto told = lines_of(part_of(report, "what happened, "));
  BOOST_REQUIRE(told.size() > 4u);
  // The last is the step at which it was violated.
  BOOST_TEST(contains(told.back(),
                      "    " + word_after(report, ", step ") + "  +0s  "),
             told.back());
  BOOST_TEST(contains(told.back(), " -> stock: take_one"), told.back());
  auto all = part_of(report, "what happened, ");
  auto first = all.find("second -> stock: left_over");
  auto then = all.find("-> stock: take_one");
  BOOST_TEST(first < then); // both asked before one of them took
}

BOOST_AUTO_TEST_CASE(a_report_has_the_last_messages_of_each_actor) {
  auto report = report_of_exploring(usual(), box_office_with_a_race);
  auto per_actor = lines_of(part_of(report, "the last messages of each actor"));
  auto of = [&](const std::string& name) {
    auto i = std::find_if(per_actor.begin(), per_actor.end(), [&](auto& x) {
      return x.rfind("    " + name + ": ", 0) == 0;
    });
    return i == per_actor.end() ? std::string{} : *i;
  };
  BOOST_TEST(contains(of("stock"), "left_over ("), of("stock"));
  BOOST_TEST(contains(of("stock"),
                      "take_one (" + word_after(report, ", step ")),
             of("stock"));
  BOOST_TEST(contains(of("second"), "sell ("));
  BOOST_TEST(per_actor.size() == 7u); // stock, two sellers, four relays
}

// Very many deviations are needed, so that the search takes its time.
BOOST_AUTO_TEST_CASE(a_search_that_takes_too_long_is_ended_and_says_so) {
  explore_options o{.name = "long", .policies = {fair_random{}}};
  o.shrink_time_max = 1s;
  auto before = std::chrono::steady_clock::now();
  auto report = report_of_exploring(o, [](world& w) {
    std::this_thread::sleep_for(10ms); // it does so on any machine
    auto p = w.sim().spawn(echo, 1);
    auto q = w.sim().spawn(echo, 1);
    for (int i = 0; i < 1'000; ++i)
      for (const auto& to : {p, q})
        cafx::send_anon(to, ping{i});
    w.eventually("few deviations", [&w] {
      const auto& all = w.sim().order().taken();
      return std::count_if(all.begin(), all.end(),
                           [](const decision& x) { return x.taken != 0; })
             < 200;
    });
  });
  BOOST_TEST((std::chrono::steady_clock::now() - before < 20s));
  BOOST_TEST(report.starts_with("few deviations: "), report);
  BOOST_TEST(contains(report,
                      "; perhaps less, the search was ended after 1s\n"),
             report);
}

BOOST_AUTO_TEST_CASE(nothing_in_a_report_can_forge_a_line_or_fill_a_screen) {
  std::string huge(1'000'000, 'x');
  auto report = report_of_exploring({.seeds = 1}, [&](world& w) {
    auto& s = w.sim();
    s.describe<ping>([&](const ping&) { return "\x1b[2J\n" + huge; });
    auto a = s.spawn(echo, 1);
    s.call(a, "echo\n  seed 9\x07");
    cafx::send_anon(a, ping{});
    w.violated("mine\x1b", "first line\nsecond \x1b" + huge
                             + std::string(1000, '\n') + "last");
  });
  BOOST_TEST(report.find_first_of("\x1b\x07") == std::string::npos);
  BOOST_TEST(report.starts_with("mine\\x1b: first line\nsecond \\x1bxxx"));
  BOOST_TEST(contains(report, "xxx... (1000008 bytes)\n"));
  BOOST_TEST(contains(report, "\n    [902 more]\n  in "));
  BOOST_TEST(report.size() < 10'000u);
  auto story = report_of_exploring({.seeds = 1}, [&](world& w) {
    auto& s = w.sim();
    s.describe<ping>([&](const ping&) { return "\x1b[2J\n" + huge; });
    auto a = s.spawn(echo, 1);
    s.call(a, "echo\n  seed 9\x07");
    cafx::send_anon(a, ping{});
    w.eventually("mine", [] { return false; });
  });
  BOOST_TEST(story.find_first_of("\x1b\x07") == std::string::npos);
  BOOST_TEST(contains(story, "  +0s  echo\\n  seed 9\\x07: \\x1b[2J\\nxxx"),
             story);
  BOOST_TEST(story.size() < 10'000u);
}

BOOST_AUTO_TEST_CASE(a_failure_in_plain_order_says_so) {
  auto report = report_of_exploring({}, [](world& w) {
    w.sim().spawn(echo, 1);
    w.eventually("a rule", [] { return std::string{"because"}; });
  });
  BOOST_TEST(lines_of(report)[0] == "a rule: because");
  BOOST_TEST(contains(report, "\n  fails in plain order, too\n"));
  BOOST_TEST(contains(report, " STEWARD_TESTKIT_SCHEDULE= "));
}

BOOST_AUTO_TEST_CASE(a_report_tells_the_virtual_time) {
  auto report = report_of_exploring({}, [](world& w) {
    caf::delayed_anon_send(w.sim().spawn(echo, 1), 90min, ping{});
    w.always("a rule",
             [&w] { return w.sim().now() < sim_options{}.start + 1h; });
  });
  BOOST_TEST(contains(report, ", virtual time +1h30min"), report);
}

// -- repeating ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_failure_is_repeated_by_what_the_report_says) {
  auto report = report_of_exploring(usual(), box_office_with_a_race);
  auto seed = word_after(report, "STEWARD_TESTKIT_SEED=");
  auto list = lines_of(report)[2].substr(lines_of(report)[2].rfind(' ') + 1);
  set_variable a{"STEWARD_TESTKIT_SEED", seed.c_str()};
  set_variable b{"STEWARD_TESTKIT_SCHEDULE", list.c_str()};
  auto again = report_of_exploring(usual(), box_office_with_a_race);
  BOOST_TEST(part_of(again, "what happened, ")
             == part_of(report, "what happened, "));
  set_variable c{"STEWARD_TESTKIT_ONLY", "another"};
  BOOST_TEST(report_of_exploring(usual(), box_office_with_a_race) == "");
  BOOST_TEST(explore(usual(), box_office_with_a_race).runs == 0u);
}

BOOST_AUTO_TEST_CASE(a_seed_alone_runs_with_its_own_policy) {
  std::vector<std::uint64_t> seen;
  auto note = [&](world& w) {
    w.sim().spawn(echo, 1);
    seen.push_back(w.seed());
  };
  set_variable a{"STEWARD_TESTKIT_SEED", "77"};
  auto c = explore({.exhaustive = 2}, note);
  BOOST_TEST((seen == std::vector<std::uint64_t>{77}));
  BOOST_TEST(c.runs == 1u);
}

BOOST_AUTO_TEST_CASE(an_empty_schedule_is_plain_order) {
  auto o = usual();
  o.count_failures = true;
  auto failed = explore(o, box_office_with_a_race).first_failure.value();
  auto seed = std::to_string(failed.seed);
  set_variable a{"STEWARD_TESTKIT_SEED", seed.c_str()};
  BOOST_TEST(report_of_exploring(usual(), box_office_with_a_race) != "");
  set_variable b{"STEWARD_TESTKIT_SCHEDULE", ""};
  BOOST_TEST(report_of_exploring(usual(), box_office_with_a_race) == "");
}

BOOST_AUTO_TEST_CASE(the_number_of_seeds_can_be_overridden) {
  auto one = [](world& w) { w.sim().spawn(echo, 1); };
  set_variable a{"STEWARD_TESTKIT_SEEDS", "7"};
  BOOST_TEST(explore({.seeds = 3}, one).runs == 7u);
  set_variable b{"STEWARD_TESTKIT_SEEDS", ""};
  BOOST_TEST(explore({.seeds = 3}, one).runs == 3u);
}

BOOST_AUTO_TEST_CASE(what_the_environment_has_wrong_is_refused_by_name) {
  auto with = [](const char* name, const char* value) {
    set_variable a{name, value};
    return report_of_exploring(usual(), [](world&) {});
  };
  for (const auto* bad : {"x", "-1", "1x", " 1", "99999999999999999999"}) {
    BOOST_TEST(with("STEWARD_TESTKIT_SEED", bad)
               == "bad environment: STEWARD_TESTKIT_SEED is \""
                    + std::string{bad} + "\"; allowed: a number");
    BOOST_TEST(contains(with("STEWARD_TESTKIT_SEEDS", bad),
                        "STEWARD_TESTKIT_SEEDS is \""));
  }
  BOOST_TEST(contains(with("STEWARD_TESTKIT_SCHEDULE", "1;2"),
                      "bad environment: STEWARD_TESTKIT_SCHEDULE: schedule is "
                      "\"1;2\"; allowed:"));
  BOOST_TEST(contains(with("STEWARD_TESTKIT_SCHEDULE", "1:2"),
                      "STEWARD_TESTKIT_SCHEDULE needs STEWARD_TESTKIT_SEED"));
}

// -- what cannot be repeated --------------------------------------------------

namespace {

// Does more with each run: nobody could repeat that.
struct grows_with_each_run {
  int* runs;

  void operator()(world& w) const {
    auto a = w.sim().spawn(echo, 1);
    w.sim().call(a, "parrot");
    w.sim().settle();
    for (int i = 0; i <= *runs; ++i)
      cafx::send_anon(a, ping{i});
    ++*runs;
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(a_scenario_that_cannot_be_repeated_is_found) {
  int runs = 0;
  auto text = report_of_exploring({.name = "moody"},
                                  grows_with_each_run{&runs});
  // Third and fourth run: the one that was watched, and the one after it.
  BOOST_TEST(
    text
      == "not repeatable: seed 1 of moody did two different things; at "
         "first\n    the end\n  and then\n    5  +0s  parrot: ping\n",
    text);
}

BOOST_AUTO_TEST_CASE(it_is_looked_for_as_often_as_told) {
  auto twice = [](std::uint64_t recheck) {
    int runs = 0;
    auto c = explore({.seeds = 10, .recheck = recheck}, [&](world& w) {
      w.sim().spawn(echo, 1);
      ++runs;
    });
    BOOST_TEST(c.runs == 10u);
    return runs - 10;
  };
  BOOST_TEST(twice(0) == 0);
  BOOST_TEST(twice(1) == 10);
  BOOST_TEST(twice(4) == 3); // the first, the fifth, the ninth
  BOOST_TEST(twice(100) == 1);
}

BOOST_AUTO_TEST_CASE(a_failure_that_happens_only_once_is_not_taken_for_a_race) {
  int runs = 0;
  auto text = report_of_exploring({.recheck = 0}, [&](world& w) {
    w.sim().spawn(echo, 1);
    if (++runs == 3)
      w.eventually("a rule", [] { return std::string{"because"}; });
  });
  BOOST_TEST(contains(text, "not repeatable: \"a rule\""), text);
  BOOST_TEST(contains(text, "because, but only once"), text);
}

BOOST_AUTO_TEST_CASE(no_run_that_held_is_told_as_one_that_failed) {
  for (int good = 1; good < 7; ++good) {
    int runs = 0;
    auto text = report_of_exploring({.recheck = 0}, [&](world& w) {
      w.sim().spawn(echo, 1);
      auto holds = ++runs % 8 <= good;
      w.eventually("a rule",
                   [=] { return std::string{holds ? "" : "because"}; });
    });
    BOOST_TEST((contains(text, "not repeatable: \"a rule\"")
                || contains(text, "a rule: because")),
               good << ": " << text);
  }
}

BOOST_AUTO_TEST_CASE(a_moody_verdict_on_equal_steps_is_found) {
  bool good = false;
  auto text = report_of_exploring({.seeds = 1}, [&](world& w) {
    w.sim().spawn(echo, 1);
    good = !good;
    w.eventually("a rule", [ok = good] { return ok; });
  });
  BOOST_TEST(contains(text, "not repeatable"), text);
  BOOST_TEST(contains(text, "the same steps, but at first \"\" was violated, "
                            "then \"a rule\""),
             text);
}

// -- regressions --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_failing_seed_is_kept_and_runs_first) {
  folder f;
  auto o = usual();
  o.regressions = f.path() / "new" / "folder";
  auto report = report_of_exploring(o, box_office_with_a_race);
  auto file = o.regressions / "box office.txt";
  BOOST_TEST(contains(report, "\n  kept in " + file.string()));
  auto kept = text_of(file);
  auto list = lines_of(report)[2].substr(lines_of(report)[2].rfind(' ') + 1);
  BOOST_TEST(kept
             == word_after(report, ", seed ") + " " + list
                  + " # no ticket is sold twice\n");

  // No seed is run any more, and it is found again, and not kept twice.
  o.seeds = 0;
  auto again = report_of_exploring(o, box_office_with_a_race);
  BOOST_TEST(contains(again, "no ticket is sold twice"));
  BOOST_TEST(!contains(again, "kept in"));
  BOOST_TEST(text_of(file) == kept);

  // It comes before the seeds, and stays when it is mended.
  std::vector<std::uint64_t> seen;
  o.seeds = 2;
  o.first_seed = 1000;
  o.recheck = 0;
  explore(o, [&](world& w) {
    w.sim().spawn(echo, 1);
    seen.push_back(w.seed());
  });
  BOOST_TEST(seen.size() == 3u);
  BOOST_TEST(std::to_string(seen[0]) == word_after(report, ", seed "));
  BOOST_TEST(text_of(file) == kept);
}

BOOST_AUTO_TEST_CASE(a_line_that_an_editor_left_open_is_ended) {
  folder f;
  auto o = usual();
  o.regressions = f.path();
  write(f.path() / "box office.txt", "1000 own # mended");
  auto report = report_of_exploring(o, box_office_with_a_race);
  auto kept = lines_of(text_of(f.path() / "box office.txt"));
  BOOST_REQUIRE(kept.size() == 2u);
  BOOST_TEST(kept[0] == "1000 own # mended");
  BOOST_TEST(contains(kept[1], word_after(report, ", seed ") + " "));
}

BOOST_AUTO_TEST_CASE(campaigns_of_two_names_have_two_files) {
  folder f;
  auto o = usual();
  o.regressions = f.path();
  for (const auto* name : {"a/b", "a_b", "a%2fb", "a%b"}) {
    o.name = name;
    report_of_exploring(o, box_office_with_a_race);
  }
  auto files = fs::directory_iterator{f.path()};
  BOOST_TEST(std::distance(begin(files), end(files)) == 4);
}

BOOST_AUTO_TEST_CASE(a_campaign_of_any_name_has_a_file) {
  folder f;
  auto o = usual();
  o.name = "suite/box office";
  o.regressions = o.charts = f.path();
  auto report = report_of_exploring(o, box_office_with_a_race);
  BOOST_TEST(fs::exists(f.path() / "suite%2fbox office.txt"));
  BOOST_TEST(fs::exists(
    f.path()
    / ("suite%2fbox office-" + word_after(report, ", seed ") + ".html")));
}

BOOST_AUTO_TEST_CASE(remarks_and_empty_lines_are_for_people) {
  folder f;
  write(f.path() / "x.txt",
        "# why\n\n  \n7 own\n8 0:1,3:t # this\n9 plain # that\r\n");
  std::vector<std::uint64_t> seen;
  explore({.name = "x", .seeds = 0, .regressions = f.path()}, [&](world& w) {
    w.sim().spawn(echo, 1);
    seen.push_back(w.seed());
  });
  BOOST_TEST((seen == std::vector<std::uint64_t>{7, 8, 9}));
}

BOOST_AUTO_TEST_CASE(a_seed_is_run_as_its_line_says) {
  auto crowd = [](world& w) {
    for (int i = 0; i < 9; ++i)
      cafx::send_anon(w.sim().spawn(echo, i), ping{i});
  };
  auto o = usual();
  o.recheck = 0;
  auto hash_of_line = [&](const std::string& line) {
    folder f;
    write(f.path() / "box office.txt", line);
    o.seeds = 0;
    o.regressions = f.path();
    return explore(o, crowd).hash;
  };
  auto own = hash_of_line("9 own");
  auto plain = hash_of_line("9 plain");
  BOOST_TEST(own != plain);
  BOOST_TEST(plain != hash_of_line("9 0:1"));
  o = usual();
  o.seeds = 1;
  o.first_seed = 9;
  o.recheck = 0;
  BOOST_TEST(own == explore(o, crowd).hash);
  o.policies = {fifo{}};
  BOOST_TEST(plain == explore(o, crowd).hash);
}

BOOST_AUTO_TEST_CASE(a_bad_line_is_refused_with_file_and_line) {
  folder f;
  auto file = f.path() / "x.txt";
  for (const auto* bad : {"x", "-7", "7", "7x", "7 1", "7 own plain",
                          "7 1:2 more", "7 1:2,", "7: 1:2"}) {
    write(file, "# first\n7 1:1\n" + std::string{bad} + "\n");
    auto text = report_of_exploring(
      {.name = "x", .seeds = 0, .regressions = f.path()}, [](world&) {});
    BOOST_TEST(text.rfind("bad regression: " + file.string() + ":3: ", 0) == 0u,
               text);
    BOOST_TEST(contains(text, "allowed: "), text);
  }
}

BOOST_AUTO_TEST_CASE(a_seed_that_cannot_be_kept_is_told) {
  folder f;
  auto o = usual();
  o.regressions = "/proc/steward"; // nobody can make that
  o.charts = f.path() / "charts";
  // Folders where the files should be.
  for (std::uint64_t seed = 1; seed <= o.seeds; ++seed)
    std::filesystem::create_directories(
      o.charts / ("box office-" + std::to_string(seed) + ".html"));
  auto report = report_of_exploring(o, box_office_with_a_race);
  BOOST_TEST(contains(report, "\n  cannot be kept: "), report);
  BOOST_TEST(contains(report, ".html cannot be written\n"), report);
}

BOOST_AUTO_TEST_CASE(seeds_that_cannot_be_read_are_not_taken_for_none) {
  folder f;
  auto o = usual();
  o.regressions = f.path();
  auto file = f.path() / "box office.txt";
  std::filesystem::create_directories(file);
  BOOST_TEST(report_of_exploring(o, [](world&) {})
             == "no regressions: " + file.string() + " cannot be read");
}

BOOST_AUTO_TEST_CASE(a_name_of_two_lines_is_kept_in_one) {
  folder f;
  auto o = usual();
  o.regressions = f.path();
  auto broken = [](world& w) { w.violated("two\nlines", "no"); };
  report_of_exploring(o, broken);
  BOOST_TEST(contains(report_of_exploring(o, broken), "two\\nlines"));
}

BOOST_AUTO_TEST_CASE(where_they_are_kept_must_be_a_folder) {
  folder f;
  auto file = f.path() / "file";
  write(file, "not a folder");
  explore_options seeds{.regressions = file};
  explore_options charts{.charts = file};
  BOOST_TEST(report_of_exploring(seeds, [](world&) {})
             == "bad option: regressions is \"" + file.string()
                  + "\", which is no folder");
  BOOST_TEST(report_of_exploring(charts, [](world&) {})
             == "bad option: charts is \"" + file.string()
                  + "\", which is no folder");
}
