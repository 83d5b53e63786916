// What is said about scripts that do not parse: {input, line:columns message | hint}.
#include <gtest/gtest.h>

#include <set>

#include "tests/parser/parse.h"

namespace kawk {
namespace {

constexpr ParseCase kCases[] = {
    // lexical
    {"BEGIN { ` }", "1:9-10 unexpected character ```"},
    {"BEGIN { é; 1 2 }",
     R"(1:9-11 unexpected character `é`
1:15-16 syntax: expected `;` before `2`)"},
    {"BEGIN { “a” }",
     R"(1:9-12 unexpected character `“` | strings are written with plain double quotes
1:13-16 unexpected character `”` | strings are written with plain double quotes)"},
    {R"(BEGIN { # x
 })",
     "1:9-10 unexpected character `#` | preprocessor lines stand outside of probes"},
    {"BEGIN { $ }", "1:9-10 unexpected character `$` | variables are `$name`, positional parameters `$1`, their number `$#`"},
    {R"(BEGIN { "abc }
BEGIN { 1 })",
     R"(1:9-15 string is not closed on its line
2:12-12 syntax: expected `}` at the end of the file | the `{` at 1:7 is not closed)"},
    {R"(BEGIN { "\q\xzz" })",
     R"(1:10-12 unknown escape `\q` in string | the escapes are \n \t \r \e \\ \" \' \0nn and \xNN; a backslash itself is \\
1:12-14 unknown escape `\x` in string | the escapes are \n \t \r \e \\ \" \' \0nn and \xNN; a backslash itself is \\)"},
    {"BEGIN { /* x", R"(1:9-11 comment is not closed
1:13-13 syntax: expected `}` at the end of the file | the `{` at 1:7 is not closed)"},
    {"BEGIN { 99999999999999999999; 1e30; 300000d }",
     R"(1:9-29 integer `99999999999999999999` does not fit in 64 bits | the largest is 18446744073709551615
1:31-35 integer `1e30` does not fit in 64 bits | the largest is 18446744073709551615
1:37-44 integer `300000d` does not fit in 64 bits | the largest is 18446744073709551615)"},
    {"BEGIN { 09; 0x; 1_; 5xyz; 0b1; 1e; 0x5ms }",
     R"(1:9-11 `09` is not a valid integer | write `10`, `0x1f`, `017`, `1_000` or `1e6`, with ns, us, ms, s, m, h or d behind it for a duration
1:13-15 `0x` is not a valid integer | write `10`, `0x1f`, `017`, `1_000` or `1e6`, with ns, us, ms, s, m, h or d behind it for a duration
1:17-19 `1_` is not a valid integer | write `10`, `0x1f`, `017`, `1_000` or `1e6`, with ns, us, ms, s, m, h or d behind it for a duration
1:21-25 `5xyz` is not a valid integer | write `10`, `0x1f`, `017`, `1_000` or `1e6`, with ns, us, ms, s, m, h or d behind it for a duration
1:27-30 `0b1` is not a valid integer | write `10`, `0x1f`, `017`, `1_000` or `1e6`, with ns, us, ms, s, m, h or d behind it for a duration
1:32-34 `1e` is not a valid integer | write `10`, `0x1f`, `017`, `1_000` or `1e6`, with ns, us, ms, s, m, h or d behind it for a duration
1:36-41 `0x5ms` is not a valid integer | write `10`, `0x1f`, `017`, `1_000` or `1e6`, with ns, us, ms, s, m, h or d behind it for a duration)"},
    {"BEGIN { $0; $99999999999 }",
     R"(1:9-11 `$0` is not a positional parameter | the first parameter is `$1`, their number is `$#`
1:13-25 `$99999999999` is not a positional parameter | the first parameter is `$1`, their number is `$#`)"},
    {"BEGIN { 'abc'; ''; 'a }",
     R"(1:9-14 'abc' is not one character | strings are written with double quotes
1:16-18 '' is not one character | strings are written with double quotes
1:20-21 unexpected character `'` | strings are written with double quotes)"},
    {"struct a { int x", "1:1-7 C definition is not closed | a `}` is missing"},
    {"typedef int x", "1:1-8 C definition is not closed | a `;` is missing"},
    // what is expected
    {"BEGIN { 1 2 }", "1:11-12 syntax: expected `;` before `2`"},
    {"BEGIN { print(1 }", "1:17-18 syntax: expected `)` before `}` | the `(` at 1:14 is not closed"},
    {"BEGIN { print(1 2) }", "1:17-18 syntax: expected `)` or `,` before `2`"},
    {"BEGIN { f(1,) }", "1:13-14 syntax: expected an expression before `)`"},
    {"BEGIN { 1 + }", "1:13-14 syntax: expected an expression before `}`"},
    {"BEGIN { let }", "1:13-14 syntax: expected variable before `}`"},
    {"BEGIN { let $x: 5 }", "1:17-18 syntax: expected a type before `5`"},
    {"BEGIN { @x[] }", "1:12-13 syntax: expected an expression before `]`"},
    {"BEGIN { a[1 }", "1:13-14 syntax: expected `]` before `}` | the `[` at 1:10 is not closed"},
    {"BEGIN { 1 ? 2 }", "1:15-16 syntax: expected `:` before `}`"},
    {"BEGIN { sizeof $x }", "1:16-18 syntax: expected `(` before `$x`"},
    {"BEGIN { (a=1, 2) }", "1:15-16 syntax: expected identifier or `)` before `2`"},
    {R"(BEGIN { $x = 1
$y = 2 })",
     "2:1-3 syntax: expected `;` before `$y` | a `;` is missing at the end of line 1"},
    {R"(BEGIN { $x =
})",
     "2:1-2 syntax: expected an expression before `}`"},
    {"BEGIN { $a = $b = 1 }", "1:17-18 syntax: expected `;` before `=` | an assignment is a statement of its own"},
    {"BEGIN { if (@a = 1) { } }",
     "1:16-17 syntax: expected `)` or `,` before `=` | `==` compares; an assignment is a statement of its own"},
    {"kprobe:f /pid = 1/ { 2 3 }",
     R"(1:15-16 syntax: expected `/` before `=` | `==` compares; an assignment is a statement of its own
1:24-25 syntax: expected `;` before `3`)"},
    {"BEGIN { if (1) print(1); }", "1:16-21 syntax: expected `{` before `print` | bodies are written in braces: `{ … }`"},
    {"BEGIN { if 1 { } else 2 }", "1:23-24 syntax: expected `if` or `{` before `2` | bodies are written in braces: `{ … }`"},
    {"BEGIN { if 1 { }; else { } }", "1:19-23 syntax: expected a statement or `}` before `else` | no `;` between `}` and `else`"},
    {"BEGIN { for (i = 0; i < 5; i++) { print(1) } 2 3 }",
     R"(1:14-15 syntax: expected variable before `i` | loops are written `for ($i : 0..10) { … }` or `for ($kv : @map) { … }`
1:48-49 syntax: expected `;` before `3`)"},
    {"BEGIN { for ($i = 0; $i < 5; $i++) { } }",
     "1:17-18 syntax: expected `:` before `=` | loops are written `for ($i : 0..10) { … }` or `for ($kv : @map) { … }`"},
    {"BEGIN { for ($i : 0..) { } }",
     "1:22-23 syntax: expected an expression before `)` | loops are written `for ($i : 0..10) { … }` or `for ($kv : @map) { … "
     "}`"},
    {"BEGIN { int x = 1 }",
     "1:13-14 syntax: expected `;` before `x` | variables start with `$`: `$x`, or with a type `let $x: int = …`"},
    {"BEGIN { $x = 1 and 2 }", "1:16-19 syntax: expected `;` before `and` | and is written `&&`"},
    {"BEGIN { not $x }", "1:13-15 syntax: expected `;` before `$x` | not is written `!`"},
    {"BEGIN { f(struct foo) }",
     "1:11-17 syntax: expected an expression or `)` before `struct` | a type is passed as `typeof(struct …)`, a variable "
     "declared as `let $x: struct …`"},
    {"BEGIN { print(1)) }", "1:17-18 syntax: expected `;` before `)` | this `)` closes nothing"},
    // brackets
    {"BEGIN { print(1);", "1:18-18 syntax: expected `}` at the end of the file | the `{` at 1:7 is not closed"},
    {R"(BEGIN { if 1 { print(1)
)",
     "2:1-1 syntax: expected `}` at the end of the file | the `{` at 1:14 is not closed"},
    {"BEGIN { @a[; 1 } END { ) }",
     R"(1:12-13 syntax: expected an expression before `;` | the `[` at 1:11 is not closed
1:24-25 syntax: expected a statement or `}` before `)` | this `)` closes nothing)"},
    {"BEGIN { print((1, 2; }", "1:20-21 syntax: expected `)` before `;` | the `(` at 1:15 is not closed"},
    {"BEGIN { } }", "1:11-12 syntax: expected a probe before `}` | this `}` closes nothing"},
    {R"(BEGIN { print(1);
END { print(2) })",
     R"(2:5-6 syntax: expected `;` before `{` | a probe cannot stand inside another: is the `{` at 1:7 closed?
2:17-17 syntax: expected `}` at the end of the file | the `{` at 1:7 is not closed)"},
    {R"(BEGIN { print(1);
kprobe:f { print(2) })",
     R"(2:7-8 syntax: expected `;` before `:` | a probe cannot stand inside another: is the `{` at 1:7 closed?
2:22-22 syntax: expected `}` at the end of the file | the `{` at 1:7 is not closed)"},
    // the root
    {"BEGIN", "1:6-6 syntax: expected `{` at the end of the file"},
    {"kprobe:f + 0x10 { }", "1:10-11 syntax: expected `{` before `+` | several attach points are separated by `,`"},
    {"kprobe : f { 1 2 }", "1:8-9 syntax: expected `{` before `:`"},
    {"kprobe:{a,b} { }", "1:10-11 syntax: expected `;` before `,` | several attach points are written out: `kprobe:a, kprobe:b`"},
    {R"(kprobe:a
kprobe:b { })",
     "2:1-9 syntax: expected `{` before `kprobe:b` | several attach points are separated by `,`"},
    {"kprobe:f /1 { }", "1:13-14 syntax: expected `/` before `{`"},
    {"kprobe:f / 1 + / { 1 2 }",
     R"(1:16-17 syntax: expected an expression before `/`
1:22-23 syntax: expected `;` before `2`)"},
    {"print(1)",
     "1:9-9 syntax: expected `{` at the end of the file | statements stand inside a probe, for example `BEGIN { … }`"},
    {R"(print("a b"); BEGIN { 1 2 })",
     "1:13-14 syntax: expected `{` before `;` | statements stand inside a probe, for example `BEGIN { … }`"},
    {"if (1) { print(2) }",
     "1:4-7 syntax: expected `{` before `(1)` | statements stand inside a probe, for example `BEGIN { … }`"},
    {"{ print(1) }", "1:1-2 syntax: expected a probe before `{` | name the event in front, for example `BEGIN {`"},
    {"fn f($a) { }", "1:4-9 syntax: expected `{` before `f($a)` | functions are written `macro name($a, b) { … }`"},
    {"macro f { }", "1:9-10 syntax: expected `(` before `{`"},
    {"macro f(1) { } BEGIN { 1 2 }",
     R"(1:9-10 syntax: expected identifier, variable, map or `)` before `1`
1:26-27 syntax: expected `;` before `2`)"},
    {"let @m; BEGIN { 1 2 }",
     R"(1:7-8 syntax: expected `=` before `;`
1:19-20 syntax: expected `;` before `2`)"},
    {"let @m = 5; BEGIN { }", "1:10-11 syntax: expected identifier before `5`"},
    {"import x; BEGIN { 1 2 }",
     R"(1:8-9 syntax: expected string before `x`
1:21-22 syntax: expected `;` before `2`)"},
    {"config = { a = 1, b = 2 }", "1:17-18 syntax: expected `;` before `,` | write `;` instead"},
    {"config = { a = -1; = 2 } BEGIN { 1 2 }",
     R"(1:16-17 syntax: expected a value before `-`
1:20-21 syntax: expected identifier or `;` before `=` | an assignment is a statement of its own
1:36-37 syntax: expected `;` before `2`)"},
    {"config { }", "1:8-9 syntax: expected `=` before `{`"},
    // several at once
    {"BEGIN { 1 2; 3 4; if (5 6) { 7 8 } $x = { 9 10; 11 } }",
     R"(1:11-12 syntax: expected `;` before `2`
1:16-17 syntax: expected `;` before `4`
1:25-26 syntax: expected `)` or `,` before `6`
1:45-47 syntax: expected `;` before `10`)"},
    {"kprobe:f { print((1 } kprobe:g { 2 + } BEGIN { 3 3 }",
     R"(1:21-22 syntax: expected `)` before `}` | the `(` at 1:18 is not closed
1:38-39 syntax: expected an expression before `}`
1:50-51 syntax: expected `;` before `3`)"},
};

TEST(Parser, Errors) {
  for (const ParseCase& c : kCases) EXPECT_EQ(ParseErrors(c.input), c.dump) << c.input;
}

// Every message of the lexer and the parser is in the table above or in limits_test.cpp.
TEST(Parser, EveryDiagnosticIsTested) {
  std::set<Diag> seen = {Diag::NestedTooDeep};
  for (const ParseCase& c : kCases) {
    const Parsed parsed(c.input);
    for (const Diagnostic& diagnostic : parsed.diagnostics.all()) seen.insert(diagnostic.id);
  }
  for (auto id = static_cast<int>(Diag::UnexpectedCharacter); id <= static_cast<int>(Diag::NestedTooDeep); ++id) {
    EXPECT_TRUE(seen.contains(static_cast<Diag>(id))) << NameOf(static_cast<Diag>(id));
  }
}

}  // namespace
}  // namespace kawk
