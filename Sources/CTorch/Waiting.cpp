// How the threads inside one operation wait for each other; see ThreadWaiting.swift.
#include <dlfcn.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "Internal.h"

namespace {

using Parallel = void (*)(void (*)(void *), void *, unsigned, unsigned);
using SetBlockTime = void (*)(int);

// Never destroyed: at the end of the process the keeper may still wait.
struct State {
  std::mutex mutex;
  std::condition_variable changed;
  std::thread keeper;
  bool is_crowded = false;
};
State &state = *new State;

template <typename Function>
Function symbol(const char *name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

void nothing(void *) {}

// The milliseconds that LLVM's and Intel's runtimes spin, their default.
constexpr int usual_block_time = 200;

}  // namespace

// LibTorch is built with libgomp, or with LLVM's or Intel's runtime, which have a call for this.
//
// libgomp has none, but its manual says that threads which wait spin 300,000 turns, and 100 when there are more OpenMP threads
// than processors. So a thread that is no part of any work keeps a team of its own: its members sleep, but are counted.
int ct_crowd_begin(int members) {
  return ctorch::status([&] {
    std::lock_guard<std::mutex> lock(state.mutex);
    if (state.is_crowded) return;
    if (auto set = symbol<SetBlockTime>("kmp_set_blocktime")) {
      set(0);
      state.is_crowded = true;
      return;
    }
    auto parallel = symbol<Parallel>("GOMP_parallel");
    TORCH_CHECK(parallel, "the OpenMP runtime is not one that is known");
    state.is_crowded = true;
    state.keeper = std::thread([parallel, members] {
      parallel(nothing, nullptr, static_cast<unsigned>(members), 0);
      std::unique_lock<std::mutex> lock(state.mutex);
      state.changed.wait(lock, [] { return !state.is_crowded; });
    });
  });
}

int ct_crowd_end(void) {
  return ctorch::status([&] {
    std::thread ended;
    {
      std::lock_guard<std::mutex> lock(state.mutex);
      if (!state.is_crowded) return;
      state.is_crowded = false;
      if (!state.keeper.joinable()) {
        if (auto set = symbol<SetBlockTime>("kmp_set_blocktime")) set(usual_block_time);
        return;
      }
      ended = std::move(state.keeper);
    }
    state.changed.notify_all();
    // Its team ends with the thread.
    ended.join();
  });
}
