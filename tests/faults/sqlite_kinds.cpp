#include <steward/tests/faults/arena.hpp>

#include <steward/actors/record_waiters.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

namespace faults {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A run on one file; `happen` is called until it is over.
class file_run {
public:
  explicit file_run(const setup& how, std::size_t processes = 0)
    : how_(how), folder_(fs::temp_directory_path() / unique_name()),
      area_(how, url(), processes > 0 ? processes : how.processes) {
    fs::create_directory(folder_);
  }

  file_run(const file_run&) = delete;
  file_run& operator=(const file_run&) = delete;

  ~file_run() {
    if (mounted_)
      ::umount2(folder_.c_str(), MNT_DETACH);
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  fs::path file() const {
    return folder_ / "records.db";
  }

  std::string url() const {
    return "sqlite:" + file().string();
  }

  void mount_tmpfs(const char* size) {
    if (::mount("tmpfs", folder_.c_str(), "tmpfs", 0, size) != 0)
      throw skipped{"needs the right to mount a tmpfs"};
    mounted_ = true;
  }

  /// Whether the file system takes writes. @pre mounted, and nobody writes.
  void set_writable(bool on) const {
    if (::mount(nullptr, folder_.c_str(), nullptr,
                on ? MS_REMOUNT : MS_REMOUNT | MS_RDONLY, nullptr)
        != 0)
      throw std::runtime_error{"cannot mount " + folder_.string() + " anew"};
  }

  /// Workers whose disk does what the byte in this file says.
  fs::path use_faulty_io() {
    auto control = folder_ / "control";
    std::ofstream{control} << '-';
    area_.environment = {{"LD_PRELOAD", how_.io_library},
                         {"STEWARD_FAULTY_IO", control.string()}};
    return control;
  }

  arena& area() {
    return area_;
  }

private:
  static std::string unique_name() {
    static int count = 0;
    return "faults-db-" + std::to_string(::getpid()) + "-"
           + std::to_string(++count);
  }

  setup how_;
  fs::path folder_;
  arena area_;
  bool mounted_ = false;
};

void put(const fs::path& file, char byte) {
  std::fstream{file, std::ios::in | std::ios::out} << byte;
}

outcome none(const setup& how) {
  file_run run{how};
  run.area().start();
  run.area().wait_for_end();
  return run.area().finish(run.url());
}

outcome kill_clients(const setup& how) {
  file_run run{how};
  auto& area = run.area();
  area.start();
  while (area.pause(300ms))
    area.replace_worker(area.random(area.workers()));
  return area.finish(run.url());
}

outcome stop_clients(const setup& how) {
  file_run run{how};
  auto& area = run.area();
  area.start();
  while (area.pause(200ms)) {
    auto i = area.random(area.workers());
    area.signal_worker(i, SIGSTOP);
    area.pause(400ms);
    area.signal_worker(i, SIGCONT);
  }
  return area.finish(run.url());
}

outcome external_lock(const setup& how) {
  file_run run{how};
  auto& area = run.area();
  area.start();
  while (area.pause(300ms)) {
    try {
      SQLite::Database db{run.file().string(), SQLite::OPEN_READWRITE};
      db.setBusyTimeout(500);
      db.exec("BEGIN IMMEDIATE");
      area.pause(std::chrono::milliseconds{100 + area.random(2500)});
    } catch (const SQLite::Exception&) {
      // Not made yet, or locked by those whom we disturb.
    }
  }
  return area.finish(run.url());
}

// The disk of the workers fails now and then, for so long.
outcome failing_disk(const setup& how, char mode,
                     std::chrono::milliseconds length) {
  file_run run{how};
  auto control = run.use_faulty_io();
  auto& area = run.area();
  area.start();
  while (area.pause(250ms)) {
    put(control, mode);
    area.pause(length);
    put(control, '-');
  }
  put(control, '-');
  return area.finish(run.url());
}

outcome full_tmpfs(const setup& how) {
  file_run run{how};
  run.mount_tmpfs("size=1m");
  run.area().start();
  run.area().wait_for_end();
  return run.area().finish(run.url());
}

// A file system that takes no writes when programs start, and the log of those
// that were killed is in it. With files open it cannot be made so.
outcome read_only_mount(const setup& how) {
  file_run run{how};
  run.mount_tmpfs("size=256m");
  auto& area = run.area();
  area.start();
  while (area.pause(800ms)) {
    area.kill_workers();
    run.set_writable(false);
    for (std::size_t i = 0; i < area.workers(); ++i)
      area.replace_worker(i);
    area.pause(200ms);
    run.set_writable(true);
  }
  return area.finish(run.url());
}

outcome moved_file(const setup& how) {
  file_run run{how};
  auto& area = run.area();
  area.start();
  auto away = run.file().string() + ".away";
  while (area.pause(400ms)) {
    std::error_code none_yet;
    fs::rename(run.file(), away, none_yet);
    area.pause(150ms);
    fs::rename(away, run.file(), none_yet);
  }
  return area.finish(run.url());
}

// Only what was synced is there after the cut. One process: what one of them
// syncs is not known to the others.
template <class Happen>
outcome power_loss(const setup& how, Happen happen) {
  file_run run{how, 1};
  auto shadow = run.file().parent_path() / "shadow";
  fs::create_directory(shadow);
  auto control = run.use_faulty_io();
  run.area().environment["STEWARD_SHADOW"] = shadow.string();
  run.area().start();
  happen(run.area(), control);
  return run.area().finish("sqlite:" + (shadow / "records.db").string(), true);
}

outcome power_loss_of_a_good_disk(const setup& how) {
  return power_loss(how,
                    [](arena& area, const fs::path&) { area.wait_for_end(); });
}

// The cut comes while nothing can be synced: what was answered since then must
// have been on the disk before.
outcome power_loss_of_a_bad_disk(const setup& how) {
  constexpr auto good = 250ms;
  constexpr auto bad
    = 2600ms; // longer than a deadline, so that clients hear of it
  return power_loss(how, [&](arena& area, const fs::path& control) {
    area.pause(how.duration % (good + bad)); // so that it ends with a bad one
    do {
      put(control, '-');
      area.pause(good);
      put(control, 'e');
    } while (area.pause(bad));
  });
}

} // namespace

std::vector<kind> sqlite_kinds() {
  auto mode = [](char x, std::chrono::milliseconds length = 150ms) {
    return [=](const setup& how) { return failing_disk(how, x, length); };
  };
  return {
    {"nothing", "sqlite", none},
    {"kill -9 of clients", "sqlite", kill_clients},
    {"SIGSTOP of clients", "sqlite", stop_clients},
    {"external lock, up to 2.6 s", "sqlite", external_lock,
     "database is locked"},
    {"fsync fails (EIO)", "sqlite", mode('e'), "disk I/O error"},
    // Longer than a deadline and all that is granted beyond.
    {"fsync hangs", "sqlite", mode('h', 3s), steward::persistence_is_silent,
     4500ms},
    {"no space (ENOSPC)", "sqlite", mode('f'), "is full"},
    {"read-only (EROFS)", "sqlite", mode('r'), "disk I/O error"},
    {"read-only when it starts", "sqlite", read_only_mount},
    {"full tmpfs of 1 MB", "sqlite", full_tmpfs, "is full"},
    {"file moved away and back", "sqlite", moved_file, "removed or replaced"},
    {"power loss, 1 process", "sqlite", power_loss_of_a_good_disk},
    {"power loss while fsync fails", "sqlite", power_loss_of_a_bad_disk,
     "disk I/O error", 3s},
  };
}

} // namespace faults
