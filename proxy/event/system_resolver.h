// A name to addresses through the system's resolver (hosts file, search domains, NSS), in a thread
// of its own, so that a slow name server does not stop the loop. For names that are asked rarely:
// a connection that is opened again. `resolver` is for the many.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/result.h"
#include "proxy/event/loop.h"
#include "proxy/event/stream.h"

namespace framewall::event {

// One question. Destroying it forgets the answer; the thread ends by itself.
class SystemQuery final : private StreamHandler {
 public:
  using OnAnswer = std::function<void(Result<std::vector<IpAddress>>)>;
  // `answer` is called once, from the loop, never from here; it must not destroy the query but by
  // EventLoop::Retire. `loop` outlives it.
  SystemQuery(EventLoop& loop, const std::string& name, OnAnswer answer);
  ~SystemQuery() override;

 private:
  struct Shared;
  void OnBytes(ByteView) override {}
  void OnEnd() override { Answer(); }
  void OnBroken(const Error&) override { Answer(); }
  void Answer();

  EventLoop& loop_;
  OnAnswer answer_;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Stream> bell_;  // its end says that the thread is done
};

}  // namespace framewall::event
