/** Which GPUs of NVIDIA this machine has, found out without CUDA. */
package io.bitloom.common.gpu;
