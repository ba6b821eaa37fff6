#include <steward/apps/manual.hpp>

#include <steward/apps/text.hpp>

#include <algorithm>

namespace steward {
namespace {

std::string heading(std::string text) {
  for (auto& c : text)
    if (c >= 'a' && c <= 'z')
      c = static_cast<char>(c - 'a' + 'A');
  return text + '\n';
}

} // namespace

std::string option_entry(const CLI::Option& option) {
  auto name = option.get_positional() ? option.get_name(true, false)
                                      : option.get_name(false, true);
  if (auto comma = name.find(','); comma != std::string::npos)
    name.insert(comma + 1, 1, ' ');
  auto result = "  " + name;
  if (!option.get_positional() && !option.get_option_text().empty())
    result += ' ' + option.get_option_text();
  return result + '\n' + wrapped(option.get_description(), 6) + '\n';
}

std::string manual_formatter::make_help(const CLI::App* app, std::string,
                                        CLI::AppFormatMode) const {
  auto result = app->get_description() + '\n';
  auto groups = app->get_groups();
  // CLI11 has them in the order of their first option, which is `--help`.
  std::stable_partition(groups.begin(), groups.end(),
                        [](const auto& group) { return group != "Other"; });
  for (const auto& group : groups) {
    auto options = app->get_options([&](const CLI::Option* option) {
      return option->get_group() == group && !group.empty();
    });
    if (options.empty())
      continue;
    result += heading(group);
    for (const auto* option : options)
      result += option_entry(*option);
  }
  return result + app->get_footer();
}

const char* const steward_manual = R"(NAME
  steward - try limits for keyed resources on real logs, and measure them

SYNOPSIS
  steward replay [OPTION]... LOG
  steward bench [OPTION]... [WORKLOAD]...
  steward records list|show|verify|purge|export [OPTION]...
  steward COMMAND --help
  steward --help | --version

DESCRIPTION
  steward is the command of a library that looks after resources which a
  program shares by key: a tenant's connections, a user's sessions, a server's
  subprocesses. The library opens them, lends them, caps them, and closes idle
  ones. This command shows what that would do to your users.

COMMANDS
  replay
      Run a pool with given limits on the requests of a log, in virtual time,
      and say how many resources were opened, reused, rejected and closed, and
      why. See `steward replay --help`.

  bench
      Measure how quickly resources are borrowed and given back, alone or
      against others. See `steward bench --help`.

  records
      Show, check, clean and export the records that a program keeps of its
      resources. See `steward records --help`.
)";

const char* const steward_manual_end = R"(EXIT STATUS
  0  done
  1  failed on the way: records or output could not be written
  2  the command line or the input cannot be used; one line on standard error
     says what and where
  130, 143  ended by Ctrl-C (SIGINT) or SIGTERM

EXAMPLES
  steward replay access.log
  steward replay --idle-timeout 1h --per-key-max 4 access.log.gz
)";

const char* const replay_manual = R"(NAME
  steward replay - what limits would have done to the users in a log

SYNOPSIS
  steward replay [OPTION]... LOG

DESCRIPTION
  Drives a real pool (its supervisors, its clock, its records) with the requests
  of LOG, in virtual time, as fast as this machine can. Each request borrows a
  resource of its key, holds it for --hold, and gives it back; if none is free,
  one is opened, as far as the limits allow. Prints what came of that as a table
  and, with --json, as JSON.

  LOG is a path, or - for standard input. Data packed by gzip is read as it is.

  Formats
    clf  The common or combined log format of web servers. The key is the
         client's address; the params are the user agent with --params agent.
    csv  A header with the columns time, key and, if you like, params, in any
         order; other columns are ignored. Times are seconds since 1970,
         fractions allowed, or RFC 3339 (2015-05-17T10:05:03.25+02:00). Quotes
         are those of RFC 4180.
    A key has 1 to 256 bytes. Lines that cannot be parsed are counted, and the
    first five are shown; if more than half are, the input is refused.

  Meaning
    The clock starts at the time of the first request and ticks every --tick. At
    one instant, resources are given back first, then the clock ticks, then
    requests come, in the order of the input. A request gets a free resource of
    its key with equal params, the most recently used one; else one is opened.
    A key at --per-key-max gives up its own least recently used idle resource
    for that, a pool at --total-max that of any key; the request is rejected if
    none is idle, or with --when-full reject. Idle counts from the last return.
    At the end everything is given back and closed ("drained"). The same log
    with the same options has the same outcome, whatever the machine.

  Durations
    A number and a unit (ns us ms s min m h d), or several of them: 90s, 5min,
    1.5h, 1h30min.

  Ctrl-C ends the replay, closes what is open, and reports what was replayed so
  far. A second Ctrl-C ends at once.
)";

const char* const replay_manual_end = R"(JSON
  One object. requests = opened + reused + rejected. opened = the sum of closed,
  by reason: idle, lifetime, evicted, drained, and others that are not 0. Also
  lines, bad, bad_lines, late, keys, peak_open, records_written, conflicts,
  virtual_seconds, read_seconds, wall_seconds and requests_per_second (of the
  replay, from its start to the last durable record), stopped, options, and
  owner, which names this run in the records.

EXIT STATUS
  0    done
  1    records cannot be kept, or output cannot be written
  2    the command line or LOG cannot be used; one line on standard error says
       what and where
  130  ended by Ctrl-C (SIGINT), after the report if the replay had begun
  143  the same by SIGTERM

EXAMPLES
  What would a timeout of one hour do?
      steward replay --idle-timeout 1h access.log

  At most two per client and browser, and no records:
      steward replay --params agent --per-key-max 2 --records none access.log.gz

  From a pipe, to a program:
      zcat logs/*.gz | steward replay --json - --quiet - | jq .peak_open

  The resources that were opened, and why they were closed:
      steward replay --records run.db access.log && sqlite3 run.db
)";

} // namespace steward
