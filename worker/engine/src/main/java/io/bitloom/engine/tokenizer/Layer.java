package io.bitloom.engine.tokenizer;

import org.bytedeco.pytorch.Tensor;

/** A part of the encoder or decoder: a feature map in, a feature map out. */
@FunctionalInterface
interface Layer {
  /** (B, C, H, W) to (B, C', H', W'). */
  Tensor forward(Tensor x);
}
