/**
 * What a CUDA runtime for ONNX Runtime is made of: wheels of the Python package index, each with its version, SHA-256,
 * sizes and licence, and the libraries that are taken out of it. ONNX Runtime loads its provider only when both have
 * the same version, so `onnxruntime` here equals the version of `onnxruntime-node` in package.json
 * (test/run/cudaRuntime.test.ts).
 *
 * To move to another version, change the rows: version, file, hash and sizes are what the index says of the wheel for
 * Linux on x64 (`pip download --no-deps --platform manylinux_2_28_x86_64 NAME==VERSION` and `pip hash`).
 */

export interface CudaPackage {
  /** As the index writes it. */
  name: string;
  version: string;
  /** Name of the wheel. */
  file: string;
  sha256: string;
  /** Bytes, rounded: of the wheel, and of what is kept of it. */
  download: number;
  kept: number;
  licence: string;
  what: string;
  /** Names of the files that are kept, without their folders; all go into one folder. */
  libraries: RegExp;
  /** Only when it is asked for. */
  optional?: boolean;
}

const MB = 1_000_000;
const EULA = 'NVIDIA CUDA Toolkit End User License Agreement (docs.nvidia.com/cuda/eula)';

export const cudaOnnxruntime = '1.30.0';

export const cudaPackages: readonly CudaPackage[] = [
  {
    name: 'onnxruntime-gpu',
    version: cudaOnnxruntime,
    file: 'onnxruntime_gpu-1.30.0-cp311-cp311-manylinux_2_28_x86_64.whl',
    sha256: '4fbf0c5d7b5fb99266c2e8a802e3e64af68bdc383e0f3c7349b985f1087eedaa',
    download: 247 * MB,
    kept: 272 * MB,
    licence: 'MIT (Microsoft)',
    what: 'CUDA provider of ONNX Runtime',
    libraries: /^libonnxruntime_providers_(cuda|shared)\.so$/,
  },
  {
    name: 'nvidia-cublas',
    version: '13.10.0.20',
    file: 'nvidia_cublas-13.10.0.20-py3-none-manylinux1_x86_64.manylinux_2_5_x86_64.whl',
    sha256: 'dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84',
    download: 444 * MB,
    kept: 609 * MB,
    licence: EULA,
    what: 'matrix products',
    libraries: /^libcublas(Lt)?\.so\.13$/,
  },
  {
    name: 'nvidia-curand',
    version: '10.4.5.25',
    file: 'nvidia_curand-10.4.5.25-py3-none-manylinux_2_27_x86_64.whl',
    sha256: '22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529',
    download: 77 * MB,
    kept: 105 * MB,
    licence: EULA,
    what: 'random numbers (needed to load the provider)',
    libraries: /^libcurand\.so\.10$/,
  },
  {
    name: 'nvidia-cuda-runtime',
    version: '13.5.37',
    file: 'nvidia_cuda_runtime-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    sha256: 'df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d',
    download: 2.5 * MB,
    kept: 0.8 * MB,
    licence: EULA,
    what: 'CUDA runtime',
    libraries: /^libcudart\.so\.13$/,
  },
  {
    name: 'nvidia-cudnn-cu13',
    version: '9.28.1.4',
    file: 'nvidia_cudnn_cu13-9.28.1.4-py3-none-manylinux_2_27_x86_64.whl',
    sha256: 'a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec',
    download: 517 * MB,
    kept: 940 * MB,
    licence: 'NVIDIA cuDNN Software License Agreement (docs.nvidia.com/deeplearning/cudnn)',
    what: 'cuDNN, for graphs with convolutions',
    libraries: /^libcudnn\w*\.so\.9$/,
    optional: true,
  },
];
