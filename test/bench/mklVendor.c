/*
 * The MKL inside PyTorch's wheels uses AVX-512 only where this function says that the processor is an Intel one. Preloaded
 * (LD_PRELOAD), it says so on any make: what PyTorch could do on this machine.
 */
int mkl_serv_intel_cpu_true(void) { return 1; }
