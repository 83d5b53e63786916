// Statements and what holds statements or types: {input, compact dump}.
#include <gtest/gtest.h>

#include "tests/parser/parse.h"

namespace kawk {
namespace {

constexpr ParseCase kCases[] = {
    // sizeof, offsetof, typeof
    {"sizeof(uint64)", "sizeof uint64"},
    {"sizeof(struct foo *)", "sizeof struct foo*"},
    {"sizeof(foo)", "sizeof(ident foo)"},
    {"sizeof(foo*)", "sizeof foo*"},
    {"sizeof(foo[4])", "sizeof(index(ident foo, int 4))"},
    {"sizeof(uint8[4])", "sizeof uint8[4]"},
    {"sizeof($x + 1)", "sizeof(binary +(var $x, int 1))"},
    {"sizeof((uint8)1)", "sizeof(cast uint8(int 1))"},
    {"sizeof(typeof($x)*)", "sizeof typeof(var $x)*"},
    {"offsetof(struct foo, a.b.if)", "offsetof struct foo, a.b.if"},
    {"offsetof(foo, a)", "offsetof a(ident foo)"},
    {"offsetof(*$x, a)", "offsetof a(unary *(var $x))"},
    {"offsetof(typeof($x), a)", "offsetof typeof(var $x), a"},
    {"f(typeof(uint64), typeof($x), typeof(struct foo*), typeof(a + b))",
     "call f(typeof uint64, typeof(var $x), typeof struct foo*, typeof(binary +(ident a, ident b)))"},
    // tuples, records, blocks, if as a value, comptime
    {"()", "tuple"},
    {"(1,)", "tuple(int 1)"},
    {"(1, 2)", "tuple(int 1, int 2)"},
    {"(1, 2,)", "tuple(int 1, int 2)"},
    {"(1, (2, 3))", "tuple(int 1, tuple(int 2, int 3))"},
    {"(a=1)", "record(a =(int 1))"},
    {"(a=1, b=(2, 3),)", "record(a =(int 1), b =(tuple(int 2, int 3)))"},
    {"(1, 2).0", "member .0(tuple(int 1, int 2))"},
    {"(a=1).a", "member .a(record(a =(int 1)))"},
    {"$x = {1; 2}; $x = {1; 2;}; $x = {}; f({ 1 })",
     "assign(var $x, block(int 1, value(int 2))), assign(var $x, block(int 1, int 2)), assign(var $x, block), call "
     "f(block(value(int 1)))"},
    {"$x = { if a { 1 } else { 2 } }; $x = { { 1 } }; $x = { if a { 1 } }; $x = { { 1 }; }",
     "assign(var $x, block(value(ternary(ident a, block(value(int 1)), block(value(int 2)))))), assign(var $x, "
     "block(value(block(value(int 1))))), assign(var $x, block(if(ident a), then(int 1))), assign(var $x, block(block(int 1)))"},
    {"$x = if (a) { 1 } else if b { 2; 3 } else { 4 }; print(if a { 1 } else { 2 })",
     "assign(var $x, ternary(ident a, block(value(int 1)), ternary(ident b, block(int 2, value(int 3)), block(value(int 4))))), "
     "call print(ternary(ident a, block(value(int 1)), block(value(int 2))))"},
    {"comptime 1 + 2; if comptime (1) { }", "binary +(int 1, int 2), if(int 1), then"},
    // statements
    {"$x = 1", "assign(var $x, int 1)"},
    {"@ = 2", "assign(map @, int 2)"},
    {"@x[1] = 3", "assign(index(map @x, int 1), int 3)"},
    {"*$p = 4", "assign(unary *(var $p), int 4)"},
    {"_ = f()", "discard(call f)"},
    {"_ = 1", "discard(int 1)"},
    {"$x += 1", "assign +=(var $x, int 1)"},
    {"@x -= 2", "assign -=(map @x, int 2)"},
    {"@x[1] *= 3", "assign *=(index(map @x, int 1), int 3)"},
    {"$x /= 4", "assign /=(var $x, int 4)"},
    {"$x %= 5", "assign %=(var $x, int 5)"},
    {"$x &= 6", "assign &=(var $x, int 6)"},
    {"$x |= 7", "assign |=(var $x, int 7)"},
    {"$x ^= 8", "assign ^=(var $x, int 8)"},
    {"$x <<= 9", "assign <<=(var $x, int 9)"},
    {"$x >>= 10", "assign >>=(var $x, int 10)"},
    {"let $a", "let $a"},
    {"let $b = 1", "let $b(int 1)"},
    {"let $c: uint64", "let $c: uint64"},
    {"let $d: struct foo* = 0", "let $d: struct foo*(int 0)"},
    {"let $e: string[64]", "let $e: string[64]"},
    {"let $f: int32*[4]*", "let $f: int32*[4]*"},
    {"let $g: typeof($x)[] = 1", "let $g: typeof(var $x)[](int 1)"},
    {"if (1) { 2 } if 1 { } else { 3 } if (1) {} else if (2) {} else {}",
     "if(int 1), then(int 2), if(int 1), then, else(int 3), if(int 1), then, else(if(int 2), then, else)"},
    {"while (1) { break; continue } while $x < 3 { $x++ }",
     "while(int 1), do(break, continue), while(binary <(var $x, int 3)), do(postfix ++(var $x))"},
    {"for ($i : 0..10) { 1 } for $i : $a..$b + 1 { } for ($kv : @m) { continue; } for $x : $arr.b { }",
     "for $i range(int 0, int 10), do(int 1), for $i range(var $a, binary +(var $b, int 1)), do, for $kv in(map @m), "
     "do(continue), for $x in(member .b(var $arr)), do"},
    {"unroll(3) { 1 } unroll 3 { 2 } unroll ($1) { }",
     "unroll(int 3), do(int 1), unroll(int 3), do(int 2), unroll(param $1), do"},
    {"return; return 1; return (1, 2); return (uint8)1; return { 1 }; return -1",
     "return, return(int 1), return(tuple(int 1, int 2)), return(cast uint8(int 1)), return(block(value(int 1))), return(unary "
     "-(int 1))"},
    {"{ 1; { 2 } }; ;; 3;", "block(int 1, block(int 2)), int 3"},
    {"@x = count()", "assign(map @x, call count)"},
    {"@y[comm] = hist(args.ret, 2)", "assign(index(map @y, ident comm), call hist(member .ret(ident args), int 2))"},
    {"print(@x, 5)", "call print(map @x, int 5)"},
    {"clear(@x)", "call clear(map @x)"},
    {R"(// comment
1 /* 2 */ + /* 
 */ 3 // end
)",
     "binary +(int 1, int 3)"},
    {"config", "ident config"},
    {"import", "ident import"},
    {"macro", "ident macro"},
    {"let $config = import", "let $config(ident import)"},
};

TEST(Parser, Statements) {
  for (const ParseCase& c : kCases) EXPECT_EQ(ParseStatements(c.input), c.dump) << c.input;
}

}  // namespace
}  // namespace kawk
