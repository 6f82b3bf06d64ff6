#include "tests/rules/case_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <string_view>

namespace framewall::rules_test {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

std::string Percent(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return encoded;
}

std::string Json(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20) {
      quoted += "\\u00";
      quoted += kHex[byte >> 4];
      quoted += kHex[byte & 15];
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string Xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// "\xNN" stands for that byte, which YAML's own escapes cannot say.
std::string Bytes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\\x" && i + 3 < text.size() &&
        std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0) {
      bytes += static_cast<char>(std::stoi(std::string(text.substr(i + 2, 2)), nullptr, 16));
      i += 3;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

void Set(Fields& headers, const std::string& name, const std::string& value) {
  const auto same = [&name](const auto& field) {
    return std::equal(
        field.first.begin(), field.first.end(), name.begin(), name.end(),
        [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
  };
  std::erase_if(headers, same);
  headers.emplace_back(name, value);
}

// What a browser sends with a clean request.
Request Browser() {
  Request request;
  request.headers = {
      {"Host", "example.test"},
      {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
      {"Accept", "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"},
      {"Accept-Language", "ru,en;q=0.8"},
      {"Cookie", "session=5f2b8c1e9a; theme=dark"},
  };
  return request;
}

void SetBody(Request& request, const std::string& type, std::string body) {
  if (request.method == "GET") request.method = "POST";
  request.body = std::move(body);
  Set(request.headers, "Content-Type", type);
  Set(request.headers, "Content-Length", std::to_string(request.body.size()));
}

// `text` with each % in it replaced.
std::string Filled(std::string text, const std::string& payload) {
  for (std::size_t at = 0; (at = text.find('%', at)) != std::string::npos; at += payload.size()) {
    text.replace(at, 1, payload);
  }
  return text;
}

// A place of the file's own: a % in the target or the JSON body stands for the payload.
void CarryIn(Request& request, const std::string& payload, const YAML::Node& place) {
  for (const auto& entry : place) {
    const auto key = entry.first.as<std::string>();
    const auto text = entry.second.as<std::string>();
    if (key == "method") {
      request.method = text;
    } else if (key == "target") {
      request.target = Filled(text, Percent(payload));
    } else if (key == "json") {
      const std::string quoted = Json(payload);
      SetBody(request, "application/json", Filled(text, quoted.substr(1, quoted.size() - 2)));
    } else {
      throw std::runtime_error("a place has no \"" + key + "\"");
    }
  }
}

// Puts `payload` where `where` says.
void Carry(Request& request, const std::string& payload, const std::string& where) {
  if (where == "arg") {
    request.target = "/search?q=" + Percent(payload);
  } else if (where == "path") {
    request.target = "/" + payload;
  } else if (where == "form") {
    SetBody(request, "application/x-www-form-urlencoded", "q=" + Percent(payload));
  } else if (where.starts_with("form:")) {
    SetBody(request, "application/x-www-form-urlencoded", where.substr(5) + "=" + Percent(payload));
  } else if (where == "json") {
    SetBody(request, "application/json", "{\"text\":" + Json(payload) + "}");
  } else if (where == "xml") {
    SetBody(request, "application/xml", "<?xml version=\"1.0\"?><a>" + Xml(payload) + "</a>");
  } else if (where == "multipart") {
    SetBody(request, "multipart/form-data; boundary=----boundary4711",
            "------boundary4711\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\n" + payload +
                "\r\n------boundary4711--\r\n");
  } else if (where == "cookie") {
    Set(request.headers, "Cookie", "session=5f2b8c1e9a; q=" + payload);
  } else if (where.starts_with("header:")) {
    Set(request.headers, where.substr(7), payload);
  } else if (where != "none") {
    throw std::runtime_error("\"" + where + "\" carries nothing");
  }
}

Fields ReadFields(const YAML::Node& node) {
  Fields fields;
  for (const auto& field : node) {
    fields.emplace_back(field.first.as<std::string>(), Bytes(field.second.as<std::string>()));
  }
  return fields;
}

Request ReadRequest(const YAML::Node& node) {
  Request request = Browser();
  for (const auto& entry : node) {
    const auto key = entry.first.as<std::string>();
    const YAML::Node value = entry.second;
    if (key == "method") {
      request.method = value.as<std::string>();
    } else if (key == "target") {
      request.target = Bytes(value.as<std::string>());
    } else if (key == "headers") {
      for (const auto& [name, text] : ReadFields(value)) Set(request.headers, name, text);
    } else if (key == "without") {
      for (const auto& name : value) {
        Set(request.headers, name.as<std::string>(), "");
        request.headers.pop_back();
      }
    } else if (key != "body" && key != "type") {
      throw std::runtime_error("a request has no \"" + key + "\"");
    }
  }
  if (node["body"]) {
    SetBody(request,
            node["type"] ? node["type"].as<std::string>() : "application/x-www-form-urlencoded",
            Bytes(node["body"].as<std::string>()));
    // Headers given outright win over what the body would say.
    if (node["headers"]) {
      for (const auto& [name, text] : ReadFields(node["headers"])) {
        Set(request.headers, name, text);
      }
    }
  }
  return request;
}

Response ReadResponse(const YAML::Node& node) {
  Response response;
  if (node["status"]) response.status = node["status"].as<int>();
  response.headers.emplace_back("Content-Type",
                                node["type"] ? node["type"].as<std::string>() : "text/html");
  if (node["headers"]) {
    for (const auto& [name, text] : ReadFields(node["headers"])) {
      Set(response.headers, name, text);
    }
  }
  if (node["body"]) response.body = Bytes(node["body"].as<std::string>());
  return response;
}

std::vector<std::int64_t> ReadIds(const YAML::Node& node) {
  if (!node) return {};
  if (node.IsSequence()) return node.as<std::vector<std::int64_t>>();
  return {node.as<std::int64_t>()};
}

int ReadRefused(const YAML::Node& node, int otherwise) {
  if (!node) return otherwise;
  const auto text = node.as<std::string>();
  if (text == "yes") return -1;
  if (text == "no") return 0;
  return node.as<int>();
}

void ReadCases(const YAML::Node& root, const std::string& file, CaseFile& result) {
  static constexpr std::string_view kKeys[] = {"payload", "in",     "request", "response",
                                               "fires",   "silent", "refused", "why"};
  const int file_refused = ReadRefused(root["refused"], -1);
  const std::vector<std::int64_t> file_silent = ReadIds(root["silent"]);
  const YAML::Node places = root["places"];
  for (const auto& node : root["cases"]) {
    const std::string place = file + ":" + std::to_string(node.Mark().line + 1);
    for (const auto& entry : node) {
      const auto key = entry.first.as<std::string>();
      if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys)) {
        throw std::runtime_error(place + ": a case has no \"" + key + "\"");
      }
    }
    Case one;
    one.fires = ReadIds(node["fires"]);
    one.silent = ReadIds(node["silent"]);
    one.silent.insert(one.silent.end(), file_silent.begin(), file_silent.end());
    one.refused = ReadRefused(node["refused"], file_refused);
    if (node["response"]) {
      one.has_response = true;
      one.response = ReadResponse(node["response"]);
    }
    const Request request = node["request"] ? ReadRequest(node["request"]) : Browser();
    if (!node["payload"]) {
      one.name = place;
      one.request = request;
      result.cases.push_back(std::move(one));
      continue;
    }
    const YAML::Node carriers = node["in"] ? node["in"] : root["in"];
    for (const auto& where_node : carriers) {
      const auto where = where_node.as<std::string>();
      Case carried = one;
      carried.name = place + " " + where;
      carried.payload = Bytes(node["payload"].as<std::string>());
      carried.request = request;
      if (places && places[where]) {
        CarryIn(carried.request, carried.payload, places[where]);
      } else {
        Carry(carried.request, carried.payload, where);
      }
      result.cases.push_back(std::move(carried));
    }
  }
}

void ReadMessages(const YAML::Node& list, const std::string& file, const std::string& kind,
                  CaseFile& result) {
  for (const auto& node : list) {
    Case message;
    message.name = file + ":" + std::to_string(node.Mark().line + 1);
    message.kind = kind;
    message.request = Browser();
    message.request.target = "/api/v1/chats/17/messages";
    message.payload = node.as<std::string>();
    Carry(message.request, message.payload, "json");
    result.messages.push_back(std::move(message));
  }
}

}  // namespace

Request RequestWith(const std::string& payload, const std::string& where) {
  Request request = Browser();
  Carry(request, payload, where);
  return request;
}

CaseFile ReadCaseFile(const std::string& path) {
  const YAML::Node root = YAML::LoadFile(path);
  const std::string file = path.substr(path.rfind('/') + 1);
  CaseFile result;
  ReadCases(root, file, result);
  if (root["refused_share"]) result.refused_share = root["refused_share"].as<double>();
  const YAML::Node messages = root["messages"];
  if (messages && messages.IsMap()) {
    for (const auto& kind : messages) {
      ReadMessages(kind.second, file, kind.first.as<std::string>(), result);
    }
  } else {
    ReadMessages(messages, file, "", result);
  }
  return result;
}

}  // namespace framewall::rules_test
