// Database over SQLite: one thread that writes in groups, threads that read, one that makes a
// backup.
//
// The writer's turn: BEGIN IMMEDIATE ─► for each work that waits: SAVEPOINT, run, RELEASE (or
// ROLLBACK TO) ─► COMMIT, which syncs the disk ─► all of the group are told, in their order. What
// comes in meanwhile is the next group. Nothing is told as done before its COMMIT has returned.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "backend/store/database.h"
#include "backend/store/sqlite_connection.h"
#include "backend/store/work_queue.h"
#include "proxy/event/wakeup.h"

namespace framewall::backend::store {

class SqliteDatabase final : public Database {
 public:
  // A group is committed when it is this large or has taken this long, also where more waits.
  static constexpr size_t kGroupLimit = 512;
  static constexpr std::chrono::milliseconds kGroupTime{50};

  static Result<std::unique_ptr<SqliteDatabase>> Open(event::EventLoop& loop,
                                                      const Options& options);
  ~SqliteDatabase() override;

  void Close() override;
  void Probe(std::function<void(Status)> done) override;
  void Backup(const std::string& path, std::function<void(Status)> done) override;

  Counts counts() const override { return {writes_.size(), reads_.size(), commits()}; }
  // For tests: transactions of the writer so far.
  uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }

 protected:
  void Enqueue(bool writes, Work work) override;

 private:
  SqliteDatabase(std::string path, const Options& options);
  Status Start(event::EventLoop& loop, size_t readers);
  Status StartThread(const char* name, std::function<void()> body);
  // --- in threads ---
  void WriteUntilClosed(SqliteConnection& db);
  std::vector<Finished<Work>> RunGroup(SqliteConnection& db, Work first);
  Status Commit(SqliteConnection& db);
  void ReadUntilClosed(SqliteConnection& db);
  void BackUpUntilClosed(SqliteConnection& db);
  // --- on the loop ---
  void Add(WaitingWorks<Work>& queue, Work work);
  // One round; false where nothing was finished.
  bool TellFinished();

  const std::string path_;
  WaitingWorks<Work> writes_;
  WaitingWorks<Work> reads_;
  WaitingWorks<Work> backups_;
  FinishedWorks<Work> finished_;
  std::unique_ptr<event::Wakeup> wakeup_;
  std::vector<std::unique_ptr<SqliteConnection>> connections_;  // each used by one thread
  std::vector<std::thread> threads_;
  std::atomic<uint64_t> commits_ = 0;
  // The writer's: something of the last group failed as only disks fail; a probe writes then.
  bool write_failed_ = false;
};

}  // namespace framewall::backend::store
