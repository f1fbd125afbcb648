package io.bitloom.loadtests.engine;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.TextEncoder;
import io.bitloom.engine.tokenizer.VisualTokenizer;

/** The three parts of a loaded model. */
record BenchmarkedModel(
    TextEncoder textEncoder, InfinityTransformer transformer, VisualTokenizer tokenizer)
    implements AutoCloseable {

  BenchmarkedModel(ModelDirectory directory, TorchDevice device, DType dtype) {
    this(
        directory.textEncoder(device, dtype),
        transformer(directory, device, dtype),
        tokenizer(directory, device, dtype));
  }

  private static InfinityTransformer transformer(
      ModelDirectory directory, TorchDevice device, DType dtype) {
    try (Weights weights = directory.transformerWeights()) {
      return InfinityTransformer.forInference(directory.transformer(), weights, device, dtype);
    }
  }

  private static VisualTokenizer tokenizer(
      ModelDirectory directory, TorchDevice device, DType dtype) {
    try (Weights stored = directory.tokenizerWeights();
        Weights weights = stored.to(device, dtype)) {
      return new VisualTokenizer(directory.tokenizer(), weights);
    }
  }

  /** A batch of different prompts of one length. */
  BenchmarkedBatch batch(ScaleSchedule schedule, int images, int tokens, double guidance) {
    return new BenchmarkedBatch(this, schedule, images, tokens, guidance);
  }

  @Override
  public void close() {
    textEncoder.close();
    transformer.close();
    tokenizer.close();
  }
}
