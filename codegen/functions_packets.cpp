// skboutput(): the kernel copies the packet to a perf buffer, which alone can take bytes from wherever a packet has them; a
// record in the ring tells where in the order of events it stands.
#include <linux/bpf.h>

#include <cerrno>

#include "codegen/functions.h"

namespace kawk {
namespace {

constexpr uint64_t kMostBytes = 0xfffff;  // BPF_F_CTXLEN_MASK

// The packet's whole length, i64.
llvm::Value* PacketLength(Program& p, llvm::Value* skb, const Type* packet) {
  auto& ir = p.ir();
  const StructField* field = packet->info->Find("len");
  llvm::Value* memory = p.Allocate(4);
  p.Zero(memory, 4);
  p.Helper(BPF_FUNC_probe_read_kernel, ir.getInt64Ty(),
           {memory, p.I32(4), ir.CreateAdd(skb, p.I64(field == nullptr ? 0 : field->offset))});
  return ir.CreateZExt(ir.CreateLoad(ir.getInt32Ty(), memory), ir.getInt64Ty());
}

llvm::Value* Least(Program& p, llvm::Value* a, llvm::Value* b) { return p.ir().CreateSelect(p.ir().CreateICmpULT(a, b), a, b); }

}  // namespace

Value EmitSkboutputCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  const Type* pointer = p.typed().TypeOf(call.args[1]);
  const Type* number = p.typed().types->Int(64, false);
  llvm::Value* skb = p.Scalar(call.args[1], pointer);
  llvm::Value* wanted = p.Scalar(call.args[2], number);
  llvm::Value* offset = p.Scalar(call.args[3], number);
  p.module().NeedTypedContext(p.index());
  p.SetLocation(call.location);

  llvm::Value* whole = PacketLength(p, skb, pointer->element);
  offset = Least(p, offset, whole);
  llvm::Value* length = Least(p, wanted, ir.CreateSub(whole, offset));
  llvm::Value* time = p.Helper(BPF_FUNC_ktime_get_boot_ns, ir.getInt64Ty(), {});
  llvm::Value* header = p.AllocateStack(sizeof(image::PacketHeader));
  ir.CreateStore(time, header);
  ir.CreateStore(ir.CreateTrunc(offset, ir.getInt32Ty()), p.At(header, offsetof(image::PacketHeader, offset)));
  ir.CreateStore(ir.CreateTrunc(length, ir.getInt32Ty()), p.At(header, offsetof(image::PacketHeader, length)));
  llvm::Value* bytes = ir.CreateShl(p.Bound(ir.CreateAdd(offset, length), kMostBytes), 32);
  llvm::Value* flags = ir.CreateOr(bytes, p.I64(BPF_F_CURRENT_CPU));
  llvm::Value* result = p.Helper(BPF_FUNC_skb_output, ir.getInt64Ty(),
                                 {skb, p.module().Packets(), flags, header, p.I64(sizeof(image::PacketHeader))});

  image::EventSpec event = EventOf(image::EventKind::Packet, call);
  event.probe = p.index();
  event.format.push_back({.literal = *p.typed().Info(call.args[0]).string});
  const uint32_t time_at = sizeof(image::RecordHeader);
  const uint32_t cpu_at = time_at + 8;
  event.args.push_back({p.module().TypeOf(number), time_at, false});
  event.args.push_back({p.module().TypeOf(p.typed().types->Int(32, false)), cpu_at, false});
  event.fixed_size = cpu_at + 8;
  const uint32_t size = event.fixed_size;
  const uint32_t id = p.module().AddEvent(std::move(event));
  p.If(
      ir.CreateICmpEQ(result, p.I64(0)),
      [&] {
        p.SendFixed(id, size, false, [&](llvm::Value* record) {
          ir.CreateStore(time, p.At(record, time_at));
          llvm::Value* cpu = p.Helper(BPF_FUNC_get_smp_processor_id, ir.getInt64Ty(), {});
          ir.CreateStore(cpu, p.At(record, cpu_at));  // 8 bytes: the padding, too
        });
      },
      [&] {
        const uint64_t full = static_cast<uint64_t>(int64_t{-ENOSPC});
        p.If(ir.CreateICmpEQ(result, p.I64(full)), [&] { p.CountLoss(image::LossCause::RingFull); });
      });
  return {result, p.typed().TypeOf(&call)};
}

}  // namespace kawk
