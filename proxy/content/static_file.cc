#include "proxy/content/static_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"
#include "proxy/base/unique_fd.h"
#include "proxy/content/file_lookup.h"
#include "proxy/content/media_type.h"
#include "proxy/content/range.h"
#include "proxy/event/loop.h"
#include "proxy/filter/headers.h"
#include "proxy/filter/not_modified.h"

namespace framewall::content {
namespace {

using exchange::Exchange;
using http::FieldId;

constexpr size_t kPieceSize = 65536;
// Octets of a file that one turn of the loop may take from the other connections.
constexpr int kPiecesPerTurn = 16;

// Start either answers at once, or opens the file, sends the head, and Pump sends pieces until all
// is sent, the client is full (then OnClientDrained goes on), or the turn has taken its share.
class StaticHandler final : public ContentHandler {
 public:
  explicit StaticHandler(Exchange& exchange) : exchange_(exchange) {}

  void Start() override;
  void OnClientDrained() override { Pump(); }
  // Nothing to stop: what is left is read only when it can be sent.
  bool OnClientGone() override { return true; }

 private:
  // Text, then a part of the file.
  struct Piece {
    std::string text;
    int64_t begin = 0;
    int64_t end = 0;
  };

  // The status of the answer where there is no file to send; 0 where it is open.
  int Open(struct stat& info);
  void RedirectToDirectory();
  // True where the exchange has been answered.
  bool CheckConditions();
  bool CutRanges(int64_t size);
  void UseOneRange(const ByteRange& range, int64_t size);
  void UseManyRanges(const std::vector<ByteRange>& ranges, int64_t size);
  void SendHeadAndBody();
  void Pump();
  // False where the response was broken off.
  bool SendFromFile(Piece& piece);

  Exchange& exchange_;
  std::string path_;
  UniqueFd file_;
  std::vector<Piece> pieces_;
  size_t next_piece_ = 0;
  bool sending_ = false;
  bool pumping_ = false;
  bool posted_ = false;
  // Lets a posted task know that the handler is gone.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

void StaticHandler::Start() {
  exchange::Driver& driver = *exchange_.driver;
  const bool is_directory = exchange_.uri.ends_with('/');
  if (!IsFileMethod(exchange_)) return driver.Finish(405);
  if (is_directory) return ServeIndex(exchange_);
  if (!CanMapUri(exchange_)) return driver.Finish(500);

  path_ = exchange_.FilePath(exchange_.uri);
  struct stat info {};
  if (const int status = Open(info); status != 0) return driver.Finish(status);
  if (S_ISDIR(info.st_mode)) return RedirectToDirectory();
  if (!S_ISREG(info.st_mode)) {
    exchange_.LogError(LogLevel::kCrit, fmt::format("\"{}\" is not a regular file", path_));
    return driver.Finish(404);
  }
  if (exchange_.request.method == http::Method::kPost) return driver.Finish(405);

  http::ResponseHead& response = exchange_.response;
  const int64_t size = info.st_size;
  // As the page of an error it is neither conditional nor cut.
  response.status = exchange_.error_page_status != 0 ? exchange_.error_page_status : 200;
  response.reason = {};
  exchange_.content_length = size;
  exchange_.last_modified = info.st_mtime;
  exchange_.conditions_checked = true;
  if (const std::string_view type = MediaTypeFor(exchange_); !type.empty()) {
    response.fields.Set(FieldId::kContentType, type);
  }
  response.fields.Set(FieldId::kLastModified, FormatHttpDate(info.st_mtime));
  if (exchange_.settings().core.etag) {
    response.fields.Set(FieldId::kEtag,
                        fmt::format("\"{:x}-{:x}\"", static_cast<uint64_t>(info.st_mtime), size));
  }
  pieces_.push_back(Piece{{}, 0, size});
  if (response.status == 200 && (CheckConditions() || CutRanges(size))) return;
  SendHeadAndBody();
}

int StaticHandler::Open(struct stat& info) {
  int error = 0;
  std::string_view failed = "open()";
  if (path_.find('\0') != std::string::npos) {
    error = ENOENT;
  } else {
    // Not to wait for the writer of a FIFO.
    file_.Reset(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!file_.valid()) {
      error = errno;
    } else if (::fstat(file_.get(), &info) != 0) {
      error = errno;
      failed = "fstat()";
    }
  }
  LogLevel level = LogLevel::kError;
  int status = 0;
  switch (error) {
    case 0:
      return 0;
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
      status = 404;
      break;
    case EACCES:
    case EMLINK:
    case ELOOP:
      status = 403;
      break;
    default:
      status = 500;
      level = LogLevel::kCrit;
      break;
  }
  if (status != 404 || exchange_.settings().core.log_not_found) {
    exchange_.LogError(level, fmt::format("{} \"{}\" failed", failed, path_), error);
  }
  return status;
}

void StaticHandler::RedirectToDirectory() {
  std::string location = PercentEncode(exchange_.uri, UriEscape::kUri);
  location += '/';
  if (!exchange_.args.empty()) {
    location += '?';
    location += exchange_.args;
  }
  exchange_.driver->Redirect(301, location);
}

bool StaticHandler::CheckConditions() {
  const int status = filter::CheckNotModified(exchange_);
  if (status == 0) return false;
  if (status != 304) {
    exchange_.driver->Finish(status);
    return true;
  }
  exchange_.response.status = 304;
  exchange_.response.fields.Remove(FieldId::kContentType);
  exchange_.content_length = -1;
  exchange_.driver->SendHead();
  exchange_.driver->SendEnd(nullptr);
  return true;
}

bool StaticHandler::CutRanges(int64_t size) {
  const config::CoreSettings& core = exchange_.settings().core;
  if (core.max_ranges == 0 || exchange_.is_subrequest()) return false;
  http::HeaderMap& fields = exchange_.response.fields;
  const std::string_view range = exchange_.request.fields.Get(FieldId::kRange);
  RangeAnswer answer = RangeAnswer::kWhole;
  std::vector<ByteRange> ranges;
  if (!range.empty()) {
    bool holds = true;
    if (const http::Field* if_range = exchange_.request.fields.Find(FieldId::kIfRange)) {
      // The validators that the client sees decide.
      filter::ApplyValidators(exchange_);
      const http::Field* etag = fields.Find(FieldId::kEtag);
      holds = IfRangeHolds(if_range->value, etag != nullptr ? &etag->value : nullptr,
                           exchange_.last_modified);
    }
    if (holds) answer = ParseRange(range, size, core.max_ranges, ranges);
  }
  switch (answer) {
    case RangeAnswer::kWhole:
      fields.Set(FieldId::kAcceptRanges, "bytes");
      return false;
    case RangeAnswer::kUnsatisfiable:
      fields.Set(FieldId::kContentRange, fmt::format("bytes */{}", size));
      exchange_.driver->Finish(416);
      return true;
    case RangeAnswer::kPartial:
      break;
  }
  exchange_.response.status = 206;
  if (ranges.size() == 1) {
    UseOneRange(ranges.front(), size);
  } else {
    UseManyRanges(ranges, size);
  }
  return false;
}

void StaticHandler::UseOneRange(const ByteRange& range, int64_t size) {
  exchange_.response.fields.Set(FieldId::kContentRange,
                                fmt::format("bytes {}-{}/{}", range.begin, range.end - 1, size));
  exchange_.content_length = range.end - range.begin;
  pieces_ = {Piece{{}, range.begin, range.end}};
}

// RFC 9110 14.6: multipart/byteranges.
void StaticHandler::UseManyRanges(const std::vector<ByteRange>& ranges, int64_t size) {
  uint64_t number = 0;
  FillRandom(reinterpret_cast<char*>(&number), sizeof number);
  const std::string boundary = fmt::format("{:020}", number);
  http::HeaderMap& fields = exchange_.response.fields;
  const std::string_view type = fields.Get(FieldId::kContentType);
  const std::string type_line = type.empty() ? "" : fmt::format("Content-Type: {}\r\n", type);
  fields.Set(FieldId::kContentType, fmt::format("multipart/byteranges; boundary={}", boundary));
  pieces_.clear();
  for (const ByteRange& range : ranges) {
    pieces_.push_back(Piece{fmt::format("\r\n--{}\r\n{}Content-Range: bytes {}-{}/{}\r\n\r\n",
                                        boundary, type_line, range.begin, range.end - 1, size),
                            range.begin, range.end});
  }
  pieces_.push_back(Piece{fmt::format("\r\n--{}--\r\n", boundary), 0, 0});
  exchange_.content_length = 0;
  for (const Piece& piece : pieces_) {
    exchange_.content_length += static_cast<int64_t>(piece.text.size()) + piece.end - piece.begin;
  }
}

void StaticHandler::SendHeadAndBody() {
  exchange_.driver->SendHead();
  if (exchange_.header_only) {
    file_.Reset();
    exchange_.driver->SendEnd(nullptr);
    return;
  }
  sending_ = true;
  Pump();
}

void StaticHandler::Pump() {
  if (!sending_ || pumping_) return;
  exchange::Driver& driver = *exchange_.driver;
  pumping_ = true;
  for (int budget = kPiecesPerTurn; next_piece_ < pieces_.size();) {
    Piece& piece = pieces_[next_piece_];
    if (!piece.text.empty()) driver.SendBody(std::exchange(piece.text, {}));
    if (piece.begin == piece.end) {
      ++next_piece_;
      continue;
    }
    if (driver.congested()) break;
    if (budget-- == 0) {
      if (posted_) break;
      posted_ = true;
      driver.loop().Post([this, alive = std::weak_ptr<int>(alive_)] {
        if (alive.expired()) return;
        posted_ = false;
        Pump();
      });
      break;
    }
    if (!SendFromFile(piece)) break;
  }
  pumping_ = false;
  if (!sending_ || next_piece_ < pieces_.size()) return;
  sending_ = false;
  file_.Reset();
  driver.SendEnd(nullptr);
}

bool StaticHandler::SendFromFile(Piece& piece) {
  // Only ever used within this call; the codec copies what does not leave at once.
  static char buffer[kPieceSize];
  const auto wanted =
      std::min<uint64_t>(sizeof buffer, static_cast<uint64_t>(piece.end - piece.begin));
  ssize_t count = 0;
  do {
    count = ::pread(file_.get(), buffer, wanted, piece.begin);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    piece.begin += count;
    exchange_.driver->SendBody(ByteView(buffer, static_cast<size_t>(count)));
    return true;
  }
  if (count < 0) {
    exchange_.LogError(LogLevel::kCrit, fmt::format("pread() \"{}\" failed", path_), errno);
  } else {
    exchange_.LogError(LogLevel::kAlert, fmt::format("\"{}\" was truncated at {} while it was sent",
                                                     path_, piece.begin));
  }
  sending_ = false;
  exchange_.driver->AbortResponse();
  return false;
}

}  // namespace

std::unique_ptr<ContentHandler> MakeStaticHandler(Exchange& exchange) {
  return std::make_unique<StaticHandler>(exchange);
}

bool CanMapUri(const Exchange& exchange) {
  if (!exchange.settings().core.root_is_alias || exchange.valid_location) return true;
  exchange.LogError(LogLevel::kAlert,
                    fmt::format("\"alias\" cannot be used in location \"{}\" where URI was "
                                "rewritten",
                                exchange.location->name));
  return false;
}

bool IsFileMethod(const Exchange& exchange) {
  switch (exchange.request.method) {
    case http::Method::kGet:
    case http::Method::kHead:
    case http::Method::kPost:
      return true;
    default:
      return false;
  }
}

}  // namespace framewall::content
