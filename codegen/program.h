// Generates one program: the predicate and body of a ProbeUnit as an LLVM function.
//
// Values. Scalars (integers, bools, pointers) are LLVM integers of their type's width; bools are i1 in registers and a
// byte in memory; pointers are i64, since the kernel's and the user's memory is read by helpers, not by loads. Everything
// else is memory: an LLVM pointer to BPF stack or scratch.
//
// Memory. Small objects are allocas; others lie in the program's scratch slot, which it takes at its first instruction and
// gives back at its only exit (see image.h for why slots).
#pragma once

#include <fmt/format.h>
#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "codegen/lower.h"
#include "codegen/module.h"

namespace kawk {

// x86-64: offset of orig_ax, the system call's number, in struct pt_regs.
inline constexpr uint64_t kOriginalAx = 120;

struct Value {
  llvm::Value* v = nullptr;  // scalar, or pointer to the bytes
  const Type* type = nullptr;
  llvm::Value* length = nullptr;  // String: bytes without the NUL where known, i64
  bool padded = true;             // String: whether the bytes behind the NUL are zero up to the capacity

  bool operator==(std::nullptr_t) const { return v == nullptr; }
};

// BPF helper ids (enum bpf_func_id) come from <linux/bpf.h>.
class Program {
 public:
  Program(ModuleBuilder& module, const ProbeUnit& unit, const LoweredUnit& lowered, uint32_t index);
  // Generates the whole function. A lowered unit becomes a function of a dispatcher (see dispatch.h): (context, index of
  // the target).
  llvm::Function* Generate();

  const ProbeUnit& unit() const { return unit_; }
  uint32_t index() const { return index_; }
  ModuleBuilder& module() { return module_; }
  llvm::IRBuilder<>& ir() { return ir_; }
  const Typed& typed() const { return module_.typed(); }

  // --- expressions (expression.cpp) ---
  Value Evaluate(const Expr* expr);
  Value CallC(const Call& call);  // c_sources.cpp
  // The type of the value that Evaluate gives: an aggregate read in an expression is an integer.
  const Type* ValueTypeOf(const Expr* expr);
  // As a scalar converted to `type`.
  llvm::Value* Scalar(const Expr* expr, const Type* type);
  // As a truth value, i1.
  llvm::Value* Truth(const Expr* expr);
  llvm::Value* Convert(llvm::Value* scalar, const Type* from, const Type* to);
  // Writes the value's memory form of `type` to dst: full size, all padding zero.
  void EvaluateInto(llvm::Value* dst, const Type* type, const Expr* expr);
  void Store(llvm::Value* dst, const Type* type, const Value& value);
  // Loads a scalar of this type from memory.
  llvm::Value* Load(llvm::Value* src, const Type* type);
  // Memory → Value of `type`: a scalar is loaded, the rest stays where it is.
  Value FromMemory(llvm::Value* src, const Type* type);

  // --- memory (places.cpp) ---
  // Where an object's bytes are, before they are read.
  struct Place {
    AddressSpace space = AddressSpace::Bpf;
    llvm::Value* base = nullptr;   // Bpf: a pointer; Kernel, User: the address, i64; Context: none
    llvm::Value* index = nullptr;  // i64, bytes to add; null: none
    uint64_t offset = 0;           // bytes to add
    const Location* at = nullptr;  // what is followed to get there, if that can fail
  };
  // Whether the expression is a field, an element or what a pointer leads to, so that it need not be copied as a whole.
  bool HasPlace(const Expr* expr) const;
  Place PlaceOf(const Expr* expr);
  llvm::Value* AddressOf(const Place& place);  // i64
  // `args` of a user function (user_arguments.cpp): a field of it; the whole in memory.
  Place UserArgument(const StructField& field, const Location& at);
  llvm::Value* AllUserArguments(const Location& at);
  // Reads a value; `field` is given for what may be a bitfield.
  Value ReadPlace(const Place& place, const Type* type, const StructField* field = nullptr);
  llvm::Value* AddressOfOperand(const Expr* operand);  // `&operand`, i64
  // What a field of `args` is made of in the raw tracepoint's arguments; null: it is in the record.
  const RawValue* RawField(const Expr* expr) const;
  Value ReadRawField(const RawValue& field, const Type* type);  // a scalar
  Place RawFieldPlace(const RawValue& field);                   // all others
  // i1; both are aligned to 8.
  llvm::Value* SameBytes(llvm::Value* a, llvm::Value* b, uint64_t bytes);

  // --- maps (maps.cpp) ---
  struct Target {  // a map element as an expression names it: `@x` or `@x[key]`
    int map = -1;
    const Expr* key = nullptr;
    llvm::Value* key_memory = nullptr;  // instead of key: its bytes as the map has them
  };
  Target TargetOf(const Expr* expr);
  Value ReadMap(const Target& target);
  void WriteMap(const Target& target, const Expr* value);
  // `op=`, `++`, `--`: one lookup. Returns the old or the new value as the map's value type.
  llvm::Value* UpdateMap(const Target& target, BinaryOp op, llvm::Value* operand, bool return_old);
  llvm::Value* DeleteKey(const Target& target);  // i1: it was there
  llvm::Value* HasKey(const Target& target);     // i1
  // Writes the value to dst, as `type`, if the key is there. i1: whether it is.
  llvm::Value* FindInto(const Target& target, llvm::Value* dst, const Type* type);
  // A pointer to this CPU's slot of an aggregate, made if absent; code built by `use` runs where there is one.
  void WithSlot(const Target& target, llvm::Value* bucket, const std::function<void(llvm::Value*)>& use);
  void EmitAggregate(const Target& target, const Call& call);

  // clear(), and what print(@m) sends of the map (map_events.cpp).
  void ClearMap(int map, image::EventSpec event);
  void PrintMap(int map, image::EventSpec event, bool whole_epoch);
  void SendPrint(int map, image::EventSpec event, bool whole_epoch);
  llvm::Value* HasFreeEpoch(int map);
  void ZeroMap(int map, image::EventSpec event);

  // --- strings (strings.cpp) ---
  // Reads a string at `address` to dst (capacity bytes with NUL; what lies behind the NUL is left alone). Returns its length
  // without the NUL, bounded for the verifier by LengthMask(capacity). `at`: what asks for it, if that read can fail.
  llvm::Value* ReadString(llvm::Value* dst, uint64_t capacity, llvm::Value* address, AddressSpace space,
                          const Location* at = nullptr);
  // Evaluates a String expression straight to dst. Returns its length, as ReadString does. Bytes behind the NUL are left alone.
  llvm::Value* StringInto(llvm::Value* dst, uint64_t capacity, const Expr* expr);
  void CommInto(llvm::Value* dst, uint64_t capacity);  // builtins.cpp
  // A String value to memory of another capacity, padded with zeros.
  void StoreString(llvm::Value* dst, uint64_t capacity, const Value& value);
  // The bytes that a string needs, or the text that an array or a pointer stands for; NUL included.
  uint64_t TextCapacity(const Expr* expr);
  AddressSpace DefaultSpace() const;                                      // of an address that is a plain integer
  llvm::Value* CompareStrings(const Expr* left, const Expr* right);       // i1: equal
  llvm::Value* SameText(const Value& a, const Value& b, uint64_t bytes);  // i1: equal up to the NUL or this many bytes
  // What functions read from: a string's bytes stay where they are, an array stands for its address.
  Value AddressValue(const Expr* expr);

  // --- buffers (buffers.cpp) ---
  // Evaluates a Buffer expression straight to dst, without its length in front; returns that, bounded by
  // LengthMask(capacity + 1).
  llvm::Value* BufferInto(llvm::Value* dst, uint64_t capacity, const Expr* expr);
  // How many keys a map has, i64.
  llvm::Value* CountKeys(int map);
  // Where `needle` first stands in `haystack`, i64; -1: nowhere.
  llvm::Value* FindText(const Expr* haystack, const Expr* needle);

  // --- events (events.cpp) ---
  // Sends a record of `event` with these arguments.
  void SendRecord(image::EventSpec event, const std::vector<const Expr*>& args, bool force_wakeup = false);
  // Sends the first `used` bytes of `record`.
  void Output(llvm::Value* record, llvm::Value* used);
  // A record of a fixed size whose bytes behind the header `fill` writes.
  void SendFixed(uint32_t id, uint32_t size, bool force_wakeup, const std::function<void(llvm::Value*)>& fill);
  void CountLoss(image::LossCause cause);
  // With -k: code that sends a HelperError when `result`, of this helper, is negative. Without: nothing.
  void CheckRead(uint32_t helper, llvm::Value* result, const Location& at);

  // --- what is known already (known.cpp) ---
  // What `find` gives, found once for all code that surely runs after it.
  llvm::Value* Once(const std::string& what, const std::function<llvm::Value*()>& find);
  void ForgetVariable(int variable);  // it is written
  void ForgetMap(int map);            // it may have changed
  void ForgetAll() { known_.clear(); }

  // --- building blocks (program.cpp) ---
  llvm::Value* Helper(uint32_t id, llvm::Type* result, std::initializer_list<llvm::Value*> args);
  llvm::CallInst* HelperCall(uint32_t id, llvm::Type* result, const std::vector<llvm::Value*>& args);
  llvm::ConstantInt* I64(uint64_t value) { return ir_.getInt64(value); }
  llvm::ConstantInt* I32(uint32_t value) { return ir_.getInt32(value); }
  llvm::Value* At(llvm::Value* base, uint64_t offset);
  llvm::Value* Context(uint64_t offset, llvm::Type* type);  // loads from the program's context
  llvm::Value* ContextPointer() { return context_; }
  // Which of the unit's targets fired, i64; the cookie that the runtime attached with.
  llvm::Value* TargetIndex();
  llvm::Value* AsInteger(llvm::Value* pointer) { return ir_.CreatePtrToInt(pointer, ir_.getInt64Ty()); }
  // Memory of this many bytes, uninitialised: stack or scratch.
  llvm::Value* Allocate(uint64_t bytes);
  llvm::Value* AllocateStack(uint64_t bytes);
  // Stack that all such calls in a function share: for what is read again before anything else is evaluated.
  llvm::Value* SharedStack(uint64_t bytes);
  llvm::Value* AllocateScratch(uint64_t bytes);
  void Zero(llvm::Value* dst, uint64_t bytes);
  void Copy(llvm::Value* dst, llvm::Value* src, uint64_t bytes);
  // Runs code in new blocks; the builder ends behind them.
  void If(llvm::Value* condition, const std::function<void()>& then, const std::function<void()>& otherwise = nullptr);
  // Runs a body up to `times` times as a function of its own, which the verifier checks once: body(u32 index, frame) says,
  // as an i1, whether to stop. All that it shares with the program is `frame`, memory on the stack.
  void Loop(const std::string& name, uint32_t times, llvm::Value* frame,
            const std::function<llvm::Value*(llvm::Value*, llvm::Value*)>& body);
  // A name for such a function.
  std::string FreshName(const char* kind) { return fmt::format("{}_{}_{}", kind, index_, merges_++); }
  // A function of its own for a helper to call: body(function) returns its result, i64.
  llvm::Function* MakeCallback(const std::string& name, FunctionKind kind,
                               const std::function<llvm::Value*(llvm::Function*)>& body);
  llvm::BasicBlock* NewBlock(const char* name);
  // What a test or benchmark returns; elsewhere nobody asks.
  void SetResult(llvm::Value* result);
  // Leaves the program; what follows is unreachable.
  void Leave();
  void SetLocation(const Location& location);
  // An opaque copy of an integer, so that LLVM cannot undo a bound that the verifier needs.
  llvm::Value* Bound(llvm::Value* value, uint64_t mask);

  // --- loops (loops.cpp) ---
  bool NeedsFunction(const ForRange& loop) const;  // else a plain loop does
  void LoopOverRange(const ForRange& s);
  void LoopWhile(const While& s);
  void LoopOverMap(const ForIn& s);
  void LoopOverArray(const ForIn& s);

  // --- statements (statement.cpp) ---
  void Statement(const Stmt* stmt);
  void Statements(const std::vector<Stmt*>& statements);
  llvm::Value* Variable(int index);  // its memory

  // Of a plain loop, or of a body that is a function of its own.
  // Whether a clear() of the printed map follows, with nothing between them that touches it.
  bool PrintsBeforeClear(const Call& print) const { return prints_before_clear_.contains(&print); }

  struct LoopBlocks {
    llvm::BasicBlock* next;
    llvm::BasicBlock* end;
  };
  std::vector<LoopBlocks>& loops() { return loops_; }

 private:
  struct SharedPlace {
    bool known = false;
    bool in_frame = false;
    uint32_t offset = 0;
  };
  // What changes while the body of a loop is generated.
  struct BodyState {
    llvm::Function* function;
    llvm::DISubprogram* subprogram;
    llvm::Value* context;
    llvm::BasicBlock* entry;
    llvm::BasicBlock* release;
    llvm::Value* frame;
    llvm::Value* body_scratch;
    uint32_t stack_used;
    uint32_t stack_budget;
    std::vector<LoopBlocks> loops;
  };
  struct Known {
    std::string what;  // empty: no more
    llvm::Value* value;
    llvm::Value* other;
  };
  const Known* Recall(const std::string& what) const;
  void Remember(const std::string& what, llvm::Value* value, llvm::Value* other = nullptr);
  void Forget(const std::string& part);
  std::string SteadyText(const Expr* expr) const;
  std::string KeyText(const Target& target) const;
  std::string ReadText(const Target& target) const;
  void PrepareFrame();
  void FinishFrame();
  void ShareScratch(llvm::Value* slot);
  llvm::Value* ScratchBase();
  uint32_t ReserveScratch(uint64_t bytes);
  uint32_t AllocateFrame(uint64_t bytes);
  llvm::Value* SharedVariable(int index);
  llvm::Value* Blur(llvm::Value* number);
  bool IsInFrame(const llvm::Value* memory) const;
  llvm::Value* SharedTarget();
  llvm::Function* MakeBody(FunctionKind kind, const Location& at, uint32_t stopped,
                           const std::function<void(llvm::Function*)>& body);
  // Words of the frame that a loop uses, by offset.
  struct LoopWords {
    bool chunked = false;  // a loop of loops; then also turns and done
    uint32_t first = 0;    // what the counter starts with
    uint32_t stopped = 0;  // not 0: a turn has ended the loop
    uint32_t turns = 0;    // to do in all
    uint32_t done = 0;     // before this chunk
  };
  int BodyDepth(const Stmt& root, std::map<const Stmt*, int>& known) const;
  uint32_t TakeWord();
  LoopWords OpenLoop(bool long_loop);
  void CloseLoop(const LoopWords& words);
  void RunTurns(llvm::Function* body, llvm::Value* turns, const LoopWords& words);
  llvm::Value* InHurry();
  void ReportShortLoop(llvm::Value* cut, const LoopWords& words);
  void LeaveIfAsked(const Stmt& loop);
  Place PointedTo(const Expr* pointer);
  Place FieldPlace(Place place, const StructField& field);
  Place ElementPlace(const Index& e);
  AddressSpace ReadableSpace(const Place& place) const;
  void ReadBytes(llvm::Value* dst, uint64_t bytes, const Place& place);
  llvm::Value* ReadContext(uint64_t offset, llvm::Type* type);
  llvm::Value* ReadInteger(const Place& place, const Type* type);
  llvm::Value* AddressOfElement(const Target& target);
  llvm::Value* StringLimit(const Expr* length, uint64_t capacity);
  llvm::Value* ReadLimited(llvm::Value* dst, uint64_t capacity, llvm::Value* address, AddressSpace space, llvm::Value* limit,
                           const Location& at);
  llvm::Value* WakeupFlags(bool force);
  void SendFromScratch(uint32_t id, uint32_t fixed, uint64_t tail, const std::vector<image::EventArg>& layout,
                       const std::vector<const Expr*>& args);
  llvm::Value* WhetherSame(llvm::BasicBlock* differ, llvm::BasicBlock* end);
  void CompareBytes(llvm::Value* a, llvm::Value* b, uint64_t bytes, llvm::BasicBlock* differ, llvm::BasicBlock* end);
  llvm::Value* KeyOf(const Target& target, llvm::Value* bucket);
  struct Element {
    int map = -1;
    llvm::Value* key = nullptr;       // its bytes
    llvm::Value* is_short = nullptr;  // i1: it is in the map's ShortMap; null: there is none
  };
  Element ElementOf(const Target& target, llvm::Value* bucket);
  Element MakeElement(const Target& target, llvm::Value* bucket);
  std::pair<llvm::Value*, llvm::Value*> ReadElement(const Target& target);
  llvm::Value* OnElement(uint32_t helper, llvm::Type* result, const Element& element, const std::vector<llvm::Value*>& rest);
  llvm::Value* FindElement(const Element& element);  // null: not there
  llvm::Value* PutElement(const Element& element, llvm::Value* value, uint64_t flags);
  llvm::Value* Epoch(int map);
  llvm::Value* GlobalValue(int map);
  uint64_t SetOffset(int map) const;
  // An aggregate's slots of all CPUs merged, on the stack: one slot, then whether it was set (keyless maps only).
  llvm::Value* MergeSlots(const Target& target);
  Value ReadAggregate(const Target& target);
  void ZeroElements(int map);
  void MakeFunction();
  void EmitPrologue();
  void FilterProcess();  // of -p
  llvm::Value* RawContext(uint64_t offset, llvm::Type* type);
  llvm::Value* SyscallField(uint64_t offset, llvm::Type* type);
  // Fields of a tracepoint that is attached by its raw form (raw_fields.cpp).
  llvm::Value* RawPointer(const RawTerm& term);
  llvm::Value* RawLoad(const RawTerm& term, llvm::Value* base, uint64_t offset, uint32_t bytes);
  llvm::Value* RawBase(const RawTerm& term);
  llvm::Value* RawNumber(const RawTerm& term);
  llvm::Value* RawSchedState(const RawTerm& term);
  llvm::Value* RawRequest(const RawTerm& term);
  bool FollowsPointers(const RawTerm& term) const;
  void AcquireScratch();

  ModuleBuilder& module_;
  const ProbeUnit& unit_;
  const LoweredUnit& lowered_;
  uint32_t index_;
  llvm::IRBuilder<> ir_;
  llvm::Function* function_ = nullptr;
  llvm::DISubprogram* subprogram_ = nullptr;
  llvm::Value* context_ = nullptr;
  llvm::BasicBlock* entry_ = nullptr;    // allocas
  llvm::BasicBlock* release_ = nullptr;  // gives the slot back, then exit_
  llvm::BasicBlock* exit_ = nullptr;
  llvm::Value* result_ = nullptr;           // a test's, on the stack
  llvm::BranchInst* acquire_at_ = nullptr;  // where the slot is taken, if one is needed
  llvm::Instruction* scratch_ = nullptr;    // placeholder for the slot's address until AcquireScratch
  uint32_t scratch_used_ = 8;               // the in-use word
  uint32_t stack_used_ = 0;
  uint32_t merges_ = 0;
  // Of programs whose loops have bodies in functions of their own: see loops.cpp.
  llvm::Value* frame_ = nullptr;
  uint32_t frame_used_ = 0;
  std::map<std::pair<llvm::Function*, uint64_t>, llvm::Value*> shared_stack_;
  uint32_t stack_budget_;
  uint32_t bodies_ = 0;
  int body_level_ = 0;                           // bodies around what is generated
  int spare_frames_ = 0;                         // of the kernel's call depth: that many levels of loops may be loops of loops
  std::vector<uint32_t> free_words_;             // of the frame
  llvm::Instruction** outer_scratch_ = nullptr;  // set while a body is generated
  llvm::BasicBlock* outer_entry_ = nullptr;
  llvm::Value* body_scratch_ = nullptr;
  std::vector<SharedPlace> shared_;  // by variable
  void MarkPrintsBeforeClear(const std::vector<Stmt*>& statements);

  std::set<const Expr*> prints_before_clear_;
  std::vector<llvm::Value*> variables_;
  std::vector<Known> known_;
  std::vector<LoopBlocks> loops_;
};

// A register of the traced process by the name of its 64 bits, i64.
llvm::Value* ReadRegister(Program& p, const std::string& name);
// argN of a USDT probe.
Value UsdtArgumentValue(Program& p, const Expr& expr, uint32_t n);

// left op right on integers of one type. Division by zero gives 0, the remainder by zero the dividend.
llvm::Value* EmitArithmetic(Program& program, BinaryOp op, llvm::Value* left, llvm::Value* right, bool is_signed);
// A buffer in memory: u32 length, then its bytes.
inline constexpr uint64_t kBufferHeader = 4;
// tgid in the high, tid in the low half, i64; in the tracer's pid namespace when the runtime has set one.
llvm::Value* PidTgid(Program& program);
// The largest length that ReadString can return for this capacity, as a mask of ones.
uint64_t LengthMask(uint64_t capacity);

// One emitter per row of the registries; a missing one does not link.
#define FUNCTION(id, name, signature, effect, flags, doc) Value Emit##id##Call(Program& program, const Call& call);
#include "stdlib/functions.def"
#define BUILTIN(id, name, type, probes, doc) Value Emit##id##Value(Program& program, const Expr& expr);
#include "stdlib/builtins.def"

}  // namespace kawk
