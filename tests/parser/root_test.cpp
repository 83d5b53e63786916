// What may stand at the root of a script: {input, compact dump}.
#include <gtest/gtest.h>

#include "tests/parser/parse.h"

namespace kawk {
namespace {

constexpr ParseCase kCases[] = {
    // attach points
    {"BEGIN { } END{ } begin,end {}", "probe BEGIN, probe END, probe begin, end"},
    {"kprobe:f, kretprobe:g , tracepoint:a:b {}", "probe kprobe:f, kretprobe:g, tracepoint:a:b"},
    {R"(kprobe:f,
  kprobe:g,
{})",
     "probe kprobe:f, kprobe:g"},
    {"kprobe:vfs_*, uprobe:/bin/bash:readline, uprobe:./a.out:f+0x10, profile:hz:99, interval:1s, self:signal:SIGUSR1, usdt:*:p* "
     "{}",
     "probe kprobe:vfs_*, uprobe:/bin/bash:readline, uprobe:./a.out:f+0x10, profile:hz:99, interval:1s, self:signal:SIGUSR1, "
     "usdt:*:p*"},
    {R"x(uprobe:/x:cpp:"ns::f(int, char)" {} uprobe:"/a b":f {} uprobe:$1:f {} kprobe:f[abc]? {} kprobe:f+0x10{1})x",
     R"x(probe uprobe:/x:cpp:"ns::f(int, char)", probe uprobe:"/a b":f, probe uprobe:$1:f, probe kprobe:f[abc]?, probe kprobe:f+0x10(int 1))x"},
    {"uprobe:/a//b:f {} uprobe:/a/*:f {} *:f {}", "probe uprobe:/a//b:f, probe uprobe:/a/*:f, probe *:f"},
    {"a=kprobe:f {} a = kprobe:f, b=kprobe:g {}", "probe a=kprobe:f, probe a=kprobe:f, b=kprobe:g"},
    // predicates
    {R"(kprobe:f /pid == 1/ {} kprobe:f
/1/
{} BEGIN/1/{} kprobe:f /$1 / 2 == 3/ {} kprobe:f /(1 / 2) / 3/ // c
 {})",
     "probe kprobe:f(predicate(binary ==(ident pid, int 1))), probe kprobe:f(predicate(int 1)), probe BEGIN(predicate(int 1)), "
     "probe kprobe:f(predicate(binary ==(binary /(param $1, int 2), int 3))), probe kprobe:f(predicate(binary /(binary /(int 1, "
     "int 2), int 3)))"},
    {R"(kprobe:f/pid==1/ {} kprobe:f /{1} == 2/ {} kprobe:f /comm == "a/b"/ {})",
     R"(probe kprobe:f/pid==1/, probe kprobe:f(predicate(binary ==(block(value(int 1)), int 2))), probe kprobe:f(predicate(binary ==(ident comm, str "a/b"))))"},
    // config, import, map declarations
    {R"(config = { max_strlen = 10; missing_probes = "warn"; license = GPL; a = true; b = 0x10 } config={})",
     R"(config max_strlen = "10", config missing_probes = "warn", config license = "GPL", config a = "true", config b = "16")"},
    {R"(import "a.bt"; import "b";; import "c" BEGIN {})", R"(import "a.bt", import "b", import "c", probe BEGIN)"},
    {"let @m = hash(100); let @n = lruhash(1 + 1) BEGIN {}",
     "let @m = hash(int 100), let @n = lruhash(binary +(int 1, int 1)), probe BEGIN"},
    // macros
    {"macro f($a, b, @c) { $a + b } macro g() { 1; } macro h() { print(1); }",
     "macro f($a, b, @c)(block(value(binary +(var $a, ident b)))), macro g()(block(int 1)), macro h()(block(call print(int 1)))"},
    {"macro f(a) { if a { 1 } else if 2 { 3 } else { 4 } } macro g() { { 1 } } macro h(a) { if a { 1 } }",
     "macro f(a)(block(value(ternary(ident a, block(value(int 1)), ternary(int 2, block(value(int 3)), block(value(int 4))))))), "
     "macro g()(block(value(block(value(int 1))))), macro h(a)(block(if(ident a), then(int 1)))"},
    {"macro f(a) { (a) - 1 }", "macro f(a)(block(value(binary -(ident a, int 1))))"},
    // C definitions
    {R"(#define X 1
#include <linux/fs.h>
#define Y \
  2
BEGIN {})",
     R"(c `#define X 1`, c `#include <linux/fs.h>`, c `#define Y \\\n  2`, probe BEGIN)"},
    {R"(struct foo { int x; union { int a; } u; }; struct bar { char c[4]; } __attribute__((packed)); struct baz; union u { int a; } enum e { A, B }
BEGIN {})",
     "c `struct foo { int x; union { int a; } u; };`, c `struct bar { char c[4]; } __attribute__((packed));`, c `struct baz;`, c "
     "`union u { int a; };`, c `enum e { A, B };`, probe BEGIN"},
    {"typedef struct { int x; } foo_t; typedef int bar; BEGIN { (bar)-1; sizeof(bar); (foo_t)*$x }",
     "c `typedef struct { int x; } foo_t;`, c `typedef int bar;`, probe BEGIN(cast bar(unary -(int 1)), sizeof bar, cast "
     "foo_t(unary *(var $x)))"},
    {R"(struct a { /* } */ int x; // }
 char *s; }; BEGIN {})",
     R"(c `struct a { /* } */ int x; // }\n char *s; };`, probe BEGIN)"},
    {R"(#!/usr/bin/env kawk
BEGIN {})",
     "probe BEGIN"},
    {R"(BEGIN {} struct foo { int x; }; config = { a = 1 } import "x";)",
     R"(c `struct foo { int x; };`, config a = "1", import "x", probe BEGIN)"},
    // nothing
    {"// only a comment", ""},
    {"/* */", ""},
};

TEST(Parser, Root) {
  for (const ParseCase& c : kCases) EXPECT_EQ(ParseScript(c.input), c.dump) << c.input;
}

}  // namespace
}  // namespace kawk
