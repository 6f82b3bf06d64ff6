#include "waf/rule_words.h"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <vector>

namespace framewall::waf {
namespace {

using enum DirectiveForm;

constexpr DirectiveWord kDirectives[] = {
    {"Include"},
    {"SecAction", kActions},
    {"SecArgumentSeparator"},
    {"SecArgumentsLimit", kNumber},
    {"SecAuditEngine", kFlag},
    {"SecAuditLog"},
    {"SecAuditLog2"},
    {"SecAuditLogDirMode", kMode},
    {"SecAuditLogFileMode", kMode},
    {"SecAuditLogFormat", kFlag},
    {"SecAuditLogParts"},
    {"SecAuditLogRelevantStatus", kPattern},
    {"SecAuditLogStorageDir"},
    {"SecAuditLogType", kFlag},
    {"SecCacheTransformations", kMissing},
    {"SecChrootDir", kMissing},
    {"SecCollectionTimeout", kNumber},
    {"SecComponentSignature", kText},
    {"SecConnEngine", kOff},
    {"SecConnReadStateLimit", kMissing},
    {"SecConnWriteStateLimit", kMissing},
    {"SecContentInjection", kOff},
    {"SecCookieFormat", kNumber},
    {"SecCookieV0Separator", kMissing},
    {"SecDataDir"},
    {"SecDebugLog"},
    {"SecDebugLogLevel", kNumber},
    {"SecDefaultAction", kActions},
    {"SecDisableBackendCompression", kOff},
    {"SecGeoLookupDb", kText},
    {"SecGsbLookupDb", kMissing},
    {"SecGuardianLog", kMissing},
    {"SecHashEngine", kOff},
    {"SecHashKey", kMissing},
    {"SecHashMethodPm", kMissing},
    {"SecHashMethodRx", kMissing},
    {"SecHashParam", kMissing},
    {"SecHttpBlKey", kText},
    {"SecInterceptOnError", kOff},
    {"SecMarker"},
    {"SecPcreMatchLimit", kNumber},
    {"SecPcreMatchLimitRecursion", kNumber},
    {"SecRemoteRules", kWords},
    {"SecRemoteRulesFailAction", kFlag},
    {"SecRequestBodyAccess", kFlag},
    {"SecRequestBodyInMemoryLimit", kMissing},
    {"SecRequestBodyJsonDepthLimit", kNumber},
    {"SecRequestBodyLimit", kNumber},
    {"SecRequestBodyLimitAction", kFlag},
    {"SecRequestBodyNoFilesLimit", kNumber},
    {"SecResponseBodyAccess", kFlag},
    {"SecResponseBodyLimit", kNumber},
    {"SecResponseBodyLimitAction", kFlag},
    {"SecResponseBodyMimeType", kText},
    {"SecResponseBodyMimeTypesClear", kNothing},
    {"SecRule", kRule},
    {"SecRuleEngine", kFlag},
    {"SecRuleInheritance", kOff},
    {"SecRulePerfTime", kMissing},
    {"SecRuleRemoveById", kIds},
    {"SecRuleRemoveByMsg", kText},
    {"SecRuleRemoveByTag", kText},
    {"SecRuleScript", kScript},
    {"SecRuleUpdateActionById", kUpdateAction},
    {"SecRuleUpdateTargetById", kUpdateTarget},
    {"SecRuleUpdateTargetByMsg", kUpdateTarget},
    {"SecRuleUpdateTargetByTag", kUpdateTarget},
    {"SecSensorId", kMissing},
    {"SecServerSignature", kMissing},
    {"SecStatusEngine", kText},
    {"SecStreamInBodyInspection", kMissing},
    {"SecStreamOutBodyInspection", kMissing},
    {"SecTmpDir"},
    {"SecTmpSaveUploadedFiles", kFlag},
    {"SecUnicodeMapFile", kWords},
    {"SecUploadDir"},
    {"SecUploadFileLimit", kNumber},
    {"SecUploadFileMode", kMode},
    {"SecUploadKeepFiles", kFlag},
    {"SecWebAppId", kText},
    {"SecXmlExternalEntity", kFlag},
};

constexpr OperatorWord kOperators[] = {
    {"beginsWith", OperatorForm::kText},
    {"contains", OperatorForm::kText},
    {"containsWord", OperatorForm::kText},
    {"detectSQLi", OperatorForm::kNothing},
    {"detectXSS", OperatorForm::kNothing},
    {"endsWith", OperatorForm::kText},
    {"eq", OperatorForm::kNumber},
    {"fuzzyHash", OperatorForm::kFixed},
    {"ge", OperatorForm::kNumber},
    {"geoLookup", OperatorForm::kNothing},
    {"gsbLookup", OperatorForm::kFixed},
    {"gt", OperatorForm::kNumber},
    {"inspectFile", OperatorForm::kFixed},
    {"ipMatch", OperatorForm::kAddresses},
    {"ipMatchF", OperatorForm::kFixed},
    {"ipMatchFromFile", OperatorForm::kFixed},
    {"le", OperatorForm::kNumber},
    {"lt", OperatorForm::kNumber},
    {"pm", OperatorForm::kFixed},
    {"pmf", OperatorForm::kFixed},
    {"pmFromFile", OperatorForm::kFixed},
    {"rbl", OperatorForm::kFixed},
    {"rsub", OperatorForm::kFixed},
    {"rx", OperatorForm::kPattern},
    {"rxGlobal", OperatorForm::kPattern},
    {"streq", OperatorForm::kText},
    {"strmatch", OperatorForm::kText},
    {"unconditionalMatch", OperatorForm::kNothing},
    {"validateByteRange", OperatorForm::kByteRange},
    {"validateDTD", OperatorForm::kFixed},
    {"validateHash", OperatorForm::kFixed},
    {"validateSchema", OperatorForm::kFixed},
    {"validateUrlEncoding", OperatorForm::kNothing},
    {"validateUtf8Encoding", OperatorForm::kNothing},
    {"verifyCC", OperatorForm::kFixedPattern},
    {"verifyCPF", OperatorForm::kFixedPattern},
    {"verifySSN", OperatorForm::kFixedPattern},
    {"verifySVNR", OperatorForm::kFixedPattern},
    {"within", OperatorForm::kText},
};

constexpr std::string_view kVariables[] = {
    "ARGS",
    "ARGS_COMBINED_SIZE",
    "ARGS_GET",
    "ARGS_GET_NAMES",
    "ARGS_NAMES",
    "ARGS_POST",
    "ARGS_POST_NAMES",
    "AUTH_TYPE",
    "DURATION",
    "ENV",
    "FILES",
    "FILES_COMBINED_SIZE",
    "FILES_NAMES",
    "FILES_SIZES",
    "FILES_TMPNAMES",
    "FILES_TMP_CONTENT",
    "FULL_REQUEST",
    "FULL_REQUEST_LENGTH",
    "GEO",
    "GLOBAL",
    "HIGHEST_SEVERITY",
    "INBOUND_DATA_ERROR",
    "IP",
    "MATCHED_VAR",
    "MATCHED_VARS",
    "MATCHED_VARS_NAMES",
    "MATCHED_VAR_NAME",
    "MODSEC_BUILD",
    "MULTIPART_BOUNDARY_QUOTED",
    "MULTIPART_BOUNDARY_WHITESPACE",
    "MULTIPART_CRLF_LF_LINES",
    "MULTIPART_DATA_AFTER",
    "MULTIPART_DATA_BEFORE",
    "MULTIPART_FILENAME",
    "MULTIPART_FILE_LIMIT_EXCEEDED",
    "MULTIPART_HEADER_FOLDING",
    "MULTIPART_INVALID_HEADER_FOLDING",
    "MULTIPART_INVALID_PART",
    "MULTIPART_INVALID_QUOTING",
    "MULTIPART_LF_LINE",
    "MULTIPART_MISSING_SEMICOLON",
    "MULTIPART_NAME",
    "MULTIPART_PART_HEADERS",
    "MULTIPART_SEMICOLON_MISSING",
    "MULTIPART_STRICT_ERROR",
    "MULTIPART_UNMATCHED_BOUNDARY",
    "OUTBOUND_DATA_ERROR",
    "PATH_INFO",
    "QUERY_STRING",
    "REMOTE_ADDR",
    "REMOTE_HOST",
    "REMOTE_PORT",
    "REMOTE_USER",
    "REQBODY_ERROR",
    "REQBODY_ERROR_MSG",
    "REQBODY_PROCESSOR",
    "REQBODY_PROCESSOR_ERROR",
    "REQBODY_PROCESSOR_ERROR_MSG",
    "REQUEST_BASENAME",
    "REQUEST_BODY",
    "REQUEST_BODY_LENGTH",
    "REQUEST_COOKIES",
    "REQUEST_COOKIES_NAMES",
    "REQUEST_FILENAME",
    "REQUEST_HEADERS",
    "REQUEST_HEADERS_NAMES",
    "REQUEST_LINE",
    "REQUEST_METHOD",
    "REQUEST_PROTOCOL",
    "REQUEST_URI",
    "REQUEST_URI_RAW",
    "RESOURCE",
    "RESPONSE_BODY",
    "RESPONSE_CONTENT_LENGTH",
    "RESPONSE_CONTENT_TYPE",
    "RESPONSE_HEADERS",
    "RESPONSE_HEADERS_NAMES",
    "RESPONSE_PROTOCOL",
    "RESPONSE_STATUS",
    "RULE",
    "SERVER_ADDR",
    "SERVER_NAME",
    "SERVER_PORT",
    "SESSION",
    "SESSIONID",
    "STATUS",
    "STATUS_LINE",
    "TIME",
    "TIME_DAY",
    "TIME_EPOCH",
    "TIME_HOUR",
    "TIME_MIN",
    "TIME_MON",
    "TIME_SEC",
    "TIME_WDAY",
    "TIME_YEAR",
    "TX",
    "UNIQUE_ID",
    "URLENCODED_ERROR",
    "USER",
    "USERID",
    "WEBAPPID",
    "WEBSERVER_ERROR_LOG",
    "XML",
};

constexpr std::string_view kTransformations[] = {
    "base64Decode",
    "base64DecodeExt",
    "base64Encode",
    "cmdLine",
    "compressWhitespace",
    "cssDecode",
    "escapeSeqDecode",
    "hexDecode",
    "hexEncode",
    "htmlEntityDecode",
    "jsDecode",
    "length",
    "lowercase",
    "md5",
    "none",
    "normalisePath",
    "normalisePathWin",
    "normalizePath",
    "normalizePathWin",
    "parityEven7bit",
    "parityOdd7bit",
    "parityZero7bit",
    "removeComments",
    "removeCommentsChar",
    "removeNulls",
    "removeWhitespace",
    "replaceComments",
    "replaceNulls",
    "sha1",
    "sqlHexDecode",
    "trim",
    "trimLeft",
    "trimRight",
    "uppercase",
    "urlDecode",
    "urlDecodeUni",
    "urlEncode",
    "utf8toUnicode",
};

constexpr std::string_view kActionNames[] = {
    "accuracy",
    "allow",
    "append",
    "auditlog",
    "block",
    "capture",
    "chain",
    "ctl",
    "deny",
    "deprecatevar",
    "drop",
    "exec",
    "expirevar",
    "id",
    "initcol",
    "log",
    "logdata",
    "maturity",
    "msg",
    "multiMatch",
    "noauditlog",
    "nolog",
    "pass",
    "pause",
    "phase",
    "prepend",
    "proxy",
    "redirect",
    "rev",
    "sanitiseArg",
    "sanitiseMatched",
    "sanitiseMatchedBytes",
    "sanitiseRequestHeader",
    "sanitiseResponseHeader",
    "setenv",
    "setrsc",
    "setsid",
    "setuid",
    "setvar",
    "severity",
    "skip",
    "skipAfter",
    "status",
    "t",
    "tag",
    "ver",
    "xmlns",
};

constexpr std::string_view kControls[] = {
    "auditEngine",           "auditLogParts",        "forceRequestBodyVariable",
    "requestBodyAccess",     "requestBodyProcessor", "ruleEngine",
    "ruleRemoveById",        "ruleRemoveByTag",      "ruleRemoveTargetById",
    "ruleRemoveTargetByTag",
};

std::string_view NameOf(std::string_view word) { return word; }
std::string_view NameOf(const DirectiveWord& word) { return word.name; }
std::string_view NameOf(const OperatorWord& word) { return word.name; }

template <class Words>
auto Find(const Words& words, std::string_view name) {
  const auto found = std::find_if(std::begin(words), std::end(words), [name](const auto& word) {
    return EqualWords(NameOf(word), name);
  });
  return found == std::end(words) ? nullptr : &*found;
}

// How many letters must be added, left out or changed, regardless of case.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const bool same = std::tolower(static_cast<unsigned char>(a[i])) ==
                        std::tolower(static_cast<unsigned char>(b[j]));
      const std::size_t changed = diagonal + (same ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

template <class Words>
std::string Hint(const Words& words, std::string_view name, std::string_view prefix = "") {
  constexpr std::size_t kShortest = 2;
  constexpr std::size_t kLongest = 64;  // nobody mistypes a longer one
  if (name.size() < kShortest || name.size() > kLongest) return "";
  std::string_view nearest;
  std::size_t least = std::max<std::size_t>(name.size() / 3, 1) + 1;
  for (const auto& word : words) {
    const std::size_t distance = Distance(name, NameOf(word));
    if (distance < least) {
      least = distance;
      nearest = NameOf(word);
    }
  }
  if (nearest.empty()) return "";
  return ", did you mean \"" + std::string(prefix) + std::string(nearest) + "\"?";
}

}  // namespace

bool EqualWords(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

const DirectiveWord* FindDirective(std::string_view name) { return Find(kDirectives, name); }
const OperatorWord* FindOperator(std::string_view name) { return Find(kOperators, name); }
bool IsVariable(std::string_view name) { return Find(kVariables, name) != nullptr; }
bool IsTransformation(std::string_view name) { return Find(kTransformations, name) != nullptr; }
bool IsAction(std::string_view name) { return Find(kActionNames, name) != nullptr; }
bool IsControl(std::string_view name) { return Find(kControls, name) != nullptr; }

std::string DirectiveHint(std::string_view name) { return Hint(kDirectives, name); }
std::string OperatorHint(std::string_view name) { return Hint(kOperators, name, "@"); }
std::string VariableHint(std::string_view name) { return Hint(kVariables, name); }
std::string TransformationHint(std::string_view name) { return Hint(kTransformations, name); }
std::string ActionHint(std::string_view name) { return Hint(kActionNames, name); }
std::string ControlHint(std::string_view name) { return Hint(kControls, name); }

}  // namespace framewall::waf
