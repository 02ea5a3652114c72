// The version of the headers, and no library: what needs no tensor links nothing of LibTorch.
#include <torch/version.h>
