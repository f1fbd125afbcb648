package io.bitloom.worker.cli;

import io.bitloom.engine.tensor.DType;

/** Types that weights can be stored in, by their usual names. */
enum WeightType {
  FP32(DType.F32),
  BF16(DType.BF16),
  FP16(DType.F16);

  private final DType dtype;

  WeightType(DType dtype) {
    this.dtype = dtype;
  }

  /** The type; null for no option, which leaves types as they are. */
  static DType of(WeightType option) {
    return option == null ? null : option.dtype;
  }
}
