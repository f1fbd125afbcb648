package io.bitloom.worker.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.TorchDevice;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** The way between what is drawn for the tokens and the tokenizer's features. */
public interface Codes extends AutoCloseable {
  /** The sum of no codes at full size (B, channels, H, W). */
  Tensor none(int images, Scale last, TorchDevice device);

  /** What was drawn at scale k, (B, h·w, d) or (B, h·w, 1), as codes at full size (B, ch, H, W). */
  Tensor features(Tensor drawnBLd, int k, List<Scale> scales);

  /** What the transformer sees of the sum of codes at a scale (B, h·w, d). */
  Tensor tokens(Tensor summedBdHW, Scale scale);

  /** Type that holds what is drawn. */
  DType drawnType();

  @Override
  void close();
}
