#include "proxy/redis/reply_reader.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <utility>

#include "proxy/base/check.h"
#include "proxy/base/parse.h"

namespace framewall::redis {
namespace {

// A status, an error or a number; Redis' own are far shorter.
constexpr size_t kLongestLine = 65536;

}  // namespace

// What hiredis' callbacks build, and why they refused.
struct ReplyReader::Building {
  const ReplyLimits* limits = nullptr;
  size_t elements = 0;
  const char* refusal = nullptr;

  static Building& Of(const redisReadTask* task) { return *static_cast<Building*>(task->privdata); }

  // The place of the reply that `task` is about: in its array, or a new root. hiredis frees roots
  // alone, through Free.
  static Reply* Place(const redisReadTask* task) {
    if (task->parent == nullptr) return new Reply;
    auto* array = static_cast<Reply*>(task->parent->obj);
    FW_CHECK(array != nullptr && static_cast<size_t>(task->idx) < array->elements.size());
    return &array->elements[static_cast<size_t>(task->idx)];
  }

  static void* String(const redisReadTask* task, char* text, size_t size) {
    Building& building = Of(task);
    if (size > building.limits->max_size) {
      building.refusal = "a string is too long";
      return nullptr;
    }
    Reply* reply = Place(task);
    switch (task->type) {
      case REDIS_REPLY_ERROR:
        reply->kind = Reply::Kind::kError;
        break;
      case REDIS_REPLY_STATUS:
        reply->kind = Reply::Kind::kStatus;
        break;
      default:
        reply->kind = Reply::Kind::kText;
    }
    reply->text.assign(text, size);
    return reply;
  }

  static void* Array(const redisReadTask* task, int size) {
    Building& building = Of(task);
    const size_t left = building.limits->max_elements - building.elements;
    if (size < 0 || static_cast<size_t>(size) > left) {
      building.refusal = "an array has too many elements";
      return nullptr;
    }
    building.elements += static_cast<size_t>(size);
    Reply* reply = Place(task);
    reply->kind = Reply::Kind::kArray;
    // At once: its elements' addresses are kept by hiredis.
    reply->elements.resize(static_cast<size_t>(size));
    return reply;
  }

  static void* Integer(const redisReadTask* task, long long value) {
    Reply* reply = Place(task);
    reply->kind = Reply::Kind::kInteger;
    reply->integer = value;
    return reply;
  }

  static void* Nil(const redisReadTask* task) { return Place(task); }

  static void Free(void* root) { delete static_cast<Reply*>(root); }
};

ReplyReader::ReplyReader(const ReplyLimits& limits)
    : limits_(limits), building_(std::make_unique<Building>()) {
  building_->limits = &limits_;
  // Not const in hiredis; never written.
  static redisReplyObjectFunctions functions{Building::String, Building::Array, Building::Integer,
                                             Building::Nil, Building::Free};
  reader_ = redisReaderCreateWithFunctions(&functions);
  FW_CHECK(reader_ != nullptr);
  reader_->privdata = building_.get();
}

ReplyReader::~ReplyReader() { redisReaderFree(reader_); }

void ReplyReader::Feed(ByteView bytes) {
  if (failed_.has_value()) return;
  fed_ += bytes.size();
  if (redisReaderFeed(reader_, bytes.data(), bytes.size()) != REDIS_OK) {
    Refuse(ErrorKind::kSystem, "no memory for a reply");
  }
}

Result<std::optional<Reply>> ReplyReader::Next() {
  if (failed_.has_value()) return *failed_;
  void* root = nullptr;
  if (redisReaderGetReply(reader_, &root) != REDIS_OK) {
    if (building_->refusal != nullptr) return Refuse(ErrorKind::kLimit, building_->refusal);
    return Refuse(ErrorKind::kSyntax, reader_->errstr);
  }
  if (root == nullptr) {
    if (Status status = CheckUnfinished(); !status.ok()) {
      return Refuse(status.error().kind, status.error().message);
    }
    return std::optional<Reply>();
  }
  const std::unique_ptr<Reply> reply(static_cast<Reply*>(root));
  const size_t end = fed_ - (reader_->len - reader_->pos);
  const size_t size = end - begun_;
  begun_ = end;
  building_->elements = 0;
  if (size > limits_.max_size) return Refuse(ErrorKind::kLimit, "a reply is too long");
  return std::optional<Reply>(std::move(*reply));
}

// What is there of a reply that is not complete; hiredis has stopped at the item that is not.
Status ReplyReader::CheckUnfinished() const {
  const auto too_long = [] {
    return Error{ErrorKind::kLimit, ErrorSource::kUpstream, "a reply is too long", 0};
  };
  if (fed_ - begun_ > limits_.max_size) return too_long();
  if (reader_->ridx < 0 || reader_->pos >= reader_->len) return OkStatus();
  const ByteView item(reader_->buf + reader_->pos, reader_->len - reader_->pos);
  if (reader_->rstack[reader_->ridx].type != REDIS_REPLY_STRING) {
    return item.size() > kLongestLine ? Status(too_long()) : OkStatus();
  }
  // After the "$": the announced length, then the string.
  const ByteView digits = item.substr(0, item.find("\r\n"));
  if (digits.size() == item.size()) {
    return item.size() > 32 ? Status(too_long()) : OkStatus();
  }
  const std::optional<uint64_t> announced = ParseUnsigned(digits);
  if (!announced.has_value() || *announced > limits_.max_size) return too_long();
  return OkStatus();
}

Error ReplyReader::Refuse(ErrorKind kind, std::string message) {
  failed_ = Error{kind, ErrorSource::kUpstream, "unreadable reply: " + std::move(message), 0};
  return *failed_;
}

}  // namespace framewall::redis
