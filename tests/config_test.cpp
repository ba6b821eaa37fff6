// Where options come from: code, a CAF config file, the command line.
#include "pool_fixture.hpp"

#include <sstream>

using namespace pool_test;

namespace {

// A program's configuration, from a file's text and arguments.
struct configured {
  explicit configured(const std::string& file,
                      std::vector<std::string> args = {}) {
    std::istringstream in{file};
    args.insert(args.begin(), "program");
    std::vector<char*> argv;
    for (auto& x : args)
      argv.push_back(x.data());
    error = cfg.parse(static_cast<int>(argv.size()), argv.data(), in);
  }

  pool_options of(const std::string& name, pool_options code = {}) const {
    code.name = name;
    return overlaid(std::move(code), cfg);
  }

  std::string complaint(const std::string& name) const {
    try {
      of(name);
    } catch (const invalid_options& e) {
      return e.what();
    }
    return {};
  }

  steward::config cfg;
  caf::error error;
};

std::string what_make_says(world& in, pool_options o) {
  try {
    in.make(std::move(o), {std::make_shared<truth>()});
  } catch (const invalid_options& e) {
    return e.what();
  }
  return {};
}

} // namespace

BOOST_AUTO_TEST_CASE(without_configuration_the_code_decides) {
  configured x{""};
  BOOST_TEST(!x.error);
  auto o = x.of("a", {.name = {}, .per_key_max = 3, .idle_timeout = 7s});
  BOOST_TEST(o.per_key_max == 3u);
  BOOST_TEST((o.idle_timeout == 7s));
  BOOST_TEST((o.tick == 1s));
}

BOOST_AUTO_TEST_CASE(a_config_file_sets_every_option) {
  configured x{R"(
    steward {
      per-key-max = 3
      total-max = 50
      holders-max = 2
      idle-timeout = 90s
      max-lifetime = 10min
      tick = 500ms
      linger = 2s
      open-timeout = 5s
      when-full = "reject"
      recorded = true
    })"};
  BOOST_TEST_REQUIRE(!x.error, x.cfg.render(x.error));
  auto o = x.of("a");
  BOOST_TEST(o.per_key_max == 3u);
  BOOST_TEST(o.total_max == 50u);
  BOOST_TEST(o.holders_max == 2u);
  BOOST_TEST((o.idle_timeout == 90s));
  BOOST_TEST((o.max_lifetime == 10min));
  BOOST_TEST((o.tick == 500ms));
  BOOST_TEST((o.linger == 2s));
  BOOST_TEST((o.open_timeout == 5s));
  BOOST_TEST((o.when_full == full_policy::reject));
  BOOST_TEST(o.recorded);
}

BOOST_AUTO_TEST_CASE(the_configuration_wins_over_the_code) {
  configured x{"steward { per-key-max = 3 }"};
  auto o = x.of("a", {.name = {}, .per_key_max = 5, .total_max = 6});
  BOOST_TEST(o.per_key_max == 3u);
  BOOST_TEST(o.total_max == 6u);
}

BOOST_AUTO_TEST_CASE(the_command_line_wins_over_the_file) {
  configured x{"steward { per-key-max = 3, idle-timeout = 90s }",
               {"--steward.per-key-max=4", "--steward.when-full=reject",
                "--steward.tick=2s"}};
  BOOST_TEST_REQUIRE(!x.error, x.cfg.render(x.error));
  auto o = x.of("a");
  BOOST_TEST(o.per_key_max == 4u);
  BOOST_TEST((o.idle_timeout == 90s));
  BOOST_TEST((o.tick == 2s));
  BOOST_TEST((o.when_full == full_policy::reject));
}

BOOST_AUTO_TEST_CASE(a_pool_s_own_section_wins_over_that_of_all) {
  configured x{R"(
    steward {
      per-key-max = 3
      idle-timeout = 90s
      pools {
        sessions {
          idle-timeout = "1h30min"
          max-lifetime = "off"
          total-max = "unlimited"
        }
      }
    })"};
  BOOST_TEST_REQUIRE(!x.error, x.cfg.render(x.error));
  auto own = x.of("sessions", {.name = {}, .total_max = 9, .max_lifetime = 2h});
  BOOST_TEST(own.per_key_max == 3u);
  BOOST_TEST((own.idle_timeout == 90min));
  BOOST_TEST((own.max_lifetime == off));
  BOOST_TEST(own.total_max == unlimited);
  auto other = x.of("others");
  BOOST_TEST((other.idle_timeout == 90s));
}

BOOST_AUTO_TEST_CASE(each_wrong_value_has_a_line_that_names_it) {
  configured x{R"(
    steward {
      pools {
        a {
          per-key-max = "many"
          idle-timeout = "soon"
          tick = 5
          when-full = "panic"
          recorded = "perhaps"
          holders-max = -1
          colour = "red"
        }
      }
    })"};
  BOOST_TEST_REQUIRE(!x.error, x.cfg.render(x.error));
  auto text = x.complaint("a");
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 6);
  for (const auto* name : {"per-key-max", "idle-timeout", "tick", "when-full",
                           "recorded", "holders-max"})
    BOOST_TEST(text.find("steward.pools.a." + std::string{name} + " is ")
                 != std::string::npos,
               text);
  BOOST_TEST(text.find("steward.pools.a.colour is no option") != text.npos,
             text);
  BOOST_TEST(text.find("allowed: ") != text.npos);
  BOOST_TEST(x.complaint("b") == ""); // it is not about that one
}

BOOST_AUTO_TEST_CASE(an_option_that_does_not_exist_is_an_error) {
  configured x{"steward { per-kye-max = 3 }"};
  auto text = x.error ? x.cfg.render(x.error) : x.complaint("a");
  BOOST_TEST(text.find("per-kye-max") != text.npos, text);
}

BOOST_AUTO_TEST_CASE(a_command_line_with_a_wrong_value_is_an_error) {
  configured x{"", {"--steward.per-key-max=many"}};
  BOOST_TEST_REQUIRE(!x.error, x.cfg.render(x.error));
  auto text = x.complaint("a");
  BOOST_TEST(text.find("steward.per-key-max is ") == 0u, text);
}

BOOST_AUTO_TEST_CASE(limits_can_be_lifted_for_all_pools_too) {
  configured x{R"(steward { total-max = "unlimited", max-lifetime = "off" })",
               {"--steward.idle-timeout=off", "--steward.linger=1h30min",
                "--steward.holders-max=3", "--steward.recorded=true"}};
  BOOST_TEST_REQUIRE(!x.error, x.cfg.render(x.error));
  auto o = x.of("a", {.name = {}, .total_max = 9, .max_lifetime = 2h});
  BOOST_TEST(o.total_max == unlimited);
  BOOST_TEST((o.max_lifetime == off));
  BOOST_TEST((o.idle_timeout == off));
  BOOST_TEST((o.linger == 90min));
  BOOST_TEST(o.holders_max == 3u);
  BOOST_TEST(o.recorded);
}

BOOST_AUTO_TEST_CASE(what_should_be_a_section_and_is_none_is_an_error) {
  for (const auto* text : {"steward = 5", "steward { pools = 5 }",
                           "steward { pools { a = 3 } }"}) {
    configured x{text};
    BOOST_TEST_REQUIRE(!x.error, x.cfg.render(x.error));
    auto said = x.complaint("a");
    BOOST_TEST(said.find("; allowed: { options }") != said.npos, text);
  }
}

BOOST_AUTO_TEST_CASE(make_pool_takes_what_the_configuration_says) {
  configured x{R"(steward { pools { things { per-key-max = 1 } } })"};
  caf::actor_system sys{x.cfg};
  runtime rt{sys};
  auto book = std::make_shared<truth>();
  auto a = rt.make_pool<thing>({.name = "things"}, inline_opener{{book}});
  auto b = rt.make_pool<thing>({.name = "others"}, inline_opener{{book}});
  BOOST_TEST(a.options().per_key_max == 1u);
  BOOST_TEST(b.options().per_key_max == 8u);
  auto held = need(a.acquire("k"));
  BOOST_TEST(code(a.acquire("k")) == errc::key_full);
}

BOOST_AUTO_TEST_CASE(a_system_of_any_configuration_can_be_tuned) {
  caf::actor_system_config cfg;
  configure(cfg);
  caf::actor_system sys{cfg};
  runtime rt{sys};
  auto book = std::make_shared<truth>();
  auto a = rt.make_pool<thing>({.name = "a"}, inline_opener{{book}});
  BOOST_TEST(need(a.acquire("k"))->id == 1u);
}

BOOST_AUTO_TEST_CASE(make_pool_refuses_options_out_of_range) {
  world w;
  auto text = what_make_says(
    w,
    {.name = "a", .per_key_max = 0, .idle_timeout = 10ms, .open_timeout = -1s});
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 2);
  BOOST_TEST(text.find("per_key_max is 0") != text.npos, text);
  BOOST_TEST(text.find("idle_timeout is 10ms") != text.npos, text);
  BOOST_TEST(text.find("open_timeout is -1s") != text.npos, text);
  BOOST_TEST(
    what_make_says(w, {.name = "odd name"}).find("name is \"odd name\"") == 0u);
  BOOST_TEST(what_make_says(w, {.name = "a"}) == "");
}

BOOST_AUTO_TEST_CASE(a_value_out_of_range_in_the_file_is_refused_too) {
  configured x{"steward { per-key-max = 0 }"};
  caf::actor_system sys{x.cfg};
  runtime rt{sys};
  auto book = std::make_shared<truth>();
  BOOST_CHECK_THROW(rt.make_pool<thing>({.name = "a"}, inline_opener{{book}}),
                    invalid_options);
}

BOOST_AUTO_TEST_CASE(two_pools_have_two_names) {
  world w;
  BOOST_TEST(what_make_says(w, {.name = "a"}) == "");
  BOOST_TEST(what_make_says(w, {.name = "a"}).find("name is \"a\"") == 0u);
  BOOST_TEST(what_make_says(w, {.name = "b"}) == "");
}

BOOST_AUTO_TEST_CASE(records_need_a_store) {
  world w;
  BOOST_TEST(what_make_says(w, {.name = "a", .recorded = true}).find("recorded")
             == 0u);
}

BOOST_AUTO_TEST_CASE(a_drained_runtime_makes_no_pool) {
  world w;
  w.rt->drain(1s);
  BOOST_TEST(what_make_says(w, {.name = "a"}) != "");
}

BOOST_AUTO_TEST_CASE(workers_are_1_to_1024) {
  caf::actor_system_config cfg;
  configure(cfg);
  caf::actor_system sys{cfg};
  BOOST_CHECK_THROW(runtime(sys, {.workers = 0}), invalid_options);
  BOOST_CHECK_THROW(runtime(sys, {.workers = 1025}), invalid_options);
  BOOST_CHECK_THROW(runtime(sys, {.drain_timeout = -1ns}), invalid_options);
  BOOST_CHECK_THROW(runtime(sys, {.close_timeout = 25h}), invalid_options);
}
