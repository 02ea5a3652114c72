#include "KeptMemory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <new>

namespace ctorch {
namespace {

// Tensors' memory on the CPU, kept by size after its use.
//
// A step allocates and frees the same activations of some megabytes again and again. Given back to the system, every page is faulted in
// anew, which costs as much as a pass over the memory. Kept by the C library, it becomes a heap with holes: a block that has to be aligned
// does not fit into the hole that one of its own size has left (glibc before 2.38), so that the heap grows to two or three times of what
// is in use. Here a freed block waits for the next of its size, and the longest unused are given back before the whole would become
// larger than one and a half times what was ever in use at once.
class KeptMemory final : public c10::Allocator {
 public:
  // Smaller ones are left to the C library.
  static constexpr size_t least = 4096;
  // Larger ones come from the system by themselves, so that they can be given back one by one.
  static constexpr size_t own = size_t(1) << 18;
  static constexpr size_t alignment = 64;

  c10::DataPtr allocate(size_t count) override {
    void *data = count == 0 ? nullptr : take(count);
    return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void *to, const void *from, size_t count) const override { default_copy_data(to, from, count); }

  // Until then, a block goes back as soon as it is freed.
  void keep() { keeps.store(true, std::memory_order_relaxed); }

  static KeptMemory &shared() {
    // Never destroyed: tensors may outlive everything.
    static auto *const memory = new KeptMemory;
    return *memory;
  }

 private:
  // Stands in front of the data.
  struct alignas(alignment) Header {
    // Bytes with the header, and the class of the size; none for what the C library has given.
    size_t size;
    int kind;
    // When it was freed.
    uint64_t time;
  };

  static constexpr int none = -1;
  // Eight sizes an octave: at most an eighth of a block is not asked for, and of that no page is touched.
  static constexpr int steps = 8;
  static constexpr int kinds = 64 * steps;

  std::atomic<bool> keeps = false;
  std::mutex mutex;
  std::array<std::deque<Header *>, kinds> waiting;
  size_t in_use = 0, most_in_use = 0, kept = 0;
  uint64_t time = 0;

  // The smallest class whose size is at least `size`, and that size.
  static std::pair<int, size_t> kind_of(size_t size) {
    int octave = 0;
    while ((size >> octave) >= 2 * steps) octave++;
    size_t mantissa = size >> octave;
    if ((mantissa << octave) < size) mantissa++;
    if (mantissa == 2 * steps) {
      mantissa = steps;
      octave++;
    }
    return {octave * steps + int(mantissa - steps), mantissa << octave};
  }

  void *take(size_t count) {
    TORCH_CHECK(count < (size_t(1) << 56), "can't allocate memory: ", count, " bytes were asked for");
    size_t size = count + sizeof(Header);
    int kind = none;
    Header *header = nullptr;
    if (size >= least) {
      std::tie(kind, size) = kind_of(size);
      const std::lock_guard guard(mutex);
      // One of the next two sizes does as well.
      for (int other = kind; other < std::min(kind + 3, kinds) && !header; other++) {
        if (waiting[size_t(other)].empty()) continue;
        header = waiting[size_t(other)].back();
        waiting[size_t(other)].pop_back();
        kept -= header->size;
        kind = other;
        size = header->size;
      }
      in_use += size;
      most_in_use = std::max(most_in_use, in_use);
      if (!header) give_back(in_use, most_in_use + most_in_use / 2);
    }
    if (!header) {
      header = obtain(size);
      if (!header) {
        const std::lock_guard guard(mutex);
        give_back(0, 0);
      }
      if (!header && !(header = obtain(size))) {
        const std::lock_guard guard(mutex);
        if (kind != none) in_use -= size;
        TORCH_CHECK(false, "can't allocate memory: ", count, " bytes were asked for");
      }
    }
    *header = {size, kind, 0};
    return header + 1;
  }

  static void release(void *data) {
    if (!data) return;
    Header *header = static_cast<Header *>(data) - 1;
    if (header->kind == none) return std::free(header);
    KeptMemory &memory = shared();
    const std::lock_guard guard(memory.mutex);
    header->time = memory.time++;
    memory.in_use -= header->size;
    memory.kept += header->size;
    memory.waiting[size_t(header->kind)].push_back(header);
    if (!memory.keeps.load(std::memory_order_relaxed)) memory.give_back(0, 0);
  }

  // Gives back what has waited longest until what is held besides is at most `limit`.
  void give_back(size_t besides, size_t limit) {
    while (kept > 0 && besides + kept > limit) {
      std::deque<Header *> *oldest = nullptr;
      for (auto &blocks : waiting) {
        if (!blocks.empty() && (!oldest || blocks.front()->time < oldest->front()->time)) oldest = &blocks;
      }
      Header *header = oldest->front();
      oldest->pop_front();
      kept -= header->size;
      if (header->size >= own) {
        munmap(header, header->size);
      } else {
        std::free(header);
      }
    }
  }

  static Header *obtain(size_t size) {
    if (size >= own) {
      void *place = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      return place == MAP_FAILED ? nullptr : static_cast<Header *>(place);
    }
    void *place = nullptr;
    return posix_memalign(&place, alignment, size) == 0 ? static_cast<Header *>(place) : nullptr;
  }
};

}  // namespace

// While the program is loaded, when nothing has taken memory yet: what one allocator has given must not come back to another, and
// oneDNN's buffers are freed by whichever is set at that time. Set in the middle of another thread's convolution, the heap was corrupt.
__attribute__((constructor)) static void install() { c10::SetCPUAllocator(&KeptMemory::shared(), 1); }

void keep_memory() { KeptMemory::shared().keep(); }

bool owns_memory() { return c10::GetCPUAllocator() == &KeptMemory::shared(); }

}  // namespace ctorch
