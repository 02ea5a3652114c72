#include <ATen/core/function_schema.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "Internal.h"

namespace ctorch {
namespace {

struct Tally {
  double seconds = 0;
  double bytes = 0;
  int64_t calls = 0;
};

// What one thread has measured since it was told to; of operations that others call, the time inside of the others is taken off.
struct Measured {
  at::CallbackHandle handle = 0;
  std::map<std::string, Tally> tallies;
  // The open calls, the innermost last: seconds and bytes of what they have called.
  struct Call {
    double inner = 0;
    double bytes = 0;
  };
  std::vector<Call> open;
};

thread_local std::unique_ptr<Measured> measured;

struct Open : at::ObserverContext {
  double bytes = 0;
  std::chrono::steady_clock::time_point start;
};

double bytes_of(const c10::IValue &value) {
  if (value.isTensor()) {
    const at::Tensor &tensor = value.toTensor();
    return tensor.defined() ? double(tensor.nbytes()) : 0;
  }
  if (!value.isTensorList()) return 0;
  double sum = 0;
  for (const at::Tensor &tensor : value.toTensorVector()) sum += tensor.defined() ? double(tensor.nbytes()) : 0;
  return sum;
}

// Of an operation that touches no memory: one that only allocates, or whose result is another look at its argument's.
bool touches_nothing(const at::RecordFunction &function) {
  const std::string_view name = function.name();
  if (name.starts_with("aten::empty") || name.starts_with("aten::resize_")) return true;
  const std::optional<c10::FunctionSchema> schema = function.operator_schema();
  if (!schema) return false;
  for (const c10::Argument &result : schema->returns()) {
    if (result.alias_info() && !result.alias_info()->isWrite()) return true;
  }
  return false;
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction &function) {
  if (measured) measured->open.emplace_back();
  auto open = std::make_unique<Open>();
  // The arguments may be looked at only here.
  for (const c10::IValue &value : function.inputs()) open->bytes += bytes_of(value);
  open->start = std::chrono::steady_clock::now();
  return open;
}

void end(const at::RecordFunction &function, at::ObserverContext *context) {
  if (!measured || measured->open.empty()) return;
  const auto *open = static_cast<Open *>(context);
  const double total = std::chrono::duration<double>(std::chrono::steady_clock::now() - open->start).count();
  const Measured::Call call = measured->open.back();
  const double own = total - call.inner;
  measured->open.pop_back();
  // The graph's nodes call operations, which are heard of by themselves.
  Tally &tally = measured->tallies[function.scope() == at::RecordScope::FUNCTION ? function.name() : "autograd"];
  tally.seconds += own;
  tally.calls++;
  double bytes = call.bytes;
  // Of operations that are made of others the others tell.
  if (own >= total / 2 && !touches_nothing(function)) {
    double mine = open->bytes;
    for (const c10::IValue &value : function.outputs()) mine += bytes_of(value);
    tally.bytes += std::max(0.0, mine - call.bytes);
    bytes = std::max(bytes, mine);
  }
  if (measured->open.empty()) return;
  measured->open.back().inner += total;
  measured->open.back().bytes += bytes;
}

}  // namespace
}  // namespace ctorch

using namespace ctorch;

int ct_profile_begin(void) {
  return status([] {
    TORCH_CHECK(!measured, "this thread is measured already");
    measured = std::make_unique<Measured>();
    measured->handle = at::addThreadLocalCallback(at::RecordFunctionCallback(begin, end)
                                                      .needsInputs(true)
                                                      .needsOutputs(true)
                                                      .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  });
}

int ct_profile_end(ct_profile_visit visit, void *context) {
  return status([&] {
    TORCH_CHECK(measured, "this thread is not measured");
    const std::unique_ptr<Measured> result = std::move(measured);
    at::removeCallback(result->handle);
    for (const auto &[name, tally] : result->tallies) visit(context, name.c_str(), tally.seconds, tally.bytes, tally.calls);
  });
}
