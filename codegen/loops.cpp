// Loops that the verifier need not follow turn by turn: their bodies are functions of their own, which helpers call
// (bpf_loop, bpf_for_each_map_elem) and which the verifier looks at once. A body reaches what it shares with the program
// through one frame on the program's stack: the context, the scratch slot and the variables.
#include <linux/bpf.h>
#include <llvm/IR/InlineAsm.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "ast/walk.h"
#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

// The frame's first words; variables follow.
constexpr uint32_t kFrameContext = 0;
constexpr uint32_t kFrameScratch = 8;
constexpr uint32_t kFrameTarget = 16;
constexpr uint32_t kFrameLeave = 24;  // not 0: a body has left the whole program
constexpr uint32_t kFrameVariables = 32;
constexpr uint32_t kMostFrame = 160;

// Program and nested bodies share 512 bytes of stack.
constexpr uint32_t kSharingBudget = 96;
constexpr uint32_t kBodyBudget = 48;

constexpr uint64_t kChunkBits = 23;
constexpr uint64_t kChunkTurns = uint64_t{1} << kChunkBits;  // of one bpf_loop; a loop of loops does more
constexpr uint64_t kInlineTurns = 16;                        // fewer are cheaper as a plain loop
// A `while` that does not end would hold its CPU for good: it is stopped after this many turns, and that is reported.
constexpr uint64_t kMostWhileTurns = uint64_t{1} << 30;
constexpr int kMostFrames = 8;  // of the kernel: functions that call each other

}  // namespace

bool Program::NeedsFunction(const ForRange& loop) const {
  const ExprInfo& from = typed().Info(loop.from);
  const ExprInfo& to = typed().Info(loop.to);
  if (!from.integer || !to.integer) return true;
  return static_cast<int64_t>(*to.integer - *from.integer) > static_cast<int64_t>(kInlineTurns);
}

// How deep bodies that are functions of their own lie within each other, this one included.
int Program::BodyDepth(const Stmt& root, std::map<const Stmt*, int>& known) const {
  if (const auto found = known.find(&root); found != known.end()) return found->second;
  const auto* range = As<ForRange>(&root);
  const bool body = As<ForIn>(&root) != nullptr || As<While>(&root) != nullptr || (range != nullptr && NeedsFunction(*range));
  int below = 0;
  Walker walker;
  walker.on_stmt = [&](const Stmt& stmt) {
    if (&stmt != &root) below = std::max(below, BodyDepth(stmt, known));
  };
  walker.Walk(&root);
  return known[&root] = below + (body ? 1 : 0);
}

void Program::PrepareFrame() {
  std::map<const Stmt*, int> known;
  int depth = BodyDepth(*unit_.probe->body, known);
  if (unit_.probe->predicate != nullptr) {  // it may hold blocks
    Walker walker;
    walker.on_stmt = [&](const Stmt& stmt) { depth = std::max(depth, BodyDepth(stmt, known)); };
    walker.Walk(unit_.probe->predicate);
  }
  if (depth == 0) return;
  const int others = lowered_.dispatched() ? 3 : 2;  // the program, its dispatcher, what a body calls
  spare_frames_ = kMostFrames - others - depth;
  stack_budget_ = kSharingBudget;
  frame_used_ = kFrameVariables;
  frame_ = ir_.CreateAlloca(ir_.getInt8Ty(), nullptr, "frame");  // FinishFrame puts one of the right size in its place
  ir_.CreateStore(context_, At(frame_, kFrameContext));
  ir_.CreateStore(I64(0), At(frame_, kFrameLeave));
  if (lowered_.dispatched()) ir_.CreateStore(function_->getArg(1), At(frame_, kFrameTarget));
}

void Program::FinishFrame() {
  if (frame_ == nullptr) return;
  auto* placeholder = llvm::cast<llvm::AllocaInst>(frame_);
  llvm::IRBuilderBase::InsertPointGuard guard(ir_);
  ir_.SetInsertPoint(placeholder);
  auto* memory = ir_.CreateAlloca(llvm::ArrayType::get(ir_.getInt64Ty(), frame_used_ / 8));
  memory->setAlignment(llvm::Align(8));
  placeholder->replaceAllUsesWith(memory);
  placeholder->eraseFromParent();
}

// Called where the slot is known.
void Program::ShareScratch(llvm::Value* slot) {
  if (frame_ != nullptr) ir_.CreateStore(slot, At(frame_, kFrameScratch));
}

// The scratch slot as the function that is being generated sees it.
llvm::Value* Program::ScratchBase() {
  if (outer_scratch_ == nullptr) return scratch_;
  if (body_scratch_ == nullptr) {
    llvm::IRBuilderBase::InsertPointGuard guard(ir_);
    ir_.SetInsertPoint(entry_->getTerminator());
    body_scratch_ = ir_.CreateLoad(ir_.getPtrTy(), At(frame_, kFrameScratch));
  }
  return body_scratch_;
}

uint32_t Program::AllocateFrame(uint64_t bytes) {
  const uint32_t offset = frame_used_;
  frame_used_ += static_cast<uint32_t>((bytes + 7) / 8 * 8);
  return offset;
}

// A variable is in the frame or in scratch, at the same offset for all functions.
llvm::Value* Program::SharedVariable(int index) {
  SharedPlace& place = shared_[index];
  const uint64_t bytes = SizeOfType(typed().variables[index].type);
  if (!place.known) {
    place.known = true;
    place.in_frame = bytes <= typed().config.on_stack_limit && frame_used_ + bytes <= kMostFrame;
    place.offset = place.in_frame ? AllocateFrame(bytes) : ReserveScratch(bytes);
  }
  return At(place.in_frame ? frame_ : ScratchBase(), place.offset);
}

// A number that the verifier knows nothing about. In the frame it must not know any: it would follow a counter of a loop
// from value to value instead of seeing that one turn is like the next.
llvm::Value* Program::Blur(llvm::Value* number) {
  auto* word = ir_.getInt64Ty();
  auto* unknown = ir_.CreateLoad(word, module_.Global(offsetof(image::ProgramState, start_ns)));
  auto* type = llvm::FunctionType::get(word, {word}, false);
  llvm::Value* same = ir_.CreateCall(type, llvm::InlineAsm::get(type, "", "=r,0", false), {unknown});  // as LLVM does not know
  llvm::Value* wide = ir_.CreateIntCast(number, word, false);
  return ir_.CreateIntCast(ir_.CreateSub(ir_.CreateAdd(wide, unknown), same), number->getType(), false);
}

bool Program::IsInFrame(const llvm::Value* memory) const {
  return frame_ != nullptr && memory->stripInBoundsConstantOffsets() == frame_;
}

llvm::Value* Program::SharedTarget() { return ir_.CreateLoad(ir_.getInt64Ty(), At(frame_, kFrameTarget)); }

// `body` generates one turn in a function of its own; falling out of it goes on with the next one. Its parameters are the
// function's. A turn that ends the loop sets the frame's word `stopped` (0: there is none) to 1.
llvm::Function* Program::MakeBody(FunctionKind kind, const Location& at, uint32_t stopped,
                                  const std::function<void(llvm::Function*)>& body) {
  const std::string name = "body_" + std::to_string(index_) + "_" + std::to_string(bodies_++);
  const FunctionFrame made = module_.MakeFunction(name, kind, at);
  const bool outermost = outer_scratch_ == nullptr;
  if (outermost) outer_scratch_ = &scratch_, outer_entry_ = entry_;
  llvm::IRBuilderBase::InsertPointGuard guard(ir_);
  ++body_level_;
  BodyState outer{function_, subprogram_,   context_,    entry_,        release_,
                  frame_,    body_scratch_, stack_used_, stack_budget_, std::move(loops_)};
  ForgetAll();  // the body may write what it read in the turn before
  function_ = made.function;
  subprogram_ = made.subprogram;
  body_scratch_ = nullptr;
  stack_used_ = 0;
  stack_budget_ = kBodyBudget;
  frame_ = function_->getArg(static_cast<unsigned>(function_->arg_size()) - 1);
  entry_ = NewBlock("entry");
  release_ = NewBlock("leave");
  llvm::BasicBlock* start = NewBlock("start");
  llvm::BasicBlock* next = NewBlock("next");
  llvm::BasicBlock* stop = NewBlock("stop");
  ir_.SetInsertPoint(entry_);
  SetLocation(at);
  context_ = ir_.CreateLoad(ir_.getPtrTy(), At(frame_, kFrameContext));
  ir_.CreateBr(start);
  ir_.SetInsertPoint(start);
  loops_ = {{next, stop}};
  body(function_);
  ir_.CreateBr(next);
  SetLocation(at);
  ir_.SetInsertPoint(next);
  ir_.CreateRet(I64(0));
  ir_.SetInsertPoint(release_);
  ir_.CreateStore(I64(1), At(frame_, kFrameLeave));
  ir_.CreateBr(stop);
  ir_.SetInsertPoint(stop);
  if (stopped != 0) ir_.CreateStore(I64(1), At(frame_, stopped));
  ir_.CreateRet(I64(1));
  --body_level_;
  std::tie(function_, subprogram_, context_, entry_, release_, frame_, body_scratch_, stack_used_, stack_budget_) =
      std::tie(outer.function, outer.subprogram, outer.context, outer.entry, outer.release, outer.frame, outer.body_scratch,
               outer.stack_used, outer.stack_budget);
  loops_ = std::move(outer.loops);
  ForgetAll();
  if (outermost) outer_scratch_ = nullptr;
  return made.function;
}

// Behind a loop: a body may have asked to leave the program.
void Program::LeaveIfAsked(const Stmt& loop) {
  Walker walker;
  bool may_leave = false;
  walker.on_stmt = [&](const Stmt& stmt) { may_leave |= As<Return>(&stmt) != nullptr; };
  walker.on_expr = [&](const Expr& expr) {
    const std::optional<FunctionId> function = typed().Info(&expr).function;
    may_leave |= function && (Row(*function).flags & kEndsProbe) != 0;
  };
  walker.Walk(&loop);
  if (!may_leave) return;
  llvm::BasicBlock* stay = NewBlock("stay");
  llvm::Value* asked = ir_.CreateLoad(ir_.getInt64Ty(), At(frame_, kFrameLeave));
  ir_.CreateCondBr(ir_.CreateICmpNE(asked, I64(0)), release_, stay);
  ir_.SetInsertPoint(stay);
}

uint32_t Program::TakeWord() {
  if (free_words_.empty()) return AllocateFrame(8);
  const uint32_t word = free_words_.back();
  free_words_.pop_back();
  return word;
}

// Calls `body` for `turns` turns, i64: by one bpf_loop, or by a loop of them, each of which says in the frame how many turns
// were done before it. What is more than the kernel allows is counted as a loss.
void Program::RunTurns(llvm::Function* body, llvm::Value* turns, const LoopWords& words) {
  auto* word = ir_.getInt64Ty();
  if (!words.chunked) {
    llvm::Value* fits = ir_.CreateICmpULE(turns, I64(kChunkTurns));
    llvm::Value* count = ir_.CreateTrunc(ir_.CreateSelect(fits, turns, I64(kChunkTurns)), ir_.getInt32Ty());
    Helper(BPF_FUNC_loop, word, {count, body, frame_, I64(0)});
    ReportShortLoop(ir_.CreateNot(fits), words);
    return;
  }
  ir_.CreateStore(turns, At(frame_, words.turns));
  const std::string name = "chunks_" + std::to_string(index_) + "_" + std::to_string(bodies_++);
  llvm::Function* chunks = MakeCallback(name, FunctionKind::LoopBody, [&](llvm::Function* function) {
    llvm::Value* frame = function->getArg(1);
    llvm::Value* done = ir_.CreateShl(ir_.CreateZExt(function->getArg(0), word), kChunkBits);
    llvm::Value* left = ir_.CreateSub(ir_.CreateLoad(word, At(frame, words.turns)), done);
    ir_.CreateStore(done, At(frame, words.done));
    llvm::Value* count = ir_.CreateSelect(ir_.CreateICmpULT(left, I64(kChunkTurns)), left, I64(kChunkTurns));
    Helper(BPF_FUNC_loop, word, {ir_.CreateTrunc(count, ir_.getInt32Ty()), body, frame, I64(0)});
    llvm::Value* stopped = ir_.CreateLoad(word, At(frame, words.stopped));
    return Bound(ir_.CreateOr(stopped, InHurry()), 1);
  });
  // All but the last chunk are full; too many turns are cut to the most there can be.
  llvm::Value* count = ir_.CreateLShr(ir_.CreateAdd(turns, I64(kChunkTurns - 1)), I64(kChunkBits));
  llvm::Value* fits = ir_.CreateICmpULE(turns, I64(kChunkTurns << kChunkBits));
  count = ir_.CreateTrunc(ir_.CreateSelect(fits, count, I64(kChunkTurns)), ir_.getInt32Ty());
  Helper(BPF_FUNC_loop, word, {count, chunks, frame_, I64(0)});
  ReportShortLoop(ir_.CreateNot(fits), words);
}

// A signal ends kawk: who waits for it must not wait for a long loop. i64, 0 or 1.
llvm::Value* Program::InHurry() {
  auto* hurry = ir_.CreateLoad(ir_.getInt32Ty(), module_.Global(offsetof(image::ProgramState, hurry)));
  hurry->setVolatile(true);
  return ir_.CreateZExt(hurry, ir_.getInt64Ty());
}

// `cut`: more turns were asked for than done. A body that stopped of itself has lost nothing.
void Program::ReportShortLoop(llvm::Value* cut, const LoopWords& words) {
  If(cut, [&] {
    llvm::Value* stopped = ir_.CreateOr(ir_.CreateLoad(ir_.getInt64Ty(), At(frame_, words.stopped)), InHurry());
    If(ir_.CreateICmpEQ(stopped, I64(0)), [&] { CountLoss(image::LossCause::LoopCut); });
  });
}

// What a loop keeps in the frame.
Program::LoopWords Program::OpenLoop(bool long_loop) {
  LoopWords words{.chunked = long_loop && body_level_ < spare_frames_};
  words.first = TakeWord();
  words.stopped = TakeWord();
  if (words.chunked) words.turns = TakeWord(), words.done = TakeWord();
  ir_.CreateStore(I64(0), At(frame_, words.stopped));
  return words;
}

void Program::CloseLoop(const LoopWords& words) {
  free_words_.insert(free_words_.end(), {words.first, words.stopped});
  if (words.chunked) free_words_.insert(free_words_.end(), {words.turns, words.done});
}

void Program::LoopOverRange(const ForRange& s) {
  const int index = typed().lets[s.id.value];
  const Type* type = typed().variables[index].type;
  const Type* word = typed().types->Int(64, type->is_signed);
  llvm::Value* from = Convert(Scalar(s.from, type), type, word);
  llvm::Value* to = Convert(Scalar(s.to, type), type, word);
  llvm::Value* some = type->is_signed ? ir_.CreateICmpSLT(from, to) : ir_.CreateICmpULT(from, to);
  llvm::Value* turns = ir_.CreateSelect(some, ir_.CreateSub(to, from), I64(0));
  const auto* known = llvm::dyn_cast<llvm::ConstantInt>(turns);
  const LoopWords words = OpenLoop(known == nullptr || known->getZExtValue() > kChunkTurns);
  ir_.CreateStore(from, At(frame_, words.first));
  llvm::Function* body = MakeBody(FunctionKind::LoopBody, s.location, words.stopped, [&](llvm::Function* function) {
    llvm::Value* turn = ir_.CreateZExt(function->getArg(0), ir_.getInt64Ty());
    if (words.chunked) turn = ir_.CreateAdd(turn, ir_.CreateLoad(ir_.getInt64Ty(), At(frame_, words.done)));
    llvm::Value* now = ir_.CreateAdd(ir_.CreateLoad(ir_.getInt64Ty(), At(frame_, words.first)), turn);
    Store(Variable(index), type, {Convert(now, word, type), type});
    Statements(s.body->statements);
  });
  SetLocation(s.location);
  RunTurns(body, turns, words);
  CloseLoop(words);
  LeaveIfAsked(s);
}

void Program::LoopWhile(const While& s) {
  const LoopWords words = OpenLoop(true);
  llvm::Function* body = MakeBody(FunctionKind::LoopBody, s.location, words.stopped, [&](llvm::Function*) {
    llvm::BasicBlock* again = NewBlock("do");
    ir_.CreateCondBr(Truth(s.condition), again, loops_.back().end);
    ir_.SetInsertPoint(again);
    Statements(s.body->statements);
  });
  SetLocation(s.location);
  RunTurns(body, I64(words.chunked ? kMostWhileTurns : kChunkTurns), words);
  ReportShortLoop(ir_.getTrue(), words);
  CloseLoop(words);
  LeaveIfAsked(s);
}

// The array is read once, before the first turn.
void Program::LoopOverArray(const ForIn& s) {
  const int variable = typed().lets[s.id.value];
  const Type* array = typed().TypeOf(s.iterable);
  const Type* element = typed().variables[variable].type;
  const uint64_t size = SizeOfType(array->element);
  const uint32_t copy = ReserveScratch(SizeOfType(array));
  EvaluateInto(At(ScratchBase(), copy), array, s.iterable);
  const LoopWords words = OpenLoop(false);
  llvm::Function* body = MakeBody(FunctionKind::LoopBody, s.location, words.stopped, [&](llvm::Function* function) {
    llvm::Value* turn = ir_.CreateZExt(function->getArg(0), ir_.getInt64Ty());
    const Place place{AddressSpace::Bpf, At(ScratchBase(), copy), ir_.CreateMul(turn, I64(size)), 0};
    Store(Variable(variable), element, ReadPlace(place, element));
    Statements(s.body->statements);
  });
  SetLocation(s.location);
  RunTurns(body, I64(array->length), words);
  CloseLoop(words);
  LeaveIfAsked(s);
}

void Program::LoopOverMap(const ForIn& s) {
  const int map = typed().Info(s.iterable).map;
  const MapInfo& info = typed().maps[map];
  const int variable = typed().lets[s.id.value];
  const Type* pair = typed().variables[variable].type;
  const std::vector<uint32_t> offsets = MemberOffsets(pair);
  llvm::Function* body = MakeBody(FunctionKind::MapBody, s.location, 0, [&](llvm::Function* function) {
    llvm::Value* key = function->getArg(1);
    if (module_.HasEpochs(map)) {  // elements from before the last clear() are no longer there
      llvm::BasicBlock* current = NewBlock("current");
      llvm::Value* of = ir_.CreateLoad(ir_.getInt64Ty(), key);
      ir_.CreateCondBr(ir_.CreateICmpEQ(of, Epoch(map)), current, loops_.back().next);
      ir_.SetInsertPoint(current);
    }
    llvm::Value* memory = Variable(variable);
    Zero(memory, SizeOfType(pair));
    Copy(At(memory, offsets[0]), At(key, module_.HasEpochs(map) ? 8 : 0), SizeOfType(info.key));
    llvm::Value* value = At(memory, offsets[1]);
    if (info.value->IsAggregate()) {
      Store(value, pair->members[1], ReadAggregate({.map = map, .key_memory = key}));
    } else {
      Copy(value, function->getArg(2), SizeOfType(info.value));
    }
    Statements(s.body->statements);
  });
  SetLocation(s.location);
  Helper(BPF_FUNC_for_each_map_elem, ir_.getInt64Ty(), {module_.Map(map), body, frame_, I64(0)});
  LeaveIfAsked(s);
}

}  // namespace kawk
