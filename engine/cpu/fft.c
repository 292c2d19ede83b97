#include "../kernels/fft.h"
const tj__fft_kernels TJ__ISA(tj__cpu_fft) = {0};
