// Everything that can be set: a YAML file, and environment variables over it. A setting is a member
// here and a row in rows.cc; docs/backend.md has the table of them, which a test compares. Nothing
// secret has a default.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace framewall::backend {

struct Settings {
  // --- where ---
  std::string listen = "unix:backend.sock";          // or 127.0.0.1:PORT
  unsigned socket_mode = 0660;                       // of a Unix socket
  std::string public_url = "http://localhost:8080";  // issuer, origins, links; no path, no slash
  std::string data_dir = "data";                     // database, keys; made with mode 0700
  std::string log_level = "notice";
  std::string log_file;       // empty: standard error
  bool trust_real_ip = true;  // X-Real-IP of the gateway

  // --- accounts ---
  bool registration_open = false;
  int64_t access_token_seconds = 600;  // at most 600
  int64_t refresh_token_seconds = 30 * 86400;
  std::string admin_name = "admin";
  std::string audience = "framewall";
  size_t password_threads = 2;
  size_t password_queue = 64;
  size_t password_min = 10;       // characters
  size_t password_max = 511;      // octets; crypt(3) takes no longer ones
  int64_t signing_key_days = 90;  // then a new one signs; the old one verifies on
  std::string signing_key_dir;    // mounted NAME.pem, the last of which signs; empty: our own

  // --- sizes and rates ---
  size_t body_limit = 65536;     // octets of a JSON body
  size_t message_limit = 16384;  // octets of a chat message's text
  size_t message_characters = 8192;
  size_t page_size = 50;
  size_t page_limit = 200;
  size_t connection_limit = 10000;
  int64_t head_seconds = 10;  // from a request's first octet to the end of its head
  int64_t body_seconds = 60;  // for the whole of a body
  int64_t send_seconds = 60;  // without the client taking anything
  int64_t idle_seconds = 75;  // of a kept connection
  int64_t drain_seconds = 20;

  // --- chat ---
  size_t chat_rooms = 100;           // joined by one socket
  size_t chat_sockets = 20;          // of one user
  size_t chat_messages = 10;         // a second, of one socket
  size_t chat_burst = 30;            // of them at once
  size_t chat_unsent = 1024 * 1024;  // octets that a slow reader may leave
  int64_t chat_ping_seconds = 30;
  size_t chat_answers = 2;  // of an assistant, at a time, to one user

  // --- models ---
  struct Provider {
    std::string name;
    std::string kind;                // echo, ollama, openai, anthropic
    std::string url = {};            // http(s)://HOST[:PORT][/PREFIX]; not for echo
    std::string key = {};            // secret; empty: none is sent
    std::string authorization = {};  // bearer, x-api-key; empty: as the kind does
    std::string version = {};        // anthropic-version; empty: 2023-06-01
    std::string ca_file = {};        // PEM; empty: the system's
    bool image_addresses = false;    // may be given addresses of images, which it then fetches
    int64_t connect_ms = 5000;       // with name and TLS
    int failures = 3;                // in a row, then it is left alone
    int64_t pause_ms = 10000;        // for so long
  };
  struct Target {
    std::string provider;
    std::string model = {};  // as the provider calls it; empty: as clients do
    int weight = 1;          // with by_weight
  };
  struct Model {
    std::string name;
    std::string provider;             // the only one; empty: `targets`
    std::string provider_model = {};  // empty: as `name`
    std::vector<Target> targets = {};
    bool by_weight = false;  // else in their order
    int64_t first_token_ms = 120000;
    int64_t between_tokens_ms = 60000;
    int retries = 1;     // rounds more through its providers, before the first token
    bool cache = false;  // exact answers to deterministic requests (temperature 0 or a seed)
  };
  // For each user, and for each key; 0: no limit.
  struct LlmLimits {
    int64_t requests_per_minute = 0;
    int64_t tokens_per_minute = 0;
    int64_t requests_per_day = 0;
    int64_t tokens_per_day = 0;
    int64_t concurrent = 0;
  };
  std::vector<Provider> providers = {{"echo", "echo"}};
  std::vector<Model> models = {{"echo", "echo", ""}};
  LlmLimits llm_user = {.concurrent = 16};
  LlmLimits llm_key = {};
  size_t llm_cache_octets = size_t{64} * 1024 * 1024;
  std::string llm_prompt_log;  // a file for prompts and answers; empty: they are in none
  size_t llm_prompt_log_octets = 64 * 1024;  // of a request's prompt, and of its answer

  // --- Redis: budgets that several backends share ---
  std::vector<std::string> redis_servers;  // HOST[:PORT], unix:PATH; none: there is no Redis
  std::string redis_sentinel;              // the servers are Sentinels of this master
  bool redis_cluster = false;              // the servers are nodes of a Cluster
  std::string redis_user;
  std::string redis_password;  // secret, from a file only
  std::string redis_sentinel_user;
  std::string redis_sentinel_password;  // secret, from a file only
  int64_t redis_database = 0;
  std::string redis_prefix = "framewall:";  // of keys
  bool redis_tls = false;
  std::string redis_tls_name;         // empty: each server's host
  std::string redis_ca_file;          // PEM; empty: the system's
  std::string redis_certificate;      // ours, PEM
  std::string redis_certificate_key;  // its file
  int64_t redis_deadline_ms = 100;    // of a question, connecting included
  int redis_failures = 3;             // in a row, then it is left alone
  int64_t redis_pause_ms = 1000;      // for so long
  std::string redis_when_down = "local";
};

}  // namespace framewall::backend
