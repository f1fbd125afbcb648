package io.bitloom.loadtests.gpu;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.DecodeEstimate;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.VisualTokenizer;

/** What draws once texts are encoded, loaded on a device. */
record DrawingModel(
    TorchDevice device, DType dtype, InfinityTransformer transformer, VisualTokenizer tokenizer)
    implements AutoCloseable {

  /** Loads transformer and tokenizer. */
  static DrawingModel load(ModelDirectory directory, TorchDevice device, DType dtype) {
    try (Weights stored = directory.tokenizerWeights();
        Weights placed = stored.to(device, dtype)) {
      InfinityTransformer transformer = directory.transformer(stored, device, dtype);
      try {
        return new DrawingModel(
            device, dtype, transformer, new VisualTokenizer(directory.tokenizer(), placed));
      } catch (RuntimeException e) {
        transformer.close();
        throw e;
      }
    }
  }

  /** Pictures of a schedule that are decoded at a time, with the memory that is free now. */
  int decodedAtOnce(ScaleSchedule schedule) {
    return DecodeEstimate.of(tokenizer.config(), device, dtype).applyAsInt(schedule);
  }

  @Override
  public void close() {
    transformer.close();
    tokenizer.close();
  }
}
