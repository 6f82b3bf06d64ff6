#include "proxy/config/yaml_reader.h"

#include <gtest/gtest.h>

#include "proxy/config/nginx_reader.h"
#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

std::string Yaml(std::string_view text) {
  Diagnostics diagnostics;
  std::vector<Directive> tree;
  ReadYamlText(text, "a.yaml", diagnostics, tree);
  return diagnostics.has_errors() ? Show(diagnostics) : Show(tree);
}

std::string Nginx(std::string_view text) {
  Diagnostics diagnostics;
  std::vector<Directive> tree;
  ReadNginxText(text, "a.conf", diagnostics, tree);
  return diagnostics.has_errors() ? Show(diagnostics) : Show(tree);
}

TEST(YamlReader, ScalarHoldsArgumentsAsNginxText) {
  EXPECT_EQ(Yaml("listen: 80 default_server"), "listen <80> <default_server>;");
  EXPECT_EQ(Yaml("add_header: X-A 'b c' always"), "add_header <X-A> <b c> <always>;");
  // YAML's own quotes only carry what plain YAML cannot.
  EXPECT_EQ(Yaml("return: '200 \"a: b\"'"), "return <200> <a: b>;");
}

TEST(YamlReader, ListHoldsArgumentsVerbatim) {
  EXPECT_EQ(Yaml("return: [200, 'a \"b\"; c']"), "return <200> <a \"b\"; c>;");
  EXPECT_EQ(Yaml("modsecurity_rules:\n  - |\n    SecRule A\n    SecRule B\n"),
            "modsecurity_rules <SecRule A\nSecRule B\n>;");
  EXPECT_EQ(Yaml("set: [$a, '']"), "set <$a> <>;");
}

TEST(YamlReader, NullHasNoArguments) {
  EXPECT_EQ(Yaml("internal:"), "internal;");
  EXPECT_EQ(Yaml("ip_hash: ~"), "ip_hash;");
}

TEST(YamlReader, MappingIsABlock) {
  EXPECT_EQ(Yaml("events: {}\nhttp:\n  server:\n    listen: 80\n"),
            "events { } http { server { listen <80>; } }");
}

TEST(YamlReader, KeyMayHoldArguments) {
  EXPECT_EQ(Yaml("location ~ ^/a:\n  return: 204\n"), "location <~> <^/a> { return <204>; }");
  EXPECT_EQ(Yaml("'if ($a = \"b c\")':\n  return: 403\n"),
            "if <($a> <=> <b c> <)> { return <403>; }");
}

TEST(YamlReader, ListOfMappingsIsABlockInOrder) {
  EXPECT_EQ(Yaml("server:\n  - set: $a 1\n  - set: $b 2\n  - rewrite: ^/x /y last\n"),
            "server { set <$a> <1>; set <$b> <2>; rewrite <^/x> </y> <last>; }");
}

TEST(YamlReader, ListOfListsRepeatsTheDirective) {
  EXPECT_EQ(Yaml("allow: [[10.0.0.0/8], [127.0.0.1]]"), "allow <10.0.0.0/8>; allow <127.0.0.1>;");
  EXPECT_EQ(Yaml("server:\n  - - listen: 80\n  - - listen: 81\n    - root: /b\n"),
            "server { listen <80>; } server { listen <81>; root </b>; }");
}

TEST(YamlReader, TopMayBeAList) {
  EXPECT_EQ(Yaml("- env: A\n- env: B\n"), "env <A>; env <B>;");
  EXPECT_EQ(Yaml(""), "");
  EXPECT_EQ(Yaml("# nothing\n"), "");
}

TEST(YamlReader, BlocksWithWordsOfTheirOwn) {
  EXPECT_EQ(Yaml("map $uri $class:\n  default: 0\n  ~^/api/: api\ntypes:\n  text/html: html htm\n"),
            Nginx("map $uri $class { default 0; ~^/api/ api; } types { text/html html htm; }"));
}

TEST(YamlReader, RemembersLines) {
  Diagnostics diagnostics;
  std::vector<Directive> tree;
  ReadYamlText("a: 1\nb:\n  c: 2\nd:\n  - [x]\n  - [y]\n", "a.yaml", diagnostics, tree);
  ASSERT_EQ(tree.size(), 4u);
  EXPECT_EQ(tree[0].at.line, 1);
  EXPECT_EQ(tree[1].at.line, 2);
  EXPECT_EQ(tree[1].block.at(0).at.line, 3);
  EXPECT_EQ(tree[3].at.line, 6);
}

TEST(YamlReader, RefusesWhatWouldBeRead) {
  EXPECT_EQ(Yaml("a: 1\na: 2\n"),
            "error: duplicate key \"a\"; where a directive is repeated, the block is a list of \"- "
            "name: value\" in a.yaml:2\n");
  EXPECT_EQ(Yaml("a: &x 1\nb: *x\n"),
            "error: a YAML anchor \"&x\" is not understood here in a.yaml:1\n"
            "error: a YAML alias is not understood here; quote a value that begins with \"*\" in "
            "a.yaml:2\n");
  EXPECT_EQ(Yaml("a: !!str 1\n"),
            "error: a YAML tag \"tag:yaml.org,2002:str\" is not understood here in a.yaml:1\n");
  EXPECT_EQ(Yaml("a:\n  - b: 1\n    c: 2\n"),
            "error: a list of directives has one \"name: value\" in each item in a.yaml:2\n");
  EXPECT_EQ(Yaml("a: [1, [2]]\n"),
            "error: the list of \"a\" holds either arguments, or lists, or directives, not some of "
            "each; an empty argument is '' in a.yaml:1\n");
  EXPECT_EQ(Yaml("a: b; c\n"), "error: unexpected \";\" in the value of \"a\" in a.yaml:1\n");
  EXPECT_EQ(Yaml("just text\n"), "error: a mapping of directives was expected in a.yaml:1\n");
  EXPECT_EQ(Yaml("a: 1\n---\nb: 2\n"),
            "error: only one YAML document may stand in a file in a.yaml:3\n");
  EXPECT_NE(Yaml("a: [1, 2\n").find("error: YAML: "), std::string::npos);
  EXPECT_NE(Yaml("\"\": 1\n").find("the name of a directive was expected"), std::string::npos);
  EXPECT_NE(Yaml("? [a]\n: 1\n").find("the name of a directive was expected"), std::string::npos);
}

TEST(YamlReader, GivesTheTreeOfTheText) {
  EXPECT_EQ(Yaml(R"(
user: www-data
worker_processes: auto
events:
  worker_connections: 768
http:
  - include: mime.types
  - log_format: main '$remote_addr "$request"'
  - map $uri $class:
      default: 0
      ~^/api: api
  - upstream app:
      - server: 127.0.0.1:9000 weight=2
      - server: 127.0.0.1:9001
      - keepalive: 16
  - server:
      - listen: 80
      - listen: '[::]:80'
      - server_name: '*.example.com'
      - 'if ($host = "old")':
          return: 301 https://new$request_uri
      - location /:
          proxy_pass: http://app
          proxy_set_header: [[Host, $host], [X-Note, "a; b"]]
      - location ~ \.php$:
          internal:
)"),
            Nginx(R"(
user www-data;
worker_processes auto;
events { worker_connections 768; }
http {
  include mime.types;
  log_format main '$remote_addr "$request"';
  map $uri $class { default 0; ~^/api api; }
  upstream app { server 127.0.0.1:9000 weight=2; server 127.0.0.1:9001; keepalive 16; }
  server {
    listen 80;
    listen [::]:80;
    server_name *.example.com;
    if ($host = "old") { return 301 https://new$request_uri; }
    location / {
      proxy_pass http://app;
      proxy_set_header Host $host;
      proxy_set_header X-Note "a; b";
    }
    location ~ \.php$ { internal; }
  }
}
)"));
}

}  // namespace
}  // namespace framewall::config
