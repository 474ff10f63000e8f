/* A driver library without a driver: it can be found and loaded, and knows no GPU. gcc -shared -fPIC -o libcuda.so.1 libcuda.c */
int cuInit(unsigned flags) { (void)flags; return 100; /* CUDA_ERROR_NO_DEVICE */ }
