#include "proxy/http/http1/head_reader.h"

#include <algorithm>
#include <cstring>

#include "proxy/http/http1/line_reader.h"
#include "proxy/http/http1/start_line.h"

namespace framewall::http {
namespace {

// nginx's own status for this, so that `error_page 494` works; the owner answers with 400.
constexpr int kHeaderTooLarge = 494;

constexpr MessageError kInvalidField{400, "client sent invalid header line"};
constexpr MessageError kLongUri{414, "client sent too long URI"};
constexpr MessageError kLongField{kHeaderTooLarge, "client sent too long header line"};
constexpr MessageError kLargeRequest{kHeaderTooLarge, "client sent too large request"};
constexpr MessageError kManyFields{kHeaderTooLarge, "client sent too many header lines"};
constexpr MessageError kInvalidResponse{502, "upstream sent invalid header"};
constexpr MessageError kLargeResponse{502, "upstream sent too big header"};
constexpr MessageError kManyResponseFields{502, "upstream sent too many header lines"};

// What most heads need; one allocation instead of a few doublings.
constexpr size_t kUsualFieldCount = 24;
constexpr size_t kLeastCollected = 1024;

void Shift(std::string_view& view, const char* from, const char* to) {
  if (view.data() != nullptr) view = {to + (view.data() - from), view.size()};
}

}  // namespace

void HeadReader::StartRequest(RequestHead* head, const HeadLimits& limits,
                              const HeadPolicy& policy) {
  head->Clear();
  request_ = head;
  response_ = nullptr;
  Start(&head->fields, limits, policy);
}

void HeadReader::StartResponse(ResponseHead* head, const HeadLimits& limits) {
  head->Clear();
  request_ = nullptr;
  response_ = head;
  Start(&head->fields, limits, HeadPolicy{});
  limits_.buffer_count = 0;
}

void HeadReader::Start(HeaderMap* fields, const HeadLimits& limits, const HeadPolicy& policy) {
  fields_ = fields;
  fields_->Reserve(kUsualFieldCount);
  limits_ = limits;
  policy_ = policy;
  stage_ = Stage::kStartLine;
  line_start_ = fields_end_ = field_lines_ = size_ = 0;
  buffer_left_ = limits.first_buffer_size;
  buffers_used_ = 0;
  collected_.clear();
}

HeadReader::Outcome HeadReader::Read(ByteView bytes, size_t* used) {
  const size_t before = collected_.size();
  const bool is_split = before != 0;
  if (is_split) {
    // No head is larger than all its buffers, so never collect more than that.
    const size_t most = limits_.first_buffer_size + limits_.buffer_count * limits_.line_size + 1;
    bytes = bytes.substr(0, most > before ? most - before : 1);
    Collect(bytes);
  }
  const char* data = is_split ? collected_.data() : bytes.data();
  const size_t length = is_split ? collected_.size() : bytes.size();
  const Outcome outcome = Parse(data, data + length);
  switch (outcome) {
    case Outcome::kMore:
      size_ = length;
      *used = bytes.size();
      if (!is_split) {
        Collect(bytes);
        Rebase(data, collected_.data());
      }
      break;
    case Outcome::kDone: {
      size_ = line_start_;
      *used = size_ - before;
      char* copy = fields_->arena()->AllocateChars(fields_end_);
      std::memcpy(copy, data, fields_end_);
      Rebase(data, copy);
      // An idle connection must not keep a large buffer for a rare large head.
      if (is_split) std::string().swap(collected_);
      break;
    }
    case Outcome::kError:
      size_ = length;
      *used = bytes.size();
      break;
  }
  return outcome;
}

HeadReader::Outcome HeadReader::Parse(const char* data, const char* end) {
  if (stage_ == Stage::kFields) return ParseFields(data, end);
  const char* next = data;
  MessageError error = kInvalidResponse;
  const LineOutcome outcome = request_ != nullptr
                                  ? ReadRequestLine(data, end, request_, &next, &error)
                                  : ReadStatusLine(data, end, response_, &next);
  const size_t size = static_cast<size_t>(next - data);
  switch (outcome) {
    case LineOutcome::kMore:
      return CheckPartialLine(static_cast<size_t>(end - data));
    case LineOutcome::kLine:
      if (!ChargeLine(size)) return Fail(request_ != nullptr ? kLongUri : kLargeResponse);
      break;
    default:
      // As if the octets had come one by one: the limit is met before the fault.
      if (!ChargeLine(size + 1)) return Fail(request_ != nullptr ? kLongUri : kLargeResponse);
      return Fail(error);
  }
  stage_ = Stage::kFields;
  line_start_ = fields_end_ = size;
  return ParseFields(data, end);
}

HeadReader::Outcome HeadReader::ParseFields(const char* data, const char* end) {
  const char* p = data + line_start_;
  FieldLine line;
  while (true) {
    const char* next = p;
    const LineOutcome outcome = ReadFieldLine(p, end, &line, &next);
    const size_t size = static_cast<size_t>(next - p);
    switch (outcome) {
      case LineOutcome::kMore:
        return CheckPartialLine(static_cast<size_t>(end - p));
      case LineOutcome::kInvalid:
        return ChargeLine(size + 1) ? Fail(request_ != nullptr ? kInvalidField : kInvalidResponse)
                                    : TooLarge();
      case LineOutcome::kEmpty:
        if (!ChargeLine(size)) return TooLarge();
        line_start_ += size;
        return Outcome::kDone;
      case LineOutcome::kLine:
        break;
    }
    if (!ChargeLine(size)) return TooLarge();
    if (++field_lines_ > limits_.field_count) {
      return Fail(request_ != nullptr ? kManyFields : kManyResponseFields);
    }
    line_start_ += size;
    p = next;
    if (!line.plain_name && !AcceptsName(line)) {
      if (request_ == nullptr) return Fail(kInvalidResponse);
      continue;
    }
    fields_->AddView(line.name, line.value, FindFieldId(line.name));
    fields_end_ = line_start_;
  }
}

// Whether a name that is not made of letters, digits and '-' is taken. nginx drops others by
// default; without ignore_invalid_headers it passes on anything, we pass on tokens.
bool HeadReader::AcceptsName(const FieldLine& line) const {
  if (!line.is_token) return false;
  if (request_ == nullptr || !policy_.ignore_invalid_headers) return true;
  return !line.has_odd_token_char && policy_.underscores_in_headers;
}

// nginx reads into a first buffer and then into large ones, and a line lies within one buffer: the
// line that does not fit what is left moves to the next. Counting the same way refuses the same
// heads. A response has its one buffer only.
bool HeadReader::ChargeLine(size_t size) {
  if (size <= buffer_left_) {
    buffer_left_ -= size;
    return true;
  }
  if (size > limits_.line_size || buffers_used_ == limits_.buffer_count) return false;
  ++buffers_used_;
  buffer_left_ = limits_.line_size - size;
  return true;
}

// The line is not complete, so at least one octet is still to come.
HeadReader::Outcome HeadReader::CheckPartialLine(size_t size) {
  const bool fits = size + 1 <= buffer_left_ ||
                    (size + 1 <= limits_.line_size && buffers_used_ < limits_.buffer_count);
  return fits ? Outcome::kMore : TooLarge();
}

HeadReader::Outcome HeadReader::TooLarge() {
  if (request_ == nullptr) return Fail(kLargeResponse);
  if (stage_ == Stage::kStartLine) return Fail(kLongUri);
  return Fail(buffers_used_ < limits_.buffer_count ? kLongField : kLargeRequest);
}

HeadReader::Outcome HeadReader::Fail(MessageError error) {
  error_ = error;
  return Outcome::kError;
}

// Appends to what is kept, and moves the views with it.
void HeadReader::Collect(ByteView bytes) {
  const size_t needed = collected_.size() + bytes.size();
  if (needed > collected_.capacity()) {
    std::string larger;
    larger.reserve(std::max({kLeastCollected, needed, collected_.capacity() * 2}));
    larger.append(collected_);
    if (!collected_.empty()) Rebase(collected_.data(), larger.data());
    collected_.swap(larger);
  }
  collected_.append(bytes);
}

// Every view into the head's octets at `from` becomes one into their copy at `to`.
void HeadReader::Rebase(const char* from, const char* to) {
  if (request_ != nullptr) {
    Shift(request_->method_name, from, to);
    Shift(request_->target, from, to);
    Shift(request_->request_line, from, to);
    Shift(request_->version_name, from, to);
  } else {
    Shift(response_->reason, from, to);
    Shift(response_->status_line, from, to);
  }
  for (size_t i = 0; i < fields_->size(); ++i) {
    Field& field = fields_->at(i);
    Shift(field.name, from, to);
    Shift(field.value, from, to);
  }
}

}  // namespace framewall::http
