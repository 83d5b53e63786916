// The fields of every struct of an Image, listed once: the writer and the reader both walk these lists. The order is the
// wire layout; a change of it raises kVersion.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "runtime/image/image.h"

namespace kawk::image {

template <class S, class T>
concept Is = std::same_as<std::remove_const_t<S>, T>;

template <class A>
void Fields(A& a, Is<Position> auto& s) {
  a(s.line), a(s.column);
}
template <class A>
void Fields(A& a, Is<Location> auto& s) {
  a(s.file), a(s.begin), a(s.end);
}
template <class A>
void Fields(A& a, Is<Field> auto& s) {
  a(s.name), a(s.offset), a(s.type), a(s.bit_offset), a(s.bit_size);
}
template <class A>
void Fields(A& a, Is<Enumerator> auto& s) {
  a(s.name), a(s.value);
}
template <class A>
void Fields(A& a, Is<ValueType> auto& s) {
  a(s.kind), a(s.size), a(s.is_signed), a(s.element), a(s.count), a(s.fields), a(s.enumerators), a(s.name), a(s.text);
  a(s.may_truncate), a(s.stack_mode), a(s.stack_limit), a(s.stack_map), a(s.hist_bits);
  a(s.lhist_min), a(s.lhist_max), a(s.lhist_step), a(s.series_interval), a(s.series_length), a(s.series_kind);
}
template <class A>
void Fields(A& a, Is<StackMapSpec> auto& s) {
  a(s.object_name), a(s.limit), a(s.user);
}
template <class A>
void Fields(A& a, Is<MapSpec> auto& s) {
  a(s.name), a(s.object_name), a(s.storage), a(s.key), a(s.value), a(s.max_entries), a(s.global_offset);
  a(s.short_object_name), a(s.has_epochs), a(s.epoch_offset);
}
template <class A>
void Fields(A& a, Is<EventArg> auto& s) {
  a(s.type), a(s.offset), a(s.variable);
}
template <class A>
void Fields(A& a, Is<FormatPiece> auto& s) {
  a(s.literal), a(s.flags), a(s.width), a(s.precision), a(s.length), a(s.conversion), a(s.arg);
  a(s.width_arg), a(s.precision_arg);
}
template <class A>
void Fields(A& a, Is<EventSpec> auto& s) {
  a(s.kind), a(s.probe), a(s.location), a(s.format), a(s.args), a(s.fixed_size), a(s.map), a(s.top), a(s.div);
  a(s.whole_epoch);
}
template <class A>
void Fields(A& a, Is<AttachSpec> auto& s) {
  a(s.kind), a(s.name), a(s.location), a(s.group), a(s.target), a(s.path), a(s.offset), a(s.ref_ctr_offset), a(s.period);
  a(s.frequency), a(s.config), a(s.by_pattern), a(s.cookie);
}
template <class A>
void Fields(A& a, Is<ProgramSpec> auto& s) {
  a(s.object_name), a(s.probes), a(s.type), a(s.attach_type), a(s.attach);
}
template <class A>
void Fields(A& a, Is<Config> auto& s) {
  a(s.ring_pages), a(s.max_cat_bytes), a(s.print_maps_on_exit), a(s.missing_probes), a(s.trunc_trailer), a(s.cpp_demangle);
  a(s.lazy_symbolication), a(s.log_size);
}
template <class A>
void Fields(A& a, Is<SourceFile> auto& s) {
  a(s.name), a(s.text);
}
template <class A>
void Fields(A& a, Is<Image> auto& s) {
  a(s.version), a(s.object), a(s.types), a(s.maps), a(s.stack_maps), a(s.events), a(s.programs), a(s.loss_offset);
  a(s.uses_scratch), a(s.uses_ring), a(s.config), a(s.sources);
}

// Values of an enum with rows 0 … n - 1; a number beyond is damage.
template <class E>
constexpr uint64_t Rows();
template <>
constexpr uint64_t Rows<ValueKind>() {
  return 0
#define VALUE_KIND(id) +1
#include "runtime/image/kinds.def"
      ;
}
template <>
constexpr uint64_t Rows<EventKind>() {
  return 0
#define EVENT_KIND(id, json_type) +1
#include "runtime/image/kinds.def"
      ;
}
template <>
constexpr uint64_t Rows<AttachKind>() {
  return 0
#define ATTACH_KIND(id) +1
#include "runtime/image/kinds.def"
      ;
}
template <>
constexpr uint64_t Rows<MapStorage>() {
  return static_cast<uint64_t>(MapStorage::PerCpuHash) + 1;
}
template <>
constexpr uint64_t Rows<StackMode>() {
  return static_cast<uint64_t>(StackMode::BuildId) + 1;
}

template <>
constexpr uint64_t Rows<SeriesKind>() {
  return static_cast<uint64_t>(SeriesKind::Sum) + 1;
}

}  // namespace kawk::image
