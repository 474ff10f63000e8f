/*
 * What ONNX Runtime loads for CUDA, without CUDA: the library that holds the host's table, and with -DPROVIDER a provider that
 * needs cuInit of the driver and has nothing to offer.
 */
static void *host;
void Provider_SetHost(void *given) { host = given; }
void *Provider_GetHost(void) { return host; }
#ifdef PROVIDER
extern int cuInit(unsigned);
void *GetProvider(void) { return cuInit(0) == 100 ? __builtin_trap(), (void *)0 : (void *)0; }
#endif
