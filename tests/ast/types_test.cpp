// Types of variables and maps, by script. Expectations follow the peer (`-d types`) unless a comment says otherwise.
#include <gtest/gtest.h>

#include "tests/ast/analysis.h"

namespace kawk {
namespace {

// "$a:uint64 @m[uint32]:int8"; "!" in front when there were errors.
std::string Types(const std::string& script, const std::vector<std::string>& positional = {}) {
  const auto analysis = AnalyseScript(script, positional);
  std::string out = analysis->diagnostics.has_errors() ? "!" : "";
  const auto add = [&](const std::string& name, const Type* key, const Type* value) {
    if (!out.empty() && out != "!") out += " ";
    out += name + (key != nullptr ? "[" + ToString(key) + "]" : "") + ":" + ToString(value);
  };
  for (const VariableInfo& variable : analysis->typed.variables) add(variable.name, nullptr, variable.type);
  for (const MapInfo& map : analysis->typed.maps) add(map.name, map.key, map.value);
  return out;
}

struct Row {
  const char* script;
  const char* types;
};

void Check(const std::vector<Row>& rows) {
  for (const Row& row : rows) EXPECT_EQ(Types(row.script), row.types) << row.script;
}

TEST(Types, LiteralsAreAsSmallAsTheyCanBe) {
  Check({{"BEGIN { $a = 1; $b = 128; $c = -129; $d = 0xffffffff; }", "$a:int8 $b:int16 $c:int16 $d:int64"},
         {"BEGIN { $a = 18446744073709551615; $b = -9223372036854775808; }", "$a:uint64 $b:int64"},
         {"BEGIN { $a = true; $b = \"abc\"; $c = \"\"; }", "$a:bool $b:string[4] $c:string[1]"}});
}

TEST(Types, LiteralsTakeTheTypeOfTheirContext) {
  Check({{"BEGIN { $a = 1; $a = 300; $a = pid; }", "$a:uint32"},
         {"BEGIN { $a = pid; $a = -1; }", "$a:int64"},
         {"BEGIN { $a = -1; $a = 127; }", "$a:int8"},
         {"BEGIN { $a = pid ? 1 : pid; $b = pid ? 1 : 200; }", "$a:uint32 $b:int16"},
         {"BEGIN { @y[1] = pid; @y[nsecs] = 2; }", "@y[uint64]:uint32"},
         {"BEGIN { @x = 1; @x = 5000000000; }", "@x:int64"},
         {"BEGIN { @a[1, 2] = 1; @a[nsecs, pid] = 3; }", "@a[(uint64,uint32)]:int8"},
         {"BEGIN { $t = (1, \"a\"); $t = (300, \"abc\"); }", "$t:(int16,string[4])"}});
}

TEST(Types, ArithmeticIsDoneIn64Bits) {
  Check({{"BEGIN { $a = pid + 1; $b = pid - 1; $c = pid * -1; $d = pid / 2; }", "$a:uint64 $b:int64 $c:int64 $d:uint64"},
         {"BEGIN { $a = (int8)pid + (int8)uid; $b = (uint8)pid + (int8)uid; }", "$a:int64 $b:int64"},
         {"BEGIN { $a = -pid; $b = ~pid; $c = -(int8)pid; $d = !pid; }", "$a:uint64 $b:uint64 $c:int64 $d:bool"},
         {"BEGIN { $a = nsecs - @start[tid]; @start[tid] = nsecs; }", "$a:int64 @start[uint32]:uint64"},
         {"BEGIN { $a = (pid == 1) + 1; $b = pid > 1 && uid < 3; }", "$a:uint64 $b:bool"},
         // The peer takes the sign of both operands; how far to shift should say nothing.
         {"BEGIN { $a = nsecs >> (int8)pid; $b = (int8)pid << 2; }", "$a:uint64 $b:int64"}});
}

TEST(Types, StepsAndCompoundAssignmentAskForWidth) {
  Check({{"BEGIN { @c = 1; @c++; @d++; }", "@c:int64 @d:int64"},
         {"BEGIN { $a = pid; $a++; $b = (uint8)1; $b--; }", "$a:uint64 $b:int64"},
         {"BEGIN { @x++; @x = nsecs; }", "@x:uint64"},
         {"BEGIN { @f -= 1; $q = 1; $q += 300; }", "$q:int64 @f:int64"},
         // The peer makes these int64, with a warning.
         {"BEGIN { @e += pid; @g += nsecs; }", "@e:uint64 @g:uint64"},
         {"BEGIN { $f = (uint8)1; $f <<= 1; }", "$f:uint64"},
         {"BEGIN { let $y: uint8 = 5; $y--; $y += 3; }", "$y:uint8"}});
}

TEST(Types, OrderDoesNotMatter) {
  Check({{"BEGIN { @x = @y * 2; @y = nsecs; }", "@x:uint64 @y:uint64"},
         {"BEGIN { $a = @x; @x = \"s\"; }", "$a:string[2] @x:string[2]"},
         {"BEGIN { @x = @x + 1; }", "@x:int64"},
         {"BEGIN { @a = @b; } END { @b = @c; @c = (1, comm); }",
          "@a:(int8,string[16]) @b:(int8,string[16]) @c:(int8,string[16])"}});
}

TEST(Types, MapsNeverWrittenHoldIntegers) { Check({{"BEGIN { $a = @x; print(@y[1]); }", "$a:int64 @x:int64 @y[int8]:int64"}}); }

TEST(Types, Aggregates) {
  Check({{"BEGIN { @a = count(); @b = sum(pid); @c = sum(-1); @d = avg((int32)pid); }", "@a:count @b:usum @c:sum @d:avg"},
         {"BEGIN { @a = min(nsecs); @b = max(1); @c = stats(pid); }", "@a:umin @b:umax @c:ustats"},
         {"BEGIN { @a = hist(pid, 2); @b[1] = lhist(pid, 0, 10, 1); }", "@a:hist @b[int8]:lhist"},
         {"BEGIN { @a = sum(1); @a = sum(-1); }", "@a:sum"},
         {"BEGIN { @c = count(); $a = @c; $b = @c + 1; $d = (int64)@c; @k[@c] = 1; }",
          "$a:uint64 $b:uint64 $d:int64 @c:count @k[uint64]:int8"},
         {"BEGIN { @s = sum(-1); $a = @s > 5; if (@s) { } $b = @s; }", "$a:bool $b:int64 @s:sum"}});
}

TEST(Types, Strings) {
  Check({{"BEGIN { $a = \"a\"; $a = comm; @b = comm; @b = str(nsecs); }", "$a:string[16] @b:string[1025]"},
         {"BEGIN { $a = str(nsecs, 10); $b = str(nsecs, pid); $c = str(nsecs, 5000); }",
          "$a:string[10] $b:string[1025] $c:string[1025]"},
         {"config = { max_strlen = 64 } BEGIN { $a = str(nsecs); }", "$a:string[65]"},
         {"BEGIN { $a = \"a\" + \"bc\"; $b = \"a\" < \"b\"; $c = comm == \"bash\"; }", "$a:string[4] $b:bool $c:bool"}});
}

TEST(Types, Positional) {
  EXPECT_EQ(Types("BEGIN { $a = $1; $b = $2; $c = str($1); $n = $#; }", {"5", "abc"}),
            "$a:int8 $b:string[4] $c:string[2] $n:int8");
  EXPECT_EQ(Types("BEGIN { $a = $1; $b = $2; $c = $3; }", {"0x100", "-7", "5s"}), "$a:int16 $b:int8 $c:int64");
  EXPECT_EQ(Types("BEGIN { $a = $1; $b = str($1); }"), "$a:int8 $b:string[1]");
}

TEST(Types, BuiltinsAndStacks) {
  Check({{"BEGIN { $a = pid; $b = comm; $c = nsecs; $d = cpu; $e = elapsed; }",
          "$a:uint32 $b:string[16] $c:uint64 $d:uint32 $e:uint64"},
         {"BEGIN { $a = kstack; $b = ustack(3); $c = kstack(perf); $d = ustack(build_id, 5); }",
          "$a:kstack_bpftrace_127 $b:ustack_bpftrace_3 $c:kstack_perf_127 $d:ustack_build_id_5"},
         {"config = { stack_mode = \"raw\" } BEGIN { $a = kstack; }", "$a:kstack_raw_127"},
         {"BEGIN { $a = probe; } kprobe:vfs_* { $a = func; }", "$a:string[6] $a:string[10]"}});
}

TEST(Types, TracepointArguments) {
  Check({{"t:syscalls:sys_enter_openat { $a = args.filename; $b = args->dfd; $c = args.mode; $d = str(args.filename); }",
          "$a:int8 * $b:int32 $c:uint64 $d:string[1025]"},
         {"t:sched:sched_switch { $a = args.prev_comm; $b = args.prev_pid; $c = args.prev_state; }",
          "$a:string[16] $b:int32 $c:int64"},
         {"t:sched:sched_process_exec { $a = args.filename; }", "$a:string[1025]"},
         {"t:raw_syscalls:sys_enter { $a = args.args[1]; $b = args.id; }", "$a:uint64 $b:int64"}});
}

TEST(Types, Tuples) {
  Check({{"BEGIN { $a = (1, \"a\"); $b = $a.0; $c = $a.1; $d = $a[0]; }", "$a:(int8,string[2]) $b:int8 $c:string[2] $d:int8"},
         {"BEGIN { $a = (1, (2, comm)); $b = $a.1.1; $c = (1,); $d = (1, 2) == (3, 400); }",
          "$a:(int8,(int8,string[16])) $b:string[16] $c:(int8) $d:bool"},
         {"BEGIN { @x = (@x, 1); }", "!@x:((((((((int64,int8),int8),int8),int8),int8),int8),int8),int8)"}});
}

TEST(Types, RangesCastsAndLet) {
  Check({{"BEGIN { for ($i : 0..10) { } for ($j : 0..pid) { } for ($k : 0..300) { } }", "$i:int8 $j:uint32 $k:int16"},
         {"BEGIN { $a = (uint8)300; $b = (bool)pid; $c = (int64)pid; }", "$a:uint8 $b:bool $c:int64"},
         {"BEGIN { let $a; $a = 5; let $b: uint8 = 5; let $c: uint64; $c = pid; }", "$a:int8 $b:uint8 $c:uint64"},
         {"BEGIN { if (pid) { $x = 1; } else { $x = \"a\"; } }", "$x:int8 $x:string[2]"}});
}

}  // namespace
}  // namespace kawk
