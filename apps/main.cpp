#include <steward/apps/command_line.hpp>
#include <steward/apps/interrupt.hpp>
#include <steward/apps/output.hpp>
#include <steward/apps/records_command.hpp>
#include <steward/apps/replay_command.hpp>

#include <csignal>
#include <exception>
#include <new>

namespace {

constexpr int failed = 1;
constexpr int unusable = 2;

int run(int argc, const char* const* argv) {
  auto command = steward::parse_command_line(argc, argv);
  if (const auto* show = std::get_if<steward::show_text>(&command)) {
    steward::write_stdout(show->text);
    return 0;
  }
  if (const auto* records = std::get_if<steward::records_arguments>(&command))
    return steward::run_records(*records);
  steward::catch_interrupts();
  return steward::run_replay(std::get<steward::replay_arguments>(command));
}

int report(const char* what, int status) {
  steward::complain(what);
  return status;
}

} // namespace

int main(int argc, char** argv) {
  // Whoever reads our output may go away; that is an error of `write` to us.
  std::signal(SIGPIPE, SIG_IGN);
  steward::take_standard_descriptors();
  try {
    return run(argc, argv);
  } catch (const steward::usage_error& error) {
    return report(error.what(), unusable);
  } catch (const steward::unusable_input& error) {
    return report(error.what(), unusable);
  } catch (const steward::invalid_options& error) {
    return report(error.what(), unusable);
  } catch (const std::bad_alloc&) {
    return report("out of memory", failed);
  } catch (const std::exception& error) {
    return report(error.what(), failed);
  }
}
