// Numbers that programs encode and the runtime decodes: buckets of hist() and lhist(), ranks of min() and max().
//
// hist(n, bits): bucket 0: n < 0; buckets 1 … 2^bits: the exact values 0 … 2^bits - 1 … and so on: for n ≥ 2^bits,
// with m = index of the highest set bit, bucket = 1 + ((m - bits + 1) << bits) + ((n >> (m - bits)) & (2^bits - 1)).
// lhist(n, min, max, step): bucket 0: n < min; 1 + (n - min) / step; last = 1 + ceil((max - min) / step): n ≥ max.
#pragma once

#include <cstdint>

namespace kawk::image {

// How many buckets hist(n, bits) can have.
inline constexpr uint32_t HistBuckets(uint32_t bits) { return 1 + ((64 - bits + 1) << bits); }
// How many buckets lhist can have.
inline constexpr uint32_t LhistBuckets(int64_t min, int64_t max, int64_t step) {
  const uint64_t range = static_cast<uint64_t>(max) - static_cast<uint64_t>(min);
  return static_cast<uint32_t>(2 + (range + static_cast<uint64_t>(step) - 1) / static_cast<uint64_t>(step));
}

// A slot of tseries() belongs to one interval: number of the interval % intervals kept. It is {u64 tag, pair, pair}: the tag is
// the interval's number * 2 + which pair is its own; a pair is {value, count}: Last {n, time}, Sum and Avg {total, count},
// Max and Min {rank, 1}. Who gives the slot to a new interval exchanges the tag first and then zeroes the pair that was the
// old one's, for the next to find clean: so a program that interrupts it at any point adds to the right pair.
inline constexpr uint32_t kSeriesPair = 16;
inline constexpr uint32_t kSeriesSlot = 8 + 2 * kSeriesPair;

// Min and Max slots keep a rank: a u64 that is 0 when nothing was seen and only grows, so that CPUs merge by the larger one.
// Max: the number (signed: with its top bit flipped); Min: the complement of that.
inline constexpr uint64_t RankToValue(uint64_t rank, bool is_min, bool is_signed) {
  const uint64_t ordered = is_min ? ~rank : rank;
  return is_signed ? ordered ^ (1ull << 63) : ordered;
}

}  // namespace kawk::image
