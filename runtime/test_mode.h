// --test and --bench: runs the script's tests or benchmarks one after another and says how they went.
#pragma once

#include "runtime/loader.h"
#include "runtime/output.h"

namespace kawk {

// How many tests failed.
Result<int> RunTests(const image::Image& image, const LoadedObject& object, Output& output, bool json);
Result<int> RunBenchmarks(const image::Image& image, const LoadedObject& object, Output& output, bool json);

}  // namespace kawk
