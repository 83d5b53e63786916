// The types of the fake kernel. Offsets are made up but plausible; what matters is that every kind of BTF that scripts meet
// is there: typedefs, arrays, pointers to the struct itself, nested and anonymous members, bitfields, unions, enums.
#include <bpf/btf.h>

#include "base/check.h"
#include "tests/fakes/fake_host.h"

namespace kawk {
namespace {

// Every btf__add_* returns the new id, or an error, which here is a bug of ours.
int Added(int id) {
  CHECK(id > 0);
  return id;
}
void Done(int error) { CHECK(error == 0); }

struct Member {
  const char* name;  // nullptr: anonymous
  int type;
  uint32_t bit_offset;
  uint32_t bits = 0;  // of a bitfield
};

int AddStruct(::btf* types, const char* name, uint32_t size, const std::vector<Member>& members) {
  const int id = Added(btf__add_struct(types, name, size));
  for (const Member& m : members) Done(btf__add_field(types, m.name, m.type, m.bit_offset, m.bits));
  return id;
}

int AddFunction(::btf* types, const char* name, int result, const std::vector<std::pair<const char*, int>>& parameters) {
  const int prototype = Added(btf__add_func_proto(types, result));
  for (const auto& [parameter, type] : parameters) Done(btf__add_func_param(types, parameter, type));
  return Added(btf__add_func(types, name, BTF_FUNC_STATIC, prototype));
}

struct Basics {
  int i32, u32, i64, u64, character, u8, u16, boolean;
  int pid_t_, size_t_, ssize_t_, loff_t_;
  int char_ptr, const_char_ptr, void_ptr;
};

Basics AddBasics(::btf* types) {
  Basics b{};
  b.i32 = Added(btf__add_int(types, "int", 4, BTF_INT_SIGNED));
  b.u32 = Added(btf__add_int(types, "unsigned int", 4, 0));
  b.i64 = Added(btf__add_int(types, "long int", 8, BTF_INT_SIGNED));
  b.u64 = Added(btf__add_int(types, "long unsigned int", 8, 0));
  b.character = Added(btf__add_int(types, "char", 1, BTF_INT_SIGNED));
  b.u8 = Added(btf__add_int(types, "unsigned char", 1, 0));
  b.u16 = Added(btf__add_int(types, "short unsigned int", 2, 0));
  b.boolean = Added(btf__add_int(types, "_Bool", 1, BTF_INT_BOOL));
  Added(btf__add_typedef(types, "u8", b.u8));
  Added(btf__add_typedef(types, "u16", b.u16));
  Added(btf__add_typedef(types, "u32", b.u32));
  Added(btf__add_typedef(types, "u64", b.u64));
  Added(btf__add_typedef(types, "bool", b.boolean));
  Added(btf__add_typedef(types, "umode_t", b.u16));
  Added(btf__add_typedef(types, "dev_t", b.u32));
  Added(btf__add_typedef(types, "sector_t", b.u64));
  b.pid_t_ = Added(btf__add_typedef(types, "pid_t", Added(btf__add_typedef(types, "__kernel_pid_t", b.i32))));
  b.size_t_ = Added(btf__add_typedef(types, "size_t", b.u64));
  b.ssize_t_ = Added(btf__add_typedef(types, "ssize_t", b.i64));
  b.loff_t_ = Added(btf__add_typedef(types, "loff_t", b.i64));
  b.char_ptr = Added(btf__add_ptr(types, b.character));
  b.const_char_ptr = Added(btf__add_ptr(types, Added(btf__add_const(types, b.character))));
  b.void_ptr = Added(btf__add_ptr(types, 0));
  return b;
}

void AddEnums(::btf* types) {
  Added(btf__add_enum(types, "pid_type", 4));
  Done(btf__add_enum_value(types, "PIDTYPE_PID", 0));
  Done(btf__add_enum_value(types, "PIDTYPE_TGID", 1));
  Done(btf__add_enum_value(types, "PIDTYPE_PGID", 2));
  Added(btf__add_enum(types, "migrate_mode", 4));
  Done(btf__add_enum_value(types, "MIGRATE_ASYNC", 0));
  Done(btf__add_enum_value(types, "MIGRATE_SYNC", 2));
  Added(btf__add_enum(types, "fake_signed", 4));
  Done(btf__add_enum_value(types, "FAKE_NEGATIVE", -1));
  Added(btf__add_enum64(types, "fake_wide", 8, false));
  Done(btf__add_enum64_value(types, "FAKE_WIDE", 1ull << 40));
}

// struct file and what leads from it to a name. Returns the id of `struct file *`.
int AddFile(::btf* types, const Basics& b) {
  const int const_u8_ptr = Added(btf__add_ptr(types, Added(btf__add_const(types, b.u8))));
  const int qstr = AddStruct(types, "qstr", 16, {{"hash", b.u32, 0}, {"len", b.u32, 32}, {"name", const_u8_ptr, 64}});
  // `struct dentry` holds a pointer to itself; its id is known before its members are added.
  const int dentry = static_cast<int>(btf__type_cnt(types));
  AddStruct(types, "dentry", 64, {{"d_flags", b.u32, 0}, {"d_parent", dentry + 1, 64}, {"d_name", qstr, 128}});
  const int dentry_ptr = Added(btf__add_ptr(types, dentry));
  CHECK(dentry_ptr == dentry + 1);
  const int path = AddStruct(types, "path", 16, {{"mnt", b.void_ptr, 0}, {"dentry", dentry_ptr, 64}});
  const int file = AddStruct(types, "file", 64, {{"f_flags", b.u32, 0}, {"f_pos", b.loff_t_, 64}, {"f_path", path, 128}});
  return Added(btf__add_ptr(types, file));
}

// Returns the id of `struct task_struct *`.
int AddTask(::btf* types, const Basics& b) {
  const int comm = Added(btf__add_array(types, b.u32, b.character, 16));
  const int mm = AddStruct(types, "mm_struct", 32, {{"total_vm", b.u64, 0}, {"arg_start", b.u64, 64}});
  const int mm_ptr = Added(btf__add_ptr(types, mm));
  const int anonymous = Added(btf__add_union(types, nullptr, 8));
  Done(btf__add_field(types, "exit_code", b.i32, 0, 0));
  Done(btf__add_field(types, "exit_long", b.i64, 0, 0));
  const int task = static_cast<int>(btf__type_cnt(types));
  AddStruct(types, "task_struct", 256,
            {{"__state", b.u32, 0},
             {"flags", b.u32, 32},
             {"mm", mm_ptr, 64},
             {"pid", b.pid_t_, 256},
             {"tgid", b.pid_t_, 288},
             {"real_parent", task + 1, 320},
             {"parent", task + 1, 384},
             {"group_leader", task + 1, 448},
             {nullptr, anonymous, 512},
             {"in_execve", b.u32, 576, 1},
             {"in_iowait", b.u32, 577, 1},
             {"policy_bits", b.u32, 578, 5},
             {"start_time", b.u64, 640},
             {"comm", comm, 1024}});
  const int task_ptr = Added(btf__add_ptr(types, task));
  CHECK(task_ptr == task + 1);
  return task_ptr;
}

}  // namespace

BtfHandle MakeFakeBtf() {
  BtfHandle handle(btf__new_empty());
  CHECK(handle != nullptr);
  ::btf* types = handle.get();
  const Basics b = AddBasics(types);
  AddEnums(types);
  const int file_ptr = AddFile(types, b);
  const int task_ptr = AddTask(types, b);
  AddStruct(types, "__kernel_timespec", 16, {{"tv_sec", b.i64, 0}, {"tv_nsec", b.i64, 64}});
  const int binprm =
      AddStruct(types, "linux_binprm", 64, {{"file", file_ptr, 0}, {"argc", b.i32, 64}, {"filename", b.const_char_ptr, 128}});
  const int binprm_ptr = Added(btf__add_ptr(types, binprm));
  const int loff_ptr = Added(btf__add_ptr(types, b.loff_t_));

  AddFunction(types, "vfs_read", b.ssize_t_, {{"file", file_ptr}, {"buf", b.char_ptr}, {"count", b.size_t_}, {"pos", loff_ptr}});
  AddFunction(types, "vfs_write", b.ssize_t_,
              {{"file", file_ptr}, {"buf", b.const_char_ptr}, {"count", b.size_t_}, {"pos", loff_ptr}});
  AddFunction(types, "do_nanosleep", b.i32, {{"t", b.void_ptr}, {"mode", b.u32}});
  AddFunction(types, "fake_void", 0, {});
  AddFunction(types, "__traceiter_sched_switch", b.i32,
              {{"__data", b.void_ptr}, {"preempt", b.boolean}, {"prev", task_ptr}, {"next", task_ptr}, {"prev_state", b.u32}});
  AddFunction(types, "__traceiter_sched_process_exec", b.i32,
              {{"__data", b.void_ptr}, {"p", task_ptr}, {"old_pid", b.pid_t_}, {"bprm", binprm_ptr}});
  const int prototype = Added(btf__add_func_proto(types, 0));
  for (int type : {b.void_ptr, b.boolean, task_ptr, task_ptr, b.u32}) Done(btf__add_func_param(types, nullptr, type));
  Added(btf__add_typedef(types, "btf_trace_sched_switch", Added(btf__add_ptr(types, prototype))));
  return handle;
}

}  // namespace kawk
