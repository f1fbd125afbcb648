package io.bitloom.worker.verify;

import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.model.Generation;
import io.bitloom.engine.model.ScaleObserver;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Counts the bits that a model in another type than the fixtures' float32 has in common with them.
 * Rounding turns over bits whose two logits are nearly equal, and everything drawn later depends on
 * them; how many is a property of the type, not a fault.
 */
final class AgreementCheck {
  private final DType dtype;

  AgreementCheck(DType dtype) {
    this.dtype = dtype;
  }

  /** {@code transformer_infer*}: greedy generation, where later scales see the bits of earlier. */
  void generation(Fixture fixture, FileReport report) {
    try (Models models = new Models(fixture, InferCheck.KIND, dtype)) {
      JsonFields cases = fixture.structure("cases");
      for (String name : cases.names()) {
        report.testCase(
            name,
            found -> {
              JsonFields settings = cases.object(name);
              Weights expected = fixture.tensors(name);
              Generation generation =
                  models
                      .transformer(settings)
                      .generate(
                          new ModelInputs(settings, expected, found).generation(),
                          ScaleObserver.NONE);
              compare(generation.bits(), expected, found);
            });
      }
    }
  }

  /** {@code vae_*}: the bits of a picture. */
  void tokenizer(Fixture fixture, FileReport report) {
    try (Models models = new Models(fixture, VaeCheck.KIND, dtype)) {
      JsonFields cases = fixture.structure("cases");
      for (String name : cases.names()) {
        report.testCase(
            name,
            found -> {
              JsonFields settings = cases.object(name);
              Weights expected = fixture.tensors(name);
              List<Tensor> bits =
                  models
                      .tokenizer(settings)
                      .encode(expected.get("image_u8"), Fixture.scales(settings, "scale_schedule"))
                      .digits();
              compare(bits.stream().map(scale -> scale.unsqueeze(1)).toList(), expected, found);
            });
      }
    }
  }

  private static void compare(List<Tensor> bits, Weights expected, CaseReport found) {
    List<Tensor> stored =
        IntStream.range(0, bits.size()).mapToObj(k -> expected.get("bits/" + k)).toList();
    found.agreement("bits", flat(bits), flat(stored));
    found.agreement("bits of the first 3 scales", flat(first(bits)), flat(first(stored)));
  }

  private static List<Tensor> first(List<Tensor> scales) {
    return scales.subList(0, Math.min(scales.size(), 3));
  }

  private static Tensor flat(List<Tensor> scales) {
    return Tensors.concat(
        scales.stream().map(scale -> Tensors.to(scale, DType.U8).flatten()).toList(), 0);
  }
}
